"""What users compose: the base classes, and the stages that come with gpucurate."""
