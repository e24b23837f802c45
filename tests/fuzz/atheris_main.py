"""``make fuzz``: one entry, driven by atheris.

    python -m tests.fuzz.atheris_main ENTRY [options of libFuzzer]

atheris (an extra, ``fuzz``) sees which lines of ours an input reaches, and keeps those that reach new ones.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["gpucurate.io", "gpucurate.checkpoint", "gpucurate.spec"]):
    from tests.fuzz.columns import SEEDS, check_parquet
    from tests.fuzz.json_lines import check_json_lines
    from tests.fuzz.state import FILES, FinishedRun
    from tests.fuzz.words import check_words

LINES = [
    b'\x20\x00{"text": "a\\n\xc3\xa9"}\n',
    b'\x05\x01{"id": 1, "text": null}\r\n\r\n[1]',
    b"\x01\x00" + b"[" * 300,
]
WORDS = [b"1.5GB", b"max:score", b"prefer:a/*,b", b"1%", b"s3://u:p@b/k?token=x", b"2x8xH100"]


def _state() -> Callable[[bytes], None]:
    return FinishedRun(Path(tempfile.mkdtemp())).check


ENTRIES: dict[str, tuple[Callable[[], Callable[[bytes], None]], list[bytes]]] = {
    "json_lines": (lambda: check_json_lines, LINES),
    "columns": (lambda: check_parquet, SEEDS),
    "state": (_state, [bytes([i]) for i in range(len(FILES))]),
    "words": (lambda: check_words, WORDS),
}


def main() -> None:
    """Fuzz an entry until libFuzzer's options say enough; it ends with 1 at the first finding."""
    name, *options = sys.argv[1:]
    make, seeds = ENTRIES[name]
    with tempfile.TemporaryDirectory() as corpus:
        for i, seed in enumerate(seeds):
            (Path(corpus) / str(i)).write_bytes(seed)
        atheris.Setup([sys.argv[0], *options, corpus], make())
        atheris.Fuzz()


if __name__ == "__main__":
    main()
