"""What is too much for the memory that a run may use, said with the numbers."""

from __future__ import annotations

from gpucurate.spec.bytesize import format_bytes
from gpucurate.spec.errors import ConfigurationError

ARRAYS_SHARE = 2
"""Arrays over all records get one part in so many of what a run may use: the rest is for processes
and for what they read."""


def refuse_more(what: str, needed: int, memory: int, share: int = 1, *, option: str = "memory") -> None:
    """Refuse what takes more than its share of the memory.

    Args:
        what: takes it, as a sentence begins: ``grouping 5 records takes 20 B``.
        needed: bytes, in all.
        memory: bytes that the run may use.
        share: it may have one part in so many of them.
        option: what gives it more, as an argument.

    Raises:
        ConfigurationError: it does; the message names what was given and what would be enough.
    """
    if needed <= memory // share:
        return
    also = f", {share} times as much since processes and what they read need some" if share > 1 else ""
    given = f"{option}={_at_least(share * needed)} (--{option.replace('_', '-')})"
    sample = ", or let it go on with the part that fits (on_infeasible='sample', --on-infeasible sample)"
    raise ConfigurationError(
        f"{what}, {format_bytes(needed)} in all: that takes {given}"
        f"{also}, but the run may use {format_bytes(memory)}. Give it more and run it again, so that it "
        "goes on with what was read, or deduplicate parts of the corpus one after the other"
        f"{sample if option == 'memory' else ''}"
    )


def _at_least(count: int) -> str:
    """A size that is not less, to be given: ``1235kB``."""
    unit, name = (10**6, "MB") if count >= 10**8 else (10**3, "kB")
    return f"{-(-count // unit)}{name}"
