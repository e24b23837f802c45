"""The ``gpucurate`` command."""
