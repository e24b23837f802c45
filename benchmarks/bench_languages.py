"""Recall of near-duplicates and speed of the sketch in languages of other scripts.

    python benchmarks/bench_languages.py [--truth-data ../shared/data] [--repeats 5]

Two kinds of pairs, their exact similarity by ``ops/jaccard``: versions of a page as they were
published (data set neardup-revisions: zh, ja, ko), and controlled edits, each a copy of a text in which
characters were exchanged for others of the same text (zh, ja, ko from the same set, ar and hi from
wiki-parallel-xquad). Counted are pairs of a similarity of 0.8 and more. Recall is by band keys, beside what
the S-curve promises for these very similarities.
Speed is of one core, from UTF-8 to band keys, medians of processor time, text repeated up to 8 MB.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import orjson
import zstandard

from gpucurate.frame.text import TextBuffers
from gpucurate.ops.jaccard import jaccard, shared_shingles
from gpucurate.ops.minhash import PRESETS, MinHashParams, band_keys, candidate_probability
from gpucurate.ops.normalize import normalize

LANGUAGES = ("zh", "ja", "ko", "ar", "hi")
LEAST = 0.8
SPEED_BYTES = 8_000_000
MOST_EDITS = 0.03
"""Of the characters of a text: five-character shingles of so many edits have a similarity of 0.75."""

Rows = npt.NDArray[np.uint32]


@dataclass(frozen=True, slots=True)
class Pairs:
    """Documents, and pairs of rows."""

    text: TextBuffers
    left: Rows
    right: Rows


@dataclass(frozen=True, slots=True)
class Found:
    """Pairs of ``LEAST`` and more, share of them that agree in a band key, and what the S-curve promises."""

    pairs: int
    recall: float
    curve: float


def read_texts(path: Path, language: str) -> list[tuple[str, str]]:
    """Text and cluster of the documents of a language."""
    packed = zstandard.ZstdDecompressor(max_window_size=1 << 27).decompressobj().decompress(path.read_bytes())
    documents = (orjson.loads(line) for line in packed.splitlines())
    return [(d["text"], d.get("cluster", d["id"])) for d in documents if d["lang"] == language]


def texts_of(truth: Path, language: str) -> list[tuple[str, str]]:
    """Text and cluster of the documents of the data set that has the language."""
    name = "wiki-parallel-xquad/paragraphs" if language in ("ar", "hi") else "neardup-revisions/docs"
    return read_texts(truth / f"{name}.jsonl.zst", language)


def revisions(documents: Sequence[tuple[str, str]]) -> Pairs:
    """Every two versions of a page."""
    rows: dict[str, list[int]] = {}
    for row, (_, cluster) in enumerate(documents):
        rows.setdefault(cluster, []).append(row)
    pairs = [(a, b) for versions in rows.values() for a in versions for b in versions if a < b]
    left, right = (np.array([pair[end] for pair in pairs], np.uint32) for end in (0, 1))
    return Pairs(TextBuffers.from_strings([text for text, _ in documents]), left, right)


def edits(documents: Sequence[tuple[str, str]], copies: int, seed: int = 0) -> Pairs:
    """Texts, each with ``copies`` copies in which up to ``MOST_EDITS`` of the characters are exchanged."""
    rng = np.random.default_rng(seed)
    texts, left = [], []
    for text, _ in documents:
        points = np.frombuffer(text.encode("utf-32-le"), np.uint32)
        left += [len(texts)] * copies
        texts.append(text)
        for _ in range(copies):
            changed = points.copy()
            places = rng.integers(0, len(points), rng.integers(1, max(2, int(MOST_EDITS * len(points)))))
            changed[places] = rng.choice(points, len(places))
            texts.append(changed.tobytes().decode("utf-32-le"))
    right = [row for row in range(len(texts)) if row % (copies + 1)]
    return Pairs(TextBuffers.from_strings(texts), np.array(left, np.uint32), np.array(right, np.uint32))


def measure(pairs: Pairs, params: MinHashParams) -> Found:
    """Recall of the sketch among the pairs of ``LEAST`` and more."""
    exact = jaccard(*shared_shingles(pairs.text, pairs.left, pairs.right, params))
    similar = exact >= LEAST
    keys, _ = band_keys(pairs.text, params)
    agree = (keys[pairs.left] == keys[pairs.right]).any(axis=1)[similar]
    curve = [candidate_probability(j, params.bands, params.rows) for j in exact[similar]]
    return Found(int(similar.sum()), float(agree.mean()), float(np.mean(curve)))


def speed(documents: Sequence[tuple[str, str]], params: MinHashParams, repeats: int) -> tuple[float, float]:
    """MB/s of text to band keys, as it is and normalised."""
    texts = [text for text, _ in documents]
    times = SPEED_BYTES // sum(len(text.encode()) for text in texts) + 1
    text = TextBuffers.from_strings(texts * times)

    def rate(*, normalized: bool) -> float:
        seconds = []
        for _ in range(repeats + 1):
            start = time.process_time()
            band_keys(normalize(text) if normalized else text, params)
            seconds.append(time.process_time() - start)
        return text.nbytes / 1e6 / statistics.median(seconds[1:])

    return rate(normalized=False), rate(normalized=True)


def kinds_of(language: str, documents: Sequence[tuple[str, str]]) -> Iterator[tuple[str, Pairs]]:
    """Name of each kind of pairs that there are of a language, and the pairs."""
    if language not in ("ar", "hi"):
        yield "revisions", revisions(documents)
        yield "edits", edits(documents[::2], copies=10)
    else:
        yield "edits", edits(documents, copies=20)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    default = Path(__file__).resolve().parents[2] / "shared" / "data"
    arguments.add_argument("--truth-data", type=Path, default=default)
    arguments.add_argument("--repeats", type=int, default=5)
    options = arguments.parse_args()
    if not options.truth_data.is_dir():
        print(f"no data sets in {options.truth_data}: give --truth-data")
        return
    shapes = {
        "5 characters, 16 x 8": MinHashParams(),
        "the same, `fss`": MinHashParams(rule="fss"),
        "`nemo`": PRESETS["nemo"].params,
        "`fineweb`": PRESETS["fineweb"].params,
    }
    print("| language | pairs | sketch | pairs >= 0.8 | S-curve | recall | MB/s | normalised |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for language in LANGUAGES:
        documents = texts_of(options.truth_data, language)
        speeds = {name: speed(documents, params, options.repeats) for name, params in shapes.items()}
        for kind, pairs in kinds_of(language, documents):
            for name, params in shapes.items():
                found, (raw, normal) = measure(pairs, params), speeds[name]
                figures = (
                    f"{found.pairs:,} | {found.curve:.3f} | {found.recall:.3f} | {raw:.0f} | {normal:.0f}"
                )
                print(f"| {language} | {kind} | {name} | {figures} |")


if __name__ == "__main__":
    main()
