"""An attempt that lies in a store and is seen by nobody: what a worker tells the driver of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import orjson

from gpucurate.spec.unit import OutputFile


@dataclass(frozen=True, slots=True)
class Pending:
    """What is needed to give an attempt its final name.

    Attributes:
        path: where it lay on the machine of the worker.
        upload: id of the upload, or name of the object that is to be copied; empty for an empty file.
        parts: entity tags of the upload's parts.
        writer: by which the finished object is known.
    """

    path: str
    upload: str = ""
    parts: tuple[str, ...] = ()
    writer: str = ""

    @classmethod
    def of(cls, output: OutputFile) -> Self | None:
        """What the output's attempt tells; None where it is the path of a file."""
        if not output.attempt.startswith("{"):
            return None
        values = orjson.loads(output.attempt)
        return cls(values["path"], values["upload"], tuple(values["parts"]), values["writer"])

    def entered(self, output: OutputFile) -> OutputFile:
        """The output, whose attempt tells this."""
        return replace(output, attempt=orjson.dumps(self).decode())

    @property
    def local(self) -> Path:
        """The file, if this is the worker's machine."""
        return Path(self.path)
