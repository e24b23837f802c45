"""What users type: a value or an error of ours comes of it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from gpucurate.dedup.policy import parse_policy
from gpucurate.io.urls import redact, scheme_of
from gpucurate.planning.cluster_size import parse_cluster
from gpucurate.spec.bytesize import parse_bytes
from gpucurate.spec.errors import GpucurateError
from gpucurate.spec.names import decode_name, encode_name
from gpucurate.stages.deduplication.sample import parse_share

PARSERS: tuple[Callable[[str], Any], ...] = (
    parse_bytes, parse_policy, parse_cluster, parse_share, scheme_of, redact,
)  # fmt: skip


def check_words(data: bytes) -> None:
    """Give a text to each parser.

    Raises:
        AssertionError: a size that is none, or a name that is another after it was written.
    """
    text = data.decode("utf-8", "surrogateescape")
    for parse in PARSERS:
        with suppress(GpucurateError):
            parse(text)
    with suppress(GpucurateError):
        assert 1 <= parse_bytes(text) < 2**63
    if "\0" not in text:
        assert decode_name(encode_name(text)) == text
