"""Memory of this machine: what there is, and what a tree of processes holds."""

from __future__ import annotations

from pathlib import Path

import psutil

_CGROUP_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")
_CGROUP_USAGE = ("/sys/fs/cgroup/memory.current", "/sys/fs/cgroup/memory/memory.usage_in_bytes")


def available_memory() -> int:
    """Bytes that can still be used: the machine's, or the container's if that is less."""
    available = int(psutil.virtual_memory().available)
    for limit_path, usage_path in zip(_CGROUP_LIMITS, _CGROUP_USAGE, strict=True):
        limit, usage = _number(limit_path), _number(usage_path)
        if limit is not None and usage is not None and limit < psutil.virtual_memory().total:
            available = min(available, max(0, limit - usage))
    return available


def _number(path: str) -> int | None:
    try:
        text = Path(path).read_text().strip()
    except OSError:
        return None
    return int(text) if text.isdigit() else None


def tree_pss(pid: int | None = None) -> int:
    """Proportional set size in bytes of a process (this one) and all below it.

    Shared pages count once over the tree, so that the figure can be held against a limit. A
    process that has ended holds nothing.
    """
    total = 0
    for process in _tree(pid):
        try:
            total += process.memory_full_info().pss
        except (psutil.NoSuchProcess, psutil.AccessDenied, ProcessLookupError):
            continue  # it ended while we looked
    return total


def _tree(pid: int | None) -> list[psutil.Process]:
    try:
        root = psutil.Process(pid)
        return [root, *root.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []
