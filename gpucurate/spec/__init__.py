"""Ground floor: plain types that every other layer speaks in. No device, no file, no network."""
