"""The run folder: what is known of a run on disk, and the order in which it becomes true."""
