"""How much of one record or one file the readers put up with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from gpucurate.spec.bytesize import MIB
from gpucurate.spec.errors import ConfigurationError

DEEPEST = 250


@dataclass(frozen=True, slots=True)
class ReadLimits:
    """Limits of a reader.

    Attributes:
        max_record_bytes: a longer record is rejected as ``too_large``: a line, unread, or a text of Parquet.
        max_depth: arrays and objects nested deeper are rejected as ``too_deep``; at most
            250, which is where the JSON writer ends.
        on_corrupt: ``skip`` turns a broken file into one reject, ``fail`` into an InputError.
        encoding_errors: ``reject`` turns a record that is not UTF-8 into a reject; ``replace`` puts U+FFFD in
            the place of such bytes, in what is written too.

    Raises:
        ConfigurationError: a limit that cannot be kept.
    """

    max_record_bytes: int = 32 * MIB
    max_depth: int = DEEPEST
    on_corrupt: Literal["skip", "fail"] = "skip"
    encoding_errors: Literal["reject", "replace"] = "reject"

    def __post_init__(self) -> None:
        if self.max_record_bytes < 1:
            raise ConfigurationError(f"max_record_bytes is {self.max_record_bytes}: it must be at least 1")
        if not 1 <= self.max_depth <= DEEPEST:
            raise ConfigurationError(f"max_depth is {self.max_depth}: it must lie between 1 and {DEEPEST}")
        if self.on_corrupt not in ("skip", "fail"):
            raise ConfigurationError(f"on_corrupt is {self.on_corrupt!r}: it is 'skip' or 'fail'")
        if self.encoding_errors not in ("reject", "replace"):
            raise ConfigurationError(
                f"encoding_errors is {self.encoding_errors!r}: it is 'reject' or 'replace'"
            )
