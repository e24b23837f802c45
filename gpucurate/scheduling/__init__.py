"""Decisions as plain state machines: events in, actions out. No clock, thread, file or device."""
