"""Compile what reading and writing JSON lines runs, by doing it once on two lines."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

from gpucurate.io.listing import list_input
from gpucurate.io.piece import LinesOriginal
from gpucurate.io.ranges import split_file
from gpucurate.io.reader import read_range
from gpucurate.io.sink import open_sink
from gpucurate.spec.bytesize import MIB

_LINES = b'{"text": "one \\n \xc3\xa9", "n": [1.5e3, null]}\n\n{"text": "two \\u00e9"}\n{"text": "three"}\n'


def warm_up() -> None:
    """Compile the reader and the writer of JSON lines, or load them from the cache."""
    with tempfile.TemporaryDirectory(prefix="gpucurate-") as folder:
        path = Path(folder, "in.jsonl")
        path.write_bytes(_LINES)
        (source,) = split_file(list_input([path]).files[0], MIB)
        (piece,) = read_range(source, fields=["text"], text_fields=["text"], keep_original=True)
        (lines,) = read_range(source, fields=(), keep_original=True)
        with open_sink(Path(folder, "out.jsonl"), "jsonl") as sink:
            for original in (piece.original, lines.original):
                if isinstance(original, LinesOriginal):
                    sink.write_lines(original.select(np.array([True, False, True])))
            sink.close(lambda file, _: file.close())  # nobody needs it on disk
