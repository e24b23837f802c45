"""Sizes of clusters, and which member of each survives."""

from gpucurate.ops.survivors.contract import choose_survivors, count_members

__all__ = ["choose_survivors", "count_members"]
