"""Classes of compressed JSON lines."""

from __future__ import annotations

import gzip
import random

import zstandard

from tests.input_classes.declared import SOME, BadFile, lines, texts


def _packed(number: int, codec: str, content: bytes, **expected: object) -> BadFile:
    return BadFile(number, f"late.jsonl.{codec}", content, **expected)  # type: ignore[arg-type]


def _random_lines() -> bytes:
    """Random text, so that a block holds few lines and most of the file is intact."""
    made = random.Random(1)
    return lines(*({"text": made.randbytes(40).hex()} for _ in range(2000)))


def _garbled() -> bytes:
    """A wrong checksum at the end."""
    whole = bytearray(zstandard.ZstdCompressor(write_checksum=True).compress(texts("sum", 50)))
    whole[-1] ^= 0xFF
    return bytes(whole)


def _window(log: int) -> bytes:
    parameters = zstandard.ZstdCompressionParameters(window_log=log)
    encoder = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    return encoder.compress(texts("window", 1)) + encoder.flush()


def zstd_of_zeros(blocks: int) -> bytes:
    """A frame of RFC 8878 that says so many times, in four bytes each: 128 KiB of zeros."""
    block, last = (
        bytes([*((1 << 17) << 3 | 1 << 1 | is_last).to_bytes(3, "little"), 0]) for is_last in (0, 1)
    )
    return b"\x28\xb5\x2f\xfd\x00\x38" + block * (blocks - 1) + last


_PACKED = gzip.compress(_random_lines(), mtime=0)

COMPRESSED: dict[str, BadFile] = {
    "truncated gzip": _packed(
        20, "gz", _PACKED[: len(_PACKED) // 2], rejects={"corrupt_file": 1}, says="ends within", kept=SOME
    ),
    "gzip with a wrong checksum": _packed(
        20,
        "gz",
        _PACKED[:-8] + bytes(4) + _PACKED[-4:],
        rejects={"corrupt_file": 1},
        says="data check",
        kept=SOME,
    ),
    "truncated zstd": _packed(
        20, "zst", zstandard.compress(texts("cut", 9))[:-3], rejects={"corrupt_file": 1}, says="ends within"
    ),
    "gzip and garbage": _packed(
        21,
        "gz",
        gzip.compress(texts("tail", 2)) + b"garbage",
        kept=2,
        prints="bytes after the end of the gzip were ignored",
    ),
    "text named .gz": _packed(22, "gz", texts("plain", 2), kept=2, prints="holds plain text"),
    "zstd named .gz": _packed(
        22, "gz", zstandard.compress(texts("other", 2)), kept=2, prints="named as gzip, but holds zstd"
    ),
    "zstd with a wrong checksum": _packed(
        23, "zst", _garbled(), rejects={"corrupt_file": 1}, says="checksum", kept=SOME
    ),
    "two gzip members": _packed(
        24, "gz", gzip.compress(texts("m", 1)) + gzip.compress(texts("n", 1)), kept=2
    ),
    "two zstd frames": _packed(
        25, "zst", zstandard.compress(texts("m", 1)) + zstandard.compress(texts("n", 1)), kept=2
    ),
    "empty gzip": _packed(17, "gz", b""),
    "40 MB of zeros": _packed(48, "zst", zstd_of_zeros(320), rejects={"too_large": 1}),
    "1.1 GB of zeros": _packed(48, "zst", zstd_of_zeros(9000), rejects={"corrupt_file": 1}, says="bomb"),
    "zstd with a window of 128 MiB": _packed(49, "zst", _window(27), kept=1),
    "zstd with a window of 1 GiB": _packed(
        49, "zst", _window(30), rejects={"corrupt_file": 1}, says="--long=27"
    ),
}
