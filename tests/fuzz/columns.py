"""Parquet with bytes that are others: nothing but rows and rejects comes of it.

    python -m tests.fuzz.columns SEED COUNT

reads so many such files in a process of its own, which a fault of the decoder may end.
"""

from __future__ import annotations

import random
import resource
import sys
import tempfile
from pathlib import Path

import pyarrow as pa

from gpucurate.spec.errors import GpucurateError
from tests.input_classes.declared import parquet
from tests.io.reading import read

_MOST_MEMORY = 8 * 2**30
_TEXTS = [f"row {i} \u00e9" * (i % 5) for i in range(40)]
_COLUMNS = {
    "text": _TEXTS,
    "id": list(range(40)),
    "tags": [[str(i)] * (i % 3) for i in range(40)],
    "meta": [{"a": i, "b": None} for i in range(40)],
    "kind": pa.array(["x", "y"] * 20).dictionary_encode(),
}
SEEDS = [
    parquet(_COLUMNS, row_group_size=16, compression="none"),
    parquet(_COLUMNS, row_group_size=16, compression="zstd", write_page_checksum=True),
    parquet(_COLUMNS, compression="snappy", data_page_version="2.0", use_dictionary=False),
    parquet({"text": pa.array(_TEXTS, pa.large_string())}, compression="gzip"),
]


def check_parquet(content: bytes) -> None:
    """Read bytes as a file of Parquet: an error of ours is as good as rows.

    Raises:
        AssertionError: what was read does not add up.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.parquet"
        path.write_bytes(content)
        try:
            outcome = read(path, 2**12)
        except GpucurateError:
            return
        for text in outcome.texts:
            text.encode()


def mutated(made: random.Random) -> bytes:
    """One of the seeds with up to eight bytes or ends that are others."""
    content = bytearray(made.choice(SEEDS))
    footer = len(content) - int.from_bytes(content[-8:-4], "little") - 8
    for _ in range(made.randint(1, 8)):
        # Half of them in the footer, where a byte says most.
        low = footer if made.random() < 0.5 else 0
        at = made.randrange(low, len(content))
        kind = made.random()
        if kind < 0.8:
            content[at] = made.choice((0, 1, 0x7F, 0x80, 0xFF, made.randrange(256)))
        elif kind < 0.9:
            del content[at : at + made.randint(1, 16)]
        else:
            content[at:at] = made.randbytes(made.randint(1, 16))
        footer = min(footer, len(content) - 1)
    return bytes(content)


def main() -> None:
    """Read ``COUNT`` files of ``SEED``, and say which one is being read."""
    seed, count = map(int, sys.argv[1:])
    resource.setrlimit(resource.RLIMIT_AS, (_MOST_MEMORY, _MOST_MEMORY))
    for number in range(count):
        print(f"{seed + number}", flush=True)
        check_parquet(mutated(random.Random(seed + number)))


if __name__ == "__main__":
    main()
