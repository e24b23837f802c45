"""What deduplication is made of: keys on disk, components, survivors, clusters."""
