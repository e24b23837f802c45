"""Text for the benchmark: a corpus of web-like lengths, and columns of it on the device.

    python -m benchmarks.gpu.text FOLDER --size 8GB

Words are those of the Python sources on this machine, as often as they occur there, with some that are not
ASCII, in phrases of three to six; bytes of a document are lognormal (median 2.2 KB, mean 5 KB), as on the
web. A fifth of the documents are copies of earlier ones of the same file with up to a tenth of their phrases
exchanged. The same machine and size give the same bytes. Each file is written twice: as JSON lines, and as
Parquet with zstd.
"""

from __future__ import annotations

import argparse
import re
import sysconfig
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from gpucurate.backends.cores import usable_cores
from gpucurate.frame.device_table import text_to_device
from gpucurate.frame.text import TextBuffers
from gpucurate.spec.bytesize import parse_bytes

SOURCE_BYTES = 4_000_000
MEDIAN_BYTES, SIGMA, MOST_BYTES = 2200, 1.28, 1_000_000
COPIES, MOST_EXCHANGED = 0.2, 0.1
FOREIGN = ("naïve", "café", "“quoted”", "—", "Größe", "данные", "日本語", "\U0001f600")
PHRASES = 1 << 17
ROW_GROUP_BYTES = 16_000_000


@cache
def phrases() -> list[bytes]:
    """Three to six words of the Python sources on this machine each, a space or line end behind every word.

    Raises:
        RuntimeError: there are none.
    """
    counts: Counter[bytes] = Counter()
    total = 0
    for path in sorted(Path(sysconfig.get_paths()["stdlib"]).rglob("*.py")):
        content = path.read_bytes()
        if content.isascii():
            counts.update(re.findall(rb"[^\s\x00-\x1f]{1,40}", content))
            total += len(content)
        if total > SOURCE_BYTES:
            break
    if not counts:
        raise RuntimeError("no Python sources on this machine to take words from")
    counts.update({word.encode(): max(1, total // 40_000) for word in FOREIGN})
    words = list(counts)
    rng, sums = np.random.default_rng(0), np.cumsum(list(counts.values()))
    drawn = iter(np.searchsorted(sums, rng.integers(sums[-1], size=6 * PHRASES), side="right").tolist())
    sizes, ends = rng.integers(3, 7, size=PHRASES).tolist(), rng.random(6 * PHRASES) < 1 / 12
    spaces = iter(np.where(ends, 10, 32).astype(np.uint8).tobytes().decode("ascii"))
    return [b"".join(words[next(drawn)] + next(spaces).encode() for _ in range(size)) for size in sizes]


def documents(nbytes: int, seed: int) -> Iterator[str]:
    """Texts of about so many bytes in all."""
    table, rng, made = phrases(), np.random.default_rng(seed), 0
    mean = sum(map(len, table)) / len(table)
    earlier: list[npt.NDArray[np.int64]] = []
    while made < nbytes:
        if earlier and rng.random() < COPIES:
            chosen = earlier[int(rng.integers(len(earlier)))].copy()
            places = rng.integers(len(chosen), size=int(len(chosen) * rng.random() * MOST_EXCHANGED))
            chosen[places] = rng.integers(PHRASES, size=len(places))
        else:
            size = min(float(rng.lognormal(np.log(MEDIAN_BYTES), SIGMA)), MOST_BYTES, nbytes)
            chosen = rng.integers(PHRASES, size=max(2, int(size / mean)))
            earlier.append(chosen)
        raw = b"".join([table[phrase] for phrase in chosen.tolist()])
        made += len(raw)
        yield raw[:-1].decode()


def write_part(folder: Path, number: int, nbytes: int) -> int:
    """Write one file of the corpus in both formats; the bytes of the JSON lines."""
    name, ids, texts, written = f"part-{number:05d}", [], [], 0
    with (folder / "jsonl" / f"{name}.jsonl").open("wb") as lines:
        for count, text in enumerate(documents(nbytes, number)):
            record = {"id": f"{number}-{count}", "text": text}
            ids.append(record["id"])
            texts.append(text)
            written += lines.write(orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE))
    columns = [pa.array(ids, pa.string()), pa.array(texts, pa.string())]
    rows = max(1, len(ids) * ROW_GROUP_BYTES // max(written, 1))
    target = folder / "parquet" / f"{name}.parquet"
    pq.write_table(pa.Table.from_arrays(columns, ["id", "text"]), target, rows, compression="zstd")
    return written


def build(folder: Path, nbytes: int, part_bytes: int, workers: int) -> int:
    """Write the corpus, unless it is there; bytes of its JSON lines."""
    done = folder / f"done-{nbytes}-{part_bytes}"
    if not done.exists():
        for name in ("jsonl", "parquet"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        count = max(1, round(nbytes / part_bytes))
        phrases()  # once, for the processes that are forked
        with ProcessPoolExecutor(workers) as pool:
            written = sum(
                pool.map(write_part, [folder] * count, range(count), [nbytes // count] * count, chunksize=1)
            )
        done.write_text(str(written))
    return int(done.read_text())


def parts(folder: Path, format: str, nbytes: int | None = None) -> list[Path]:
    """The first files of a format that have so many bytes of JSON lines together; all if None."""
    chosen, total = [], 0
    for path in sorted((folder / format).glob(f"part-*.{format}")):
        if nbytes is not None and total >= nbytes:
            break
        chosen.append(path)
        total += (folder / "jsonl" / f"{path.stem}.jsonl").stat().st_size
    return chosen


def column_on_host(folder: Path, nbytes: int) -> TextBuffers:
    """Text of about so many bytes, at most what the corpus has."""
    tables = [pq.read_table(path, columns=["text"]) for path in parts(folder, "parquet", nbytes)]
    column = pa.concat_tables(tables).column("text").cast(pa.large_string())
    text = TextBuffers.from_arrow(column)
    rows = int(np.searchsorted(text.offsets, nbytes, side="right"))
    return TextBuffers(text.data, text.offsets[: max(2, rows)])


def column_on_device(folder: Path, nbytes: int) -> TextBuffers:
    """The same, on the current device."""
    return text_to_device(column_on_host(folder, nbytes))


def lines_on_host(folder: Path, nbytes: int) -> npt.NDArray[np.uint8]:
    """JSON lines of about so many bytes, whole lines."""
    joined = np.concatenate([np.fromfile(path, np.uint8) for path in parts(folder, "jsonl", nbytes)])
    ends = np.flatnonzero(joined == 10)
    last = ends[max(0, int(np.searchsorted(ends, nbytes)) - 1)]
    return cast(npt.NDArray[np.uint8], joined[: last + 1])


def main() -> None:
    """Build a corpus."""
    description = str(__doc__).partition("\n")[0]
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu.text", description=description)
    option: Any = parser.add_argument
    option("folder", type=Path)
    option("--size", type=parse_bytes, default=parse_bytes("1GB"), help="bytes of JSON lines")
    option("--part", type=parse_bytes, default=parse_bytes("64MB"), help="of each file")
    arguments = parser.parse_args()
    written = build(arguments.folder, arguments.size, arguments.part, usable_cores())
    print(f"{written:,} bytes of JSON lines in {arguments.folder}")


if __name__ == "__main__":
    main()
