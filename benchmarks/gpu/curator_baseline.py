"""Fuzzy deduplication in NeMo Curator's order of stages, by stock cuDF calls, with Parquet between stages.

    python -m benchmarks.gpu.curator_baseline OUT FORMAT FILE...

It stands in for NeMo Curator where that cannot be installed; it is not its code. The order is that of its
1.x workflow (its documentation of fuzzy deduplication): signatures, buckets by bands, edges, components, ids
to remove, and the removal, which reads the text again. Its parameters, too: 24 characters, K = 260 as 20 x
13, seed 42, blocks of 1 GiB, five bands an iteration, raw text. Where a choice was open the cheaper one was
taken, so that figures do not flatter ours: bands are hashed to numbers rather than strings, edges of a bucket
form a star, and processes, schedulers and shuffles between them are absent. cuGraph, which it uses for
components, is replaced by joins that hook each root under the smallest neighbour.

Calls: ``cudf.read_json``, ``read_parquet``, ``Series.str.minhash``, ``Series.list.get``,
``DataFrame.hash_values``, ``groupby.agg``, ``merge``, ``drop_duplicates``, ``Series.isin``, ``to_parquet``,
``to_json``.
"""

from __future__ import annotations

import json
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cudf

from benchmarks.gpu.cudf_minhash import use_pool
from gpucurate.ops.minhash import PRESETS

PARAMS = PRESETS["nemo"].params
BLOCK_BYTES = 1 << 30
BANDS_PER_ITERATION = 5
ID, SIGNATURE, BUCKET = "id_of_run", "signature", "bucket"


class Baseline:
    """One run.

    Args:
        output: folder; ``cache`` in it is where stages hand over.
        format: ``jsonl`` or ``parquet``.
        files: the input.

    Attributes:
        stages: seconds of each.
        kept: documents.
    """

    def __init__(self, output: Path, format: str, files: list[Path]) -> None:
        self.output, self.format, self.files = output, format, files
        self.cache = output / "cache"
        self.stages: dict[str, float] = {}
        self.kept = 0

    def run(self) -> None:
        """All stages, in order."""
        for stage in (self.minhash, self.buckets, self.edges, self.components, self.removal):
            (self.cache / stage.__name__).mkdir(parents=True, exist_ok=True)
            began = time.monotonic()
            stage()
            self.stages[stage.__name__] = time.monotonic() - began
        shutil.rmtree(self.cache)

    def minhash(self) -> None:
        """Signatures of every block, written with the ids."""
        multipliers, addends = PARAMS.permutations()
        a, b = cudf.Series(multipliers.copy()), cudf.Series(addends.copy())
        for number, frame in self._blocks(["text"]):
            values = frame["text"].str.minhash(seed=multipliers[0], a=a, b=b, width=PARAMS.ngram)
            made = cudf.DataFrame({ID: frame[ID], SIGNATURE: values})
            made.to_parquet(self._file("minhash", number), index=False)

    def buckets(self) -> None:
        """Documents that share the values of a band, five bands at a time, each time from the files."""
        for first in range(0, PARAMS.bands, BANDS_PER_ITERATION):
            signatures = self._read("minhash")
            for band in range(first, min(first + BANDS_PER_ITERATION, PARAMS.bands)):
                self._bucket(signatures, band)

    def _bucket(self, signatures: Any, band: int) -> None:
        values = signatures[SIGNATURE].list
        rows = range(band * PARAMS.rows, (band + 1) * PARAMS.rows)
        hashes = cudf.DataFrame({str(row): values.get(row) for row in rows}).hash_values(method="xxhash64")
        members = cudf.DataFrame({ID: signatures[ID], BUCKET: hashes})
        sizes = members.groupby(BUCKET).agg({ID: "count"}).reset_index()
        shared = sizes[sizes[ID] > 1][[BUCKET]]
        members.merge(shared, on=BUCKET).to_parquet(self._file("buckets", band), index=False)

    def edges(self) -> None:
        """Each member of a bucket with its first."""
        for path in self._files("buckets"):
            members = cudf.read_parquet(str(path))
            firsts = members.groupby(BUCKET).agg({ID: "min"}).reset_index()
            pairs = members.merge(firsts.rename(columns={ID: "first"}), on=BUCKET)
            pairs = pairs[pairs[ID] != pairs["first"]][[ID, "first"]].drop_duplicates()
            pairs.to_parquet(self._file("edges", int(path.stem)), index=False)

    def components(self) -> None:
        """Ids to remove: all of a component but the smallest."""
        edges = self._read("edges").rename(columns={ID: "one", "first": "other"})
        labels = components(edges)
        remove = labels[labels["node"] != labels["label"]][["node"]]
        remove.to_parquet(self._file("components", 0), index=False)

    def removal(self) -> None:
        """The text once more, without those ids."""
        remove = self._read("components")["node"]
        for number, frame in self._blocks(None):
            rest = frame[~frame[ID].isin(remove)].drop(columns=[ID])
            self.kept += len(rest)
            if self.format == "jsonl":
                target = str(self.output / f"{number:05d}.jsonl")
                rest.to_json(target, orient="records", lines=True, engine="cudf")
            else:
                rest.to_parquet(str(self.output / f"{number:05d}.parquet"), compression="zstd", index=False)

    def _blocks(self, columns: list[str] | None) -> Iterator[tuple[int, Any]]:
        """Frames of about a block of files each, with ids that count through the run."""
        rows = 0
        for number, files in enumerate(_grouped(self.files)):
            frame = self._frame(files, columns)
            first, rows = rows, rows + len(frame)
            frame[ID] = cudf.Series(range(first, rows), dtype="int64")
            yield number, frame

    def _frame(self, files: list[str], columns: list[str] | None) -> Any:
        if self.format == "parquet":
            return cudf.read_parquet(files, columns=columns)
        types = dict.fromkeys(columns or ["id", "text"], "str")
        return cudf.read_json(files, engine="cudf", lines=True, dtype=types, prune_columns=True)

    def _file(self, stage: str, number: int) -> str:
        return str(self.cache / stage / f"{number:05d}.parquet")

    def _files(self, stage: str) -> list[Path]:
        return sorted((self.cache / stage).glob("*.parquet"))

    def _read(self, stage: str) -> Any:
        return cudf.read_parquet([str(path) for path in self._files(stage)])


def components(edges: Any) -> Any:
    """Of each node of edges (``one``, ``other``) its ``label``: the smallest node of its component."""
    nodes = cudf.concat([edges["one"], edges["other"]]).drop_duplicates().reset_index(drop=True)
    labels = cudf.DataFrame({"node": nodes, "label": nodes})
    while len(edges):
        pointers = _hooked(edges)
        labels = _followed(labels, "label", pointers)
        edges = _followed(_followed(edges, "one", pointers), "other", pointers)
        edges = edges[edges["one"] != edges["other"]].drop_duplicates()
    return labels


def _hooked(edges: Any) -> Any:
    """Of each root the smallest root that is its neighbour or itself, followed to the end of the chain."""
    both = cudf.concat([edges, edges.rename(columns={"one": "other", "other": "one"})])
    least = both.groupby("one").agg({"other": "min"}).reset_index()
    lower = least[least["other"] < least["one"]]
    pointers = lower.rename(columns={"one": "root", "other": "parent"})
    while True:
        followed = _followed(pointers, "parent", pointers)
        if int(followed["parent"].sum()) == int(pointers["parent"].sum()):  # parents only fall
            return followed
        pointers = followed


def _followed(frame: Any, column: str, pointers: Any) -> Any:
    """The frame with a column of roots replaced by what they point at, if they do."""
    steps = pointers.rename(columns={"root": column, "parent": "next"})
    joined = frame.merge(steps, on=column, how="left")
    joined[column] = joined["next"].fillna(joined[column]).astype("int64")
    return joined.drop(columns=["next"])


def _grouped(files: list[Path]) -> Iterator[list[str]]:
    """Files of about a block together."""
    group, size = [], 0
    for path in files:
        group.append(str(path))
        size += path.stat().st_size
        if size >= BLOCK_BYTES:
            yield group
            group, size = [], 0
    if group:
        yield group


def main() -> None:
    """Run it, and print kept documents and seconds of the stages as JSON."""
    output, format, *files = sys.argv[1:]
    use_pool()
    baseline = Baseline(Path(output), format, list(map(Path, files)))
    baseline.run()
    print(json.dumps({"kept": baseline.kept, "stages": baseline.stages}))


if __name__ == "__main__":
    main()
