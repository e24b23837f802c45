"""Build a text corpus of any size from what is found on the machine.

    python -m benchmarks.corpus OUT --size 1GB
    python -m benchmarks.corpus OUT --size 200MB --format jsonl.zst --single-file

The harvest comes first, as it is. Beyond it, passes over the harvest add near-duplicates
with a known rate of edits (``--near-duplicates``, their share) and new documents put together
from pieces of many. The same machine, arguments and seed give the same bytes. Memory does
not grow with the size.

Records: ``id``, ``text``, ``source``, ``kind``. Ids tell the truth about duplicates:
``h-KEY`` was harvested, ``n-KEY-PASS-RATE`` is a near-duplicate of ``h-KEY`` with RATE per
mille of its words exchanged, ``r-KEY-PASS`` was recombined.
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import random
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any, cast

import orjson

from benchmarks.harvest import Root, harvest
from benchmarks.shards import FORMATS, Record, open_shard
from benchmarks.variation import EDIT_RATES, Recombiner, near_duplicate
from gpucurate.spec.bytesize import format_bytes, parse_bytes


@dataclass(slots=True)
class Corpus:
    """What was built: its files, documents, and bytes as plain JSONL; of these, as found."""

    files: list[Path]
    documents: int = 0
    nbytes: int = 0
    harvested: int = 0
    harvested_bytes: int = 0


def build(
    out: Path,
    size: int,
    *,
    format: str = "jsonl",
    shard_size: int = 64_000_000,
    single_file: bool = False,
    near_duplicates: float = 0.2,
    harvest_only: bool = False,
    seed: int = 0,
    places: list[Root] | None = None,
) -> Corpus:
    """Write a corpus of ``size`` bytes of JSONL (before compression) into ``out``.

    With ``harvest_only``, the corpus ends where the harvest does, even before that size.
    ``places`` are harvested instead of this machine's own folders.

    Raises:
        FileExistsError: ``out`` holds something already.
        RuntimeError: there is no text on this machine.
    """
    out.mkdir(parents=True, exist_ok=True)
    if any(out.iterdir()):
        raise FileExistsError(f"{out} is not empty: choose another folder, or empty it")
    corpus = Corpus([])
    shard = None
    with tempfile.TemporaryFile() as spool:
        for record, line in _records(spool, seed, near_duplicates, places):
            if harvest_only and not record["id"].startswith("h-"):
                break
            if shard is None or (shard.nbytes >= shard_size and not single_file):
                if shard:
                    shard.close()
                corpus.files.append(out / f"part-{len(corpus.files):05d}.{format}")
                shard = open_shard(corpus.files[-1], format)
            shard.add(record, line)
            corpus.documents += 1
            corpus.nbytes += len(line)
            if record["id"].startswith("h-"):
                corpus.harvested += 1
                corpus.harvested_bytes += len(line)
            if corpus.nbytes >= size:
                break
    if shard is None:
        raise RuntimeError("no text was found on this machine: no documentation, no Python packages")
    shard.close()
    return corpus


def _records(
    spool: IO[bytes], seed: int, near_duplicates: float, places: list[Root] | None
) -> Iterator[tuple[Record, bytes]]:
    """Records without end (unless nothing is found), each with its line."""
    found = 0
    for document in harvest(seed, places):
        key = hashlib.blake2b(document.source.encode(), digest_size=8).hexdigest()
        record = {"id": f"h-{key}", **asdict(document)}
        line = orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE)
        spool.write(line)
        found += 1
        yield record, line
    for number in itertools.count(1) if found else ():
        rng = random.Random(f"{seed}:{number}")
        recombine = Recombiner(rng)
        spool.seek(0)
        for line in spool:
            record = orjson.loads(line)
            key = record["id"].removeprefix("h-")
            if rng.random() < near_duplicates:
                rate = rng.choice(EDIT_RATES)
                record["id"] = f"n-{key}-{number}-{round(1000 * rate)}"
                record["text"] = near_duplicate(record["text"], rate, rng)
            else:
                record["id"] = f"r-{key}-{number}"
                record["text"] = recombine(record["text"])
            yield record, orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE)


def main(arguments: list[str] | None = None) -> None:
    description, _, _ = cast(str, __doc__).partition("\n")
    parser = argparse.ArgumentParser(prog="python -m benchmarks.corpus", description=description)
    option: Any = parser.add_argument
    option("out", type=Path)
    option("--size", type=parse_bytes, default=parse_bytes("100MB"), help="JSONL bytes before compression")
    option("--format", choices=FORMATS, default="jsonl")
    option("--shard-size", type=parse_bytes, default=parse_bytes("64MB"))
    option("--single-file", action="store_true", help="one file, however large")
    option("--near-duplicates", type=float, default=0.2, metavar="SHARE", help="beyond the harvest (0.2)")
    option("--harvest-only", action="store_true", help="only what is found, even short of --size")
    option("--seed", type=int, default=0)
    corpus = build(**vars(parser.parse_args(arguments)))
    print(
        f"{corpus.documents} documents, {format_bytes(corpus.nbytes)}, in {len(corpus.files)} files; "
        f"as found on this machine: {corpus.harvested} documents, {format_bytes(corpus.harvested_bytes)}"
    )


if __name__ == "__main__":
    main()
