"""Real text found on the machine itself: documentation, licences, manual pages, Python sources.

Full of near-duplicates, as the web is: one licence in a hundred packages, one manual page
in a dozen versions and languages, one module vendored five times over.
"""

from __future__ import annotations

import gzip
import itertools
import os
import random
import re
import site
import sys
import sysconfig
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

MIN_CHARS, MAX_CHARS = 200, 200_000
TEXT_SUFFIXES = {".txt", ".md", ".rst", ".tex", ".org", ".adoc", ".pod"}
TEXT_NAMES = (
    "license",
    "licence",
    "copying",
    "copyright",
    "readme",
    "news",
    "changelog",
    "authors",
    "notice",
)
SKIPPED_FOLDERS = {"__pycache__", "site-packages", "node_modules", ".git"}


@dataclass(frozen=True, slots=True)
class Document:
    """One text and where it was found.

    Attributes:
        source: its root's label and the path below it, such as ``man/man1/ls.1.gz``.
        kind: ``doc``, ``licence``, ``man`` or ``python``.
        text: what it says, markup of manual pages removed; MIN_CHARS to MAX_CHARS characters.
    """

    source: str
    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Root:
    """A folder to look into and the name that stands for it."""

    label: str
    folder: Path


def roots() -> list[Root]:
    """The folders of this machine that hold text, those that exist."""
    shares = dict.fromkeys(Path(prefix) / "share" for prefix in ("/usr", "/usr/local", sys.base_prefix))
    packages = dict.fromkeys(map(Path, [sysconfig.get_path("purelib"), *site.getsitepackages()]))
    found = [Root(label, share / label) for share in shares for label in ("doc", "man")]
    found += [Root("packages", folder) for folder in packages]
    found.append(Root("python", Path(sysconfig.get_path("stdlib"))))
    return [root for root in found if root.folder.is_dir()]


def harvest(seed: int = 0, places: list[Root] | None = None) -> Iterator[Document]:
    """The texts of this machine, in an order that only the seed and the files decide.

    The order is shuffled and takes the kinds in turn, so that the first megabytes are a sample
    of all, however many manual pages one program has. One document is in memory at a time.
    """
    by_kind: dict[str, list[tuple[str, Path]]] = {}
    for root in places or roots():
        for path in _files(root.folder):
            if kind := _kind(path, root.label):
                source = f"{root.label}/{path.relative_to(root.folder).as_posix()}"
                by_kind.setdefault(kind, []).append((source, path))
    rng = random.Random(seed)
    for kind in sorted(by_kind):
        by_kind[kind].sort()
        rng.shuffle(by_kind[kind])
    for turn in itertools.zip_longest(
        *([(kind, *file) for file in by_kind[kind]] for kind in sorted(by_kind))
    ):
        for kind, source, path in filter(None, turn):
            text = _text(path, kind)
            if text and len(text) >= MIN_CHARS:
                yield Document(source, kind, text)


def _files(folder: Path) -> Iterator[Path]:
    for base, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name not in SKIPPED_FOLDERS]
        for name in names:
            path = Path(base, name)
            if not path.is_symlink():
                yield path


def _kind(path: Path, label: str) -> str | None:
    name = path.name.lower().removesuffix(".gz")
    if label == "man":
        return "man"
    if name.endswith(".py"):
        return "python"
    if name.startswith(("license", "licence", "copying", "copyright")):
        return "licence"
    if Path(name).suffix in TEXT_SUFFIXES or name == "metadata" or name.startswith(TEXT_NAMES):
        return "doc"
    return None


def _text(path: Path, kind: str) -> str | None:
    """The file's text, or None where it is no UTF-8 text or cannot be read."""
    limit = 4 * MAX_CHARS
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            raw = file.read(limit + 1)
        text = raw.decode("utf-8-sig")
    except (OSError, EOFError, zlib.error, UnicodeDecodeError):
        return None
    if len(raw) > limit or "\0" in text:
        return None
    return (_without_troff(text) if kind == "man" else text)[:MAX_CHARS].strip()


_TROFF_ESCAPE = re.compile(r"\\(?:f(?:\[[^\]]*\]|\(..|.)|s[+-]?\d+|\*(?:\[[^\]]*\]|\(..|.)|[&|^/,%:])")
_TROFF_COMMAND = re.compile(r"^[.'][ \t]*\w*[ \t]*")
_TROFF_SETUP = re.compile(r"[.'][ \t]*(?:[\\.]|(?:TH|Dd|Dt|Os|so|ds|de|nr|ie|el|if|ft|ad|hy|nh|tr|rm|ig)\b)")


def _without_troff(text: str) -> str:
    lines = (line for line in text.split("\n") if not _TROFF_SETUP.match(line))
    plain = "\n".join(_TROFF_COMMAND.sub("", line) for line in lines)
    return (
        _TROFF_ESCAPE.sub("", plain)
        .replace("\\-", "-")
        .replace("\\ ", " ")
        .replace("\\(aq", "'")
        .replace("\\e", "\\")
    )
