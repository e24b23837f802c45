"""What a verification found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Kind = Literal["books", "output", "input"]

EXIT_CODES: Mapping[Kind, int] = {"books": 70, "output": 6, "input": 5}
"""The worst first."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as it was recorded.

    Attributes:
        kind: ``books`` do not balance, an ``output`` is missing or damaged, the ``input`` is another one.
        name: of the file or unit, printable.
        what: a sentence.
    """

    kind: Kind
    name: str
    what: str


@dataclass(slots=True)
class Verified:
    """What was looked at, and what was found.

    Attributes:
        output: as it was named.
        kind: of run.
        is_finished: whether it has ended well.
        phases: units that are done, and all of them, by phase.
        files: outputs that were compared.
        bytes: of them.
        rows: records in them, by what the run says.
        rejects: rejected rows that are on disk; None where the run has not come so far.
        inputs: files of the input that were compared; None where that was left out.
        input_bytes: bytes of them that were read again.
        notes: what is worth a look, and is no damage.
        extra: files of the output that no record names.
        findings: what is wrong.
    """

    output: str
    kind: str
    is_finished: bool
    phases: dict[str, tuple[int, int]] = field(default_factory=dict)
    files: int = 0
    bytes: int = 0
    rows: int = 0
    rejects: int | None = None
    inputs: int | None = None
    input_bytes: int = 0
    notes: list[str] = field(default_factory=list)
    extra: list[str] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    @property
    def exit_code(self) -> int:
        """Of the worst finding; 0 if there is none."""
        kinds = {finding.kind for finding in self.findings}
        return next((code for kind, code in EXIT_CODES.items() if kind in kinds), 0)

    def blame(self, kind: Kind, name: str, what: str) -> None:
        """Enter a finding."""
        self.findings.append(Finding(kind, name, what))

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {
            "output": self.output,
            "kind": self.kind,
            "is_finished": self.is_finished,
            "exit_code": self.exit_code,
            "phases": {name: {"done": done, "units": units} for name, (done, units) in self.phases.items()},
            "files": self.files,
            "bytes": self.bytes,
            "rows": self.rows,
            "rejects": self.rejects,
            "inputs": self.inputs,
            "input_bytes": self.input_bytes,
            "notes": self.notes,
            "extra": self.extra,
            "findings": [{"kind": f.kind, "name": f.name, "what": f.what} for f in self.findings],
        }
