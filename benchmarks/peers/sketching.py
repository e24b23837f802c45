"""Time the ways in which one library turns documents into MinHash signatures.

Runs in each peer's own environment, so it imports the standard library only. A module ``sketch_NAME`` hands
its variants to ``main``:

    python -m benchmarks.peers.sketch_rensa TEXTS.jsonl --shingle char --seconds 3

Each variant prints one line of JSON: its name, a remark, and the megabytes a second of each pass.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

NGRAM, BANDS, ROWS = 5, 16, 8
PERMUTATIONS = BANDS * ROWS
MAX_PASSES = 7
WARM_UP_DOCUMENTS = 20


@dataclass(frozen=True, slots=True)
class Task:
    """What is to be sketched: K=128, n-grams of 5.

    Attributes:
        shingle: ``char`` or ``word``.
        normalize: whether text becomes lower case and its white space collapses first.
    """

    shingle: str
    normalize: bool

    def texts(self, documents: list[str]) -> Iterator[str]:
        """The documents, normalised if that is asked for."""
        return (" ".join(d.lower().split()) for d in documents) if self.normalize else iter(documents)


@dataclass(frozen=True, slots=True)
class Variant:
    """One way to sketch.

    Attributes:
        name: of the calls.
        sketch: sketches all documents once and keeps nothing.
        remark: what of this is unlike the others.
        full_set: whether every shingle counts.
        by_hand: whether the user makes the shingles, or their hashes, with numpy.
        prepare: what is done to the documents before the clock starts.
    """

    name: str
    sketch: Callable[[Any], None]
    remark: str = ""
    full_set: bool = True
    by_hand: bool = False
    prepare: Callable[[list[str]], Any] = lambda documents: documents


def main(variants: Callable[[Task], list[Variant]]) -> None:
    """Read the arguments and the documents, time every variant, print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("texts", type=Path)
    parser.add_argument("--shingle", choices=["char", "word"], default="char")
    parser.add_argument("--normalize", action="store_true")
    parser.add_argument("--seconds", type=float, default=3.0, help="of a variant, one pass at least")
    options = parser.parse_args()
    with options.texts.open(encoding="utf-8") as file:
        documents = [json.loads(line)["text"] for line in file]
    for variant in variants(Task(options.shingle, options.normalize)):
        rates = passes(variant, documents, options.seconds)
        described = {key: getattr(variant, key) for key in ("name", "remark", "full_set", "by_hand")}
        print(json.dumps({**described, "rates": rates}), flush=True)


def passes(variant: Variant, documents: list[str], seconds: float) -> list[float]:
    """Megabytes of text a second of processor time, each pass over the documents."""
    megabytes = sum(len(document.encode()) for document in documents) / 1e6
    variant.sketch(variant.prepare(documents[:WARM_UP_DOCUMENTS]))
    prepared = variant.prepare(documents)
    rates: list[float] = []
    spent = 0.0
    while not rates or (spent < seconds and len(rates) < MAX_PASSES):
        began = time.process_time()
        variant.sketch(prepared)
        took = time.process_time() - began
        rates.append(megabytes / took)
        spent += took
    return rates


def char_shingles(text: str) -> Iterator[str]:
    """All 5-grams of characters; the text itself if it is shorter.

    Of the ways to write this in Python, the fastest for every peer (slices take a third longer).
    """
    return map("".join, _windows(text)) if len(text) >= NGRAM else iter([text])


def word_shingles(text: str) -> Iterator[str]:
    """All 5-grams of what stands between white space; all of it if there are fewer."""
    words = text.split()
    return map(" ".join, _windows(words)) if len(words) >= NGRAM else iter([" ".join(words)])


def _windows(parts: Sequence[str]) -> Iterator[tuple[str, ...]]:
    return zip(*(parts[i:] for i in range(NGRAM)), strict=False)


def shingles(task: Task) -> Callable[[str], Iterator[str]]:
    """The function that cuts a text into the task's shingles."""
    return char_shingles if task.shingle == "char" else word_shingles
