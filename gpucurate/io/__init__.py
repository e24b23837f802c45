"""Bytes in, bytes out: listing, ranges, readers that name what they reject, and sinks."""
