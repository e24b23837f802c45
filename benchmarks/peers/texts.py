"""What is measured: documents for the sketches, folders of JSONL for the pipelines."""

from __future__ import annotations

import itertools
import json
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

import zstandard

from benchmarks.bench_ops import cjk
from benchmarks.corpus import build
from gpucurate.spec.bytesize import parse_bytes

FILES = 4
MAX_FILE_BYTES = 64_000_000


def corpus(folder: Path, size: str) -> Path:
    """The folder of a corpus of ``size``, built if it is not there; four files or more."""
    path = folder / f"corpus-{size}"
    if not (path / ".done").exists():
        shutil.rmtree(path, ignore_errors=True)
        nbytes = parse_bytes(size)
        build(path, nbytes, shard_size=min(MAX_FILE_BYTES, nbytes // FILES))
        (path / ".done").touch()
    return path


def corpus_bytes(path: Path) -> int:
    """Bytes of the JSONL files of a folder."""
    return sum(file.stat().st_size for file in path.glob("*.jsonl"))


def ascii_pages(path: Path) -> Iterator[str]:
    """The documents of a corpus that are ASCII."""
    for file in sorted(path.glob("*.jsonl")):
        with file.open("rb") as lines:
            yield from filter(str.isascii, (json.loads(line)["text"] for line in lines))


def in_languages(folder: Path, languages: set[str]) -> Iterator[str]:
    """The documents of a ground-truth data set in some languages, from each language in turn."""
    found: dict[str, list[str]] = {}
    for file in sorted(folder.glob("*.jsonl.zst")):
        with zstandard.open(file, "rt", encoding="utf-8") as lines:
            for record in map(json.loads, lines):
                if record["lang"] in languages:
                    found.setdefault(record["lang"], []).append(record["text"])
    in_turn = itertools.chain.from_iterable(itertools.zip_longest(*found.values()))
    return (text for text in in_turn if text is not None)


def head(documents: Iterable[str], nbytes: int) -> list[str]:
    """The first documents, until they hold ``nbytes`` of UTF-8 or there are no more."""
    found, total = [], 0
    for document in documents:
        found.append(document)
        total += len(document.encode())
        if total >= nbytes:
            break
    return found


def sketch_texts(folder: Path, truth_data: Path, size: str) -> dict[str, Path]:
    """Files of documents by the name of the text, each of about ``size``.

    Without the ground-truth data, characters drawn at random stand for Chinese and Japanese.
    """
    nbytes = parse_bytes(size)
    texts = {"ASCII pages": head(ascii_pages(corpus(folder, f"{2 * nbytes}B")), nbytes)}
    if truth_data.is_dir():
        pages = in_languages(truth_data / "docs-multilingual", {"zh", "ja", "ko"})
        texts["zh, ja, ko pages"] = head(pages, nbytes)
        texts["zh, ja prose"] = head(
            in_languages(truth_data / "scripture-multilingual", {"zh", "ja"}), nbytes
        )
    else:
        texts["random CJK"] = cjk(nbytes)
    return {name: _save(folder, name, documents) for name, documents in texts.items()}


def _save(folder: Path, name: str, documents: list[str]) -> Path:
    path = folder / f"texts-{name.replace(', ', '-').replace(' ', '-')}.jsonl"
    with path.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps({"text": document}) + "\n" for document in documents)
    return path
