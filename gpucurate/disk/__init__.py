"""Ground floor of all that is written: file operations that survive a crash, and where one would hurt."""
