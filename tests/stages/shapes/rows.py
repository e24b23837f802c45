"""Files of numbered documents, and stages over them."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from gpucurate import processing_stage
from gpucurate.stages.text.io.reader import JsonlReader, ParquetReader
from gpucurate.stages.text.io.writer import JsonlWriter, ParquetWriter
from gpucurate.tasks import DocumentBatch


def write_rows(folder: Path, layout: str, files: int = 4, rows: int = 25) -> Path:
    """Documents 0 to ``files * rows - 1`` with a text and a field that no test reads."""
    folder.mkdir(parents=True)
    for i in range(files):
        numbers = list(range(i * rows, (i + 1) * rows))
        texts = [f"document {n}" for n in numbers]
        if layout == "parquet":
            table = pa.table({"id": numbers, "text": texts, "raw": [b"\xff"] * rows})
            pq.write_table(table, folder / f"part-{i}.parquet")
        else:
            lines = [
                f'{{"id":  {n}, "text": {json.dumps(t)}, "raw": 1.50}}\n'
                for n, t in zip(numbers, texts, strict=True)
            ]
            (folder / f"part-{i}.jsonl").write_text("".join(lines))
    return folder


def reader(folder: Path, layout: str, **options):
    kind = ParquetReader if layout == "parquet" else JsonlReader
    return kind(folder, fields=["id", "text"], **{"files_per_partition": 1, **options})


def writer(folder: Path, layout: str, **options):
    return (ParquetWriter if layout == "parquet" else JsonlWriter)(folder, **options)


def read_rows(folder: Path) -> list[dict]:
    """What was written right beneath a folder, in order of the files' names."""
    found: list[dict] = []
    for path in sorted(folder.iterdir()) if folder.exists() else ():
        if path.suffix == ".parquet":
            found += pq.read_table(path).to_pylist()
        elif path.suffix == ".jsonl":
            found += map(json.loads, path.read_text().splitlines())
    return found


def ids(folder: Path) -> list[int]:
    return [row["id"] for row in read_rows(folder)]


def keep(name, wanted):
    """A filter by number, as a mask over the batch it is given."""
    return processing_stage(name=name, inputs=["id"])(
        lambda batch: batch.select([bool(wanted(n)) for n in batch.to_pyarrow()["id"].to_pylist()])
    )


def add(name, value):
    """A score of the number, in a column of the stage's name."""
    return processing_stage(name=name, inputs=["id"], outputs=[name])(
        lambda batch: batch.assign({name: [value(n) for n in batch.to_pyarrow()["id"].to_pylist()]})
    )


def own_frame(name, change, outputs=()):
    """A stage that makes a table of its own with pandas, as stages for NeMo Curator do."""
    return processing_stage(name=name, inputs=["id"], outputs=outputs)(
        lambda batch: DocumentBatch(batch.dataset_name, change(batch.to_pandas().copy()))
    )
