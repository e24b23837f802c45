"""The programs that are run beside gpucurate's commands."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Contest:
    """A peer's program and the command of ours that does the same.

    Attributes:
        peer: name of its environment.
        title: what it is, after the peer's name.
        module: that runs in the peer's environment: INPUT OUTPUT, then ``arguments``.
        arguments: after them, ``{cores}`` replaced.
        ours: arguments of gpucurate.
        size: of the corpus, ``small``, ``medium`` or ``large``: what the peer can take.
        remark: what it does not do, or does otherwise.
    """

    peer: str
    title: str
    module: str
    arguments: tuple[str, ...]
    ours: tuple[str, ...]
    size: str
    remark: str


CHARACTERS = ("dedup", "fuzzy")
WORDS = (*CHARACTERS, "--shingle", "word", "--ngram", "5")
FINEWEB = (*CHARACTERS, "--preset", "fineweb")
EXACT = ("dedup", "exact")

FUZZY = (
    Contest(
        "datasketch",
        "MinHash, MinHashLSH",
        "benchmarks.peer_datasketch",
        ("{cores}",),
        CHARACTERS,
        "medium",
        "5 characters normalised, 16 x 8; keeps what finds no earlier candidate: no clusters; all in memory",
    ),
    Contest(
        "rensa",
        "RMinHash, RMinHashLSH",
        "benchmarks.peers.pipeline_rensa",
        ("{cores}",),
        CHARACTERS,
        "medium",
        "the same as datasketch's",
    ),
    Contest(
        "rensa",
        "flat hashes by numpy, Python sets",
        "benchmarks.peers.pipeline_rensa",
        ("{cores}", "--hashes"),
        CHARACTERS,
        "large",
        "the same; most of it is not rensa: numpy hashes shingles, a set a band stands for the index",
    ),
    Contest(
        "text-dedup",
        "text_dedup.minhash",
        "benchmarks.peers.pipeline_textdedup",
        ("{cores}",),
        WORDS,
        "small",
        r"5 words between \W in lower case, 16 x 8; clusters by union-find; saves Arrow, then JSONL",
    ),
    Contest(
        "datatrove",
        "four stages",
        "benchmarks.peers.pipeline_datatrove",
        ("{cores}",),
        FINEWEB,
        "small",
        "5 words by spaCy after its own normalisation, 14 x 8; union-find; below 5 words no signature",
    ),
)
EXACT_CONTESTS = (
    Contest(
        "polars",
        "unique, any kept, any order",
        "benchmarks.peers.exact_polars",
        (),
        EXACT,
        "large",
        "compares whole texts; any of the copies survives; all distinct texts in memory",
    ),
    Contest(
        "polars",
        "unique, first kept, in order",
        "benchmarks.peers.exact_polars",
        ("--ordered",),
        EXACT,
        "large",
        "compares whole texts; all distinct texts in memory",
    ),
    Contest(
        "duckdb",
        "SELECT DISTINCT ON",
        "benchmarks.peers.exact_duckdb",
        ("{cores}",),
        EXACT,
        "large",
        "compares whole texts; any of the copies survives; spills to disk if it must",
    ),
)
NEMO_CURATOR = (
    "nemo-curator 1.4.0: not run. Its exact and fuzzy deduplication import cuDF and RMM and need a CUDA "
    "device; there is no path for the CPU"
)
