"""``cuda.bindings`` of the emulated device."""
