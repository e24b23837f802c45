"""Help for those who write stages."""

from gpucurate.testing.check_stage import check_stage

__all__ = ["check_stage"]
