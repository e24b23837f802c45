"""Speed of the text operations on one core.

    python benchmarks/bench_ops.py [--megabytes 24] [--repeats 7]

Three corpora: ASCII pages (source and documentation of the Python that runs this), the same
pages with typographic quotes and accents, and Chinese and Japanese characters drawn at random.
Medians of processor time, which other programs disturb less than wall time; where datasketch is
installed, its MinHash over the same shingles beside ours.
"""

from __future__ import annotations

import argparse
import importlib.util
import statistics
import sysconfig
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from gpucurate.frame.text import TextBuffers
from gpucurate.ops.char_length import char_length
from gpucurate.ops.document_hash import document_hash
from gpucurate.ops.grouping import sort_pairs
from gpucurate.ops.minhash import PRESETS, MinHashParams, band_keys
from gpucurate.ops.normalize import normalize
from gpucurate.ops.union_find import hook_runs, new_parents
from gpucurate.ops.warm_up import is_warm, warm_up

WORDS_5 = MinHashParams(16, 8, "word", 5)
PEER_BYTES = 500_000


def pages(nbytes: int) -> list[str]:
    """ASCII pages of 1 to 100 KB, repeated until there are enough."""
    found, total = [], 0
    for path in sorted(Path(sysconfig.get_paths()["stdlib"]).rglob("*.py")):
        content = path.read_bytes()
        if content.isascii() and 1000 < len(content) < 100_000:
            found.append(content.decode())
            total += len(content)
        if total >= nbytes:
            break
    return (found * (nbytes // total + 1))[: max(1, len(found) * nbytes // total)]


def mixed(documents: list[str]) -> list[str]:
    """The pages with typographic quotes and an accent on each e that ends a word."""
    return [d.replace("'", "\u2019").replace("e ", "\u00e9 ") for d in documents]


def cjk(nbytes: int) -> list[str]:
    """Documents of 1,500 Chinese and Japanese characters, some of them much more common than others."""
    rng = np.random.default_rng(0)
    ranks = np.minimum(rng.zipf(1.3, nbytes // 3), 0x5000)
    points = np.where(rng.random(len(ranks)) < 0.3, 0x3041 + ranks % 86, 0x4E00 + ranks)
    text = "".join(map(chr, points))
    return [text[i : i + 1500] for i in range(0, len(text), 1500)]


def rate(operation: Callable[[], object], amount: float, repeats: int) -> float:
    """Amount a second of processor time, median."""
    seconds = []
    operation()
    for _ in range(repeats):
        start = time.process_time()
        operation()
        seconds.append(time.process_time() - start)
    return amount / statistics.median(seconds)


def operations(text: TextBuffers) -> Iterator[tuple[str, Callable[[], object]]]:
    """Name and call of each operation over text."""
    yield "char_length", lambda: char_length(text)
    yield "document_hash", lambda: document_hash(text)
    yield "normalize", lambda: normalize(text)
    yield "band_keys char-5 16x8", lambda: band_keys(text, MinHashParams())
    yield "normalize + band_keys char-5 16x8", lambda: band_keys(normalize(text), MinHashParams())
    yield "band_keys char-24 20x13 (nemo)", lambda: band_keys(text, PRESETS["nemo"].params)
    yield "band_keys word-5 16x8", lambda: band_keys(text, WORDS_5)
    yield "band_keys word-5 14x8 (fineweb)", lambda: band_keys(text, PRESETS["fineweb"].params)


def datasketch_rate(documents: list[str]) -> float:
    """Bytes a second of datasketch, 5-character shingles, 128 permutations."""
    from datasketch import MinHash

    head, total = [], 0
    for document in documents:
        head.append(document)
        total += len(document.encode())
        if total >= PEER_BYTES:
            break

    def sketch() -> None:
        for document in head:
            shingles = {document[i : i + 5].encode() for i in range(len(document) - 4)}
            MinHash(num_perm=128).update_batch(list(shingles))

    return rate(sketch, total, 3)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    arguments.add_argument("--megabytes", type=int, default=24)
    arguments.add_argument("--repeats", type=int, default=7)
    options = arguments.parse_args()
    start, was_warm = time.perf_counter(), is_warm()
    warm_up()
    print(f"kernels {'loaded' if was_warm else 'compiled'} in {time.perf_counter() - start:.1f} s\n")

    ascii_pages = pages(options.megabytes * 1_000_000)
    corpora = {"ASCII": ascii_pages, "mixed": mixed(ascii_pages), "CJK": cjk(options.megabytes * 1_000_000)}
    texts = {name: TextBuffers.from_strings(documents) for name, documents in corpora.items()}
    for name, text in texts.items():
        print(f"{name}: {len(text):,} documents, {text.nbytes / 1e6:.1f} MB")
    table: dict[str, list[float]] = {}
    for text in texts.values():
        for operation, call in operations(text):
            table.setdefault(operation, []).append(rate(call, text.nbytes / 1e6, options.repeats))
    print(f"\n{'MB/s, one core':36}" + "".join(f"{name:>9}" for name in texts))
    for operation, rates in table.items():
        print(f"{operation:36}" + "".join(f"{r:9,.0f}" for r in rates))
    if importlib.util.find_spec("datasketch"):
        peer = [datasketch_rate(documents) / 1e6 for documents in corpora.values()]
        ours = table["band_keys char-5 16x8"]
        print(f"{'datasketch char-5 K=128':36}" + "".join(f"{r:9.2f}" for r in peer))
        print(
            f"{'  ours is faster by':36}" + "".join(f"{a / b:8.0f}x" for a, b in zip(ours, peer, strict=True))
        )
    print_pairs(options.repeats)


def print_pairs(repeats: int, count: int = 4_000_000) -> None:
    """Sorting and joining of random keys of which many are equal."""
    rng = np.random.default_rng(0)
    keys, ids = rng.integers(0, 2**64, count, np.uint64), np.arange(count, dtype=np.uint32)
    keys[: count // 2] = keys[count // 2 : 2 * (count // 2)]
    scratch = np.empty_like(keys), np.empty_like(ids)
    found = tuple(a.copy() for a in sort_pairs(keys.copy(), ids.copy(), *scratch))
    millions = count / 1e6
    sorting = rate(lambda: sort_pairs(keys.copy(), ids.copy(), *scratch), millions, repeats)
    joining = rate(lambda: hook_runs(*found, new_parents(count)), millions, repeats)
    print(f"\nsort_pairs {sorting:.0f} million pairs/s, hook_runs {joining:.0f} million pairs/s")


if __name__ == "__main__":
    main()
