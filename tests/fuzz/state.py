"""What a run left in its folder, damaged: the next run says a sentence, or is right."""

from __future__ import annotations

import contextlib
import io
import random
import shutil
from pathlib import Path
from typing import Any

import orjson

from gpucurate.cli.app import run
from tests.input_classes.corpus import contents
from tests.input_classes.declared import texts

FILES = (
    "run.json", "phases/keys.json", "phases/write.json", "commit.log", "epoch", "lock", "report.json",
    "manifest.json", "clusters/part-00000.parquet", "_SUCCESS",
)  # fmt: skip
SENTENCES = range(2, 9)
"""Exit codes of errors of ours; 1 is an internal one."""


class FinishedRun:
    """A finished run that is damaged again and again.

    Args:
        folder: for input and outputs.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "in").mkdir()
        for name in ("a.jsonl", "b.jsonl"):
            (folder / "in" / name).write_bytes(texts("equal", 3) + texts(name, 2))
        assert self._call("dedup", "exact", folder / "in", "-o", folder / "whole", "-q")[0] == 0
        self.wanted = contents(folder / "whole")

    def check(self, data: bytes) -> None:
        """Damage a file as the bytes say, and call what reads it.

        Raises:
            AssertionError: an internal error, or an output that is another.
        """
        made = random.Random(data)
        name = FILES[data[0] % len(FILES)] if data else FILES[0]
        target = self.folder / "damaged"
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(self.folder / "whole", target)
        path = target / "_gpucurate" / name
        if made.random() < 0.3 and name != "_SUCCESS":
            (target / "_gpucurate/_SUCCESS").unlink()
        path.write_bytes(damaged(path.read_bytes(), made))
        for reading in (["verify", target], ["status", target]):
            code, said = self._call(*reading)
            assert code in (0, *SENTENCES, 70), f"{name}: exit {code} of {reading[0]}: {said}"
        code, said = self._call("dedup", "exact", self.folder / "in", "-o", target, "-q")
        assert code in (0, *SENTENCES), f"{name}: exit {code}: {said}"
        if code == 0:
            assert contents(target) == self.wanted, name
        shutil.rmtree(self.folder / "applied", ignore_errors=True)
        code, said = self._call(
            "dedup", "apply", target, "-o", self.folder / "applied", "--keep", "longest", "-q"
        )
        assert code in (0, *SENTENCES), f"{name}: exit {code} of apply: {said}"

    def _call(self, *arguments: Any) -> tuple[int, str]:
        said = io.StringIO()
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            code = run([*map(str, arguments)])
        return code, said.getvalue()


def damaged(content: bytes, made: random.Random) -> bytes:
    """Some bytes, or if it is JSON a value, that are others."""
    with contextlib.suppress(orjson.JSONDecodeError):
        if made.random() < 0.6:
            return orjson.dumps(_altered(orjson.loads(content), made))
    changed = bytearray(content)
    for _ in range(made.randint(1, 4)):
        if changed:
            changed[made.randrange(len(changed))] = made.randrange(256)
    return bytes(changed[: made.randint(0, len(changed))] if made.random() < 0.3 else changed)


def _altered(value: Any, made: random.Random) -> Any:
    """A value with one of those in it missing, or of another type."""
    if isinstance(value, dict) and value and made.random() < 0.8:
        key = made.choice(sorted(value))
        if made.random() < 0.2:
            return {k: v for k, v in value.items() if k != key}
        return {**value, key: _altered(value[key], made)}
    if isinstance(value, list) and value and made.random() < 0.8:
        at = made.randrange(len(value))
        return [*value[:at], _altered(value[at], made), *value[at + 1 :]]
    return made.choice([None, -1, 2**63, 0.5, "", "../x", [], {}, [1], {"a": 1}, True])
