"""Where a run writes: a folder of this machine, or a prefix of a store."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import TypeAlias

from gpucurate.spec.errors import ConfigurationError

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:/(/)?")  # of one slash, since a Path has none twice


@dataclass(frozen=True, slots=True)
class Url:
    """A prefix of a store, which joins names as a path does.

    >>> str(Url("s3://bucket/out/") / "en/a.jsonl")
    's3://bucket/out/en/a.jsonl'
    """

    text: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "text", self.text.rstrip("/"))

    def __str__(self) -> str:
        return self.text

    def __fspath__(self) -> str:
        return self.text

    def as_posix(self) -> str:
        """The URL."""
        return self.text

    def within(self, other: Place) -> str | None:
        """The name beneath another prefix; None if it does not lie there."""
        below = f"{other}/"
        return self.text[len(below) :] if self.text.startswith(below) else None

    def __truediv__(self, name: str) -> Url:
        return Url(f"{self.text}/{name}")


Place: TypeAlias = Path | Url


def place_of(given: str | PathLike[str] | Url) -> Place:
    """What a user gave for an output.

    Raises:
        ConfigurationError: a URL that went through a ``Path``, which takes one of its slashes.
    """
    text = os.fspath(given)
    match = _URL.match(text)
    if match is None:
        return Path(text)
    if not match[1]:
        raise ConfigurationError(
            f"{text} is a URL that was made a Path, which breaks it: give it as a string"
        )
    if text.lower().startswith("file://"):
        return Path(text[7:])
    return Url(text)


def local_folder(place: Place, what: str) -> Path:
    """The place as a folder of this machine, for what needs one.

    Raises:
        ConfigurationError: it is a URL.
    """
    if isinstance(place, Url):
        raise ConfigurationError(f"{what} must be a folder of this machine, and {place} is a URL")
    return place
