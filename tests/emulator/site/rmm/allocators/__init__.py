"""``rmm.allocators``."""
