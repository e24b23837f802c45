"""Which member of a cluster survives, as users write it: ``longest``, ``max:score``, ``prefer:*/wiki/*``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Literal, TypeGuard, get_args

from gpucurate.spec.errors import ConfigurationError

PolicyKind = Literal["first", "longest", "shortest", "max", "min", "prefer"]

BY_LENGTH: tuple[PolicyKind, ...] = ("first", "longest", "shortest")
"""Policies that need nothing but the characters of each document."""

_FORMS = (*BY_LENGTH, "max:COLUMN", "min:COLUMN", "prefer:GLOB,GLOB,...", "prefer:COLUMN=GLOB,...")
_NOT_IN_NAMES = frozenset("*?[/")


@dataclass(frozen=True, slots=True)
class Policy:
    """What decides between the members of a cluster; ties go to the smallest id.

    Attributes:
        kind: ``first`` (the smallest id), ``longest``, ``shortest``, ``max`` or ``min`` of a
            column, or ``prefer`` (the glob that comes first).
        column: whose value decides; empty where none does.
        globs: of ``prefer``, the most wanted first; over the column's value, or where there is
            no column over the path of the file as it was listed.
    """

    kind: PolicyKind
    column: str = ""
    globs: tuple[str, ...] = ()

    @property
    def is_ranked(self) -> bool:
        """Whether each document needs a rank, beyond its length."""
        return self.kind not in BY_LENGTH

    def preference(self, text: str) -> int:
        """The rank of a path or value: the higher, the earlier the first glob that matches it; 1 for none."""
        for place, glob in enumerate(self.globs):
            if fnmatchcase(text, glob):
                return len(self.globs) - place + 1
        return 1


def parse_policy(text: str) -> Policy:
    """The policy that ``text`` stands for.

    ``prefer:lang=en,de`` is over the column ``lang``: what stands before ``=`` is a column where
    it has neither a wildcard nor a slash. Of a path, write ``prefer:*lang=en*``.

    Raises:
        ConfigurationError: it stands for none.

    >>> parse_policy("max:metadata.score")
    Policy(kind='max', column='metadata.score', globs=())
    """
    kind, colon, column = str(text).partition(":")
    if _is_kind(kind) and bool(colon) != (kind in BY_LENGTH):
        return Policy(kind) if not colon else _of_column(kind, column)
    raise ConfigurationError(
        f"keep={text!r} is not a policy: choose {', '.join(_FORMS[:-1])} or {_FORMS[-1]}"
    )


def _is_kind(text: str) -> TypeGuard[PolicyKind]:
    return text in get_args(PolicyKind)


def _of_column(kind: PolicyKind, rest: str) -> Policy:
    if not rest:
        what = "which globs" if kind == "prefer" else "which column"
        raise ConfigurationError(f"keep='{kind}:' does not say {what}")
    return _preference(rest) if kind == "prefer" else Policy(kind, rest)


def _preference(rest: str) -> Policy:
    column, equals, globs = rest.partition("=")
    if not equals or not column or _NOT_IN_NAMES & set(column):
        column, globs = "", rest
    return Policy("prefer", column, _nonempty(globs.split(","), rest))


def _nonempty(globs: Sequence[str], rest: str) -> tuple[str, ...]:
    if not all(globs):
        raise ConfigurationError(f"keep='prefer:{rest}' has an empty glob: write prefer:GLOB,GLOB,...")
    return tuple(globs)
