"""Connected components of documents, without a list of edges."""

from gpucurate.ops.union_find.contract import (
    flatten,
    hook_pairs,
    hook_runs,
    hook_runs128,
    new_parents,
)

__all__ = ["flatten", "hook_pairs", "hook_runs", "hook_runs128", "new_parents"]
