"""Whether keys can be compared."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gpucurate.checkpoint.changes import differences
from gpucurate.dedup.index import Index
from gpucurate.spec.errors import ConfigurationError


def refuse_other_sketch(index: Index, sketch: Mapping[str, Any], of: str) -> None:
    """Refuse an index of keys that mean something else.

    Args:
        index: what was given.
        sketch: what it should be.
        of: whose that is, for the message.

    Raises:
        ConfigurationError: they differ; the message says in what.
    """
    found = differences(index.sketch, sketch)
    if found:
        raise ConfigurationError(
            f"keys of the index {index.folder} ('then') and of {of} ('now') cannot be compared: "
            f"{'; '.join(found)}. Give the same settings, or save the index again"
        )
