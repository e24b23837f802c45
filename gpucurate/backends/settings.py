"""How a run is carried out: what users give an executor as ``config``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from numbers import Integral, Real
from typing import Any, Literal, Self

from gpucurate.spec.bytesize import parse_bytes
from gpucurate.spec.errors import ConfigurationError

ExecutionMode = Literal["streaming", "batch"]


@dataclass(frozen=True, slots=True)
class RunSettings:
    """Settings of an executor. The first ones have the names that NeMo Curator's executors give them.

    Attributes:
        execution_mode: ``streaming``: all segments work at a time; ``batch``: each does all units before
            the next begins.
        cpu_allocation_percentage: share of the cores that workers may take, above 0 and up to 1.
        autoscale_interval_s: seconds between changes of the numbers of workers.
        logging_interval: seconds between lines of the log that say how far the run is.
        ignore_failures: end well though units were set aside.
        worker_max_lifetime_m: minutes after which a worker is replaced; None for never.
        worker_restart_interval_m: and at most one of a segment in so many minutes.
        worker_max_units: units after which a worker is replaced; None for never.
        worker_max_growth: a worker that has grown by so much since its setup is replaced, such as ``2GB``;
            None for never.
        worker_max_leak: a worker whose memory rises with every unit, by so much in all, and goes on is
            replaced, such as ``256MB``; None for never.
        stall_timeout_s: a unit of which nothing is heard for so long, or ten times as long as the slow ones
            take if that is more, has its worker killed.
        max_attempts: tries of a unit before its documents are tried in parts, or it is set aside.
        max_bisections: deaths, or stalls, that a unit may cause while the documents are looked for that cause
            them; each such document takes four or five. Beyond that the unit is set aside.
        fuse: whether adjacent stages share a worker where they can; False to compare.
    """

    execution_mode: ExecutionMode = "streaming"
    cpu_allocation_percentage: float = 1.0
    autoscale_interval_s: float = 10.0
    logging_interval: float = 60.0
    ignore_failures: bool = False
    worker_max_lifetime_m: float | None = None
    worker_restart_interval_m: float = 1.0
    worker_max_units: int | None = None
    worker_max_growth: int | str | None = None
    worker_max_leak: int | str | None = "256MB"
    stall_timeout_s: float = 1800.0
    max_attempts: int = 3
    max_bisections: int = 12
    fuse: bool = True

    def __post_init__(self) -> None:
        for name in ("ignore_failures", "fuse"):
            if not isinstance(getattr(self, name), bool):
                raise ConfigurationError(f"{name} is {getattr(self, name)!r}: it can be True or False")
        if self.execution_mode not in ("streaming", "batch"):
            raise ConfigurationError(
                f"execution_mode is {self.execution_mode!r}: it can be 'streaming' or 'batch'"
            )
        _check_positive("cpu_allocation_percentage", self.cpu_allocation_percentage)
        if self.cpu_allocation_percentage > 1:
            raise ConfigurationError(
                f"cpu_allocation_percentage is {self.cpu_allocation_percentage}: "
                "it must be above 0 and at most 1"
            )
        for name in ("autoscale_interval_s", "logging_interval", "stall_timeout_s"):
            _check_positive(name, getattr(self, name))
        for name in ("max_attempts", "max_bisections"):
            _check_positive(name, getattr(self, name), Integral)
        if self.worker_max_lifetime_m is not None:
            _check_positive("worker_max_lifetime_m", self.worker_max_lifetime_m)
        if self.worker_max_units is not None:
            _check_positive("worker_max_units", self.worker_max_units, Integral)
        _check_kind("worker_restart_interval_m", self.worker_restart_interval_m, Real)
        if self.worker_restart_interval_m < 0:
            raise ConfigurationError(
                f"worker_restart_interval_m is {self.worker_restart_interval_m}: it must be at least 0"
            )
        _check_growth("worker_max_growth", self.worker_max_growth)
        _check_growth("worker_max_leak", self.worker_max_leak)

    @classmethod
    def of(cls, config: Mapping[str, Any] | RunSettings | None) -> Self:
        """Settings from what the user gave.

        Raises:
            ConfigurationError: a key that is not known, or a value that cannot be.
        """
        if config is None:
            return cls()
        if isinstance(config, cls):
            return config
        known = {field.name for field in fields(cls)}
        unknown = sorted(set(config) - known)  # type: ignore[arg-type]
        if unknown:
            raise ConfigurationError(
                f"config has {', '.join(map(repr, unknown))}, which is not known; "
                f"there are: {', '.join(sorted(known))}"
            )
        return cls(**config)  # type: ignore[arg-type]

    def with_(self, **values: Any) -> Self:
        """A copy with some settings changed."""
        return replace(self, **values)

    @property
    def recycles(self) -> bool:
        """Whether workers are ever replaced."""
        return any((self.worker_max_lifetime_m, self.worker_max_units, self.worker_max_growth))

    @property
    def max_growth_bytes(self) -> int | None:
        """``worker_max_growth`` in bytes."""
        return None if self.worker_max_growth is None else parse_bytes(self.worker_max_growth)

    @property
    def max_leak_bytes(self) -> int | None:
        """``worker_max_leak`` in bytes."""
        return None if self.worker_max_leak is None else parse_bytes(self.worker_max_leak)

    @property
    def max_lifetime_s(self) -> float | None:
        """``worker_max_lifetime_m`` in seconds."""
        return None if self.worker_max_lifetime_m is None else self.worker_max_lifetime_m * 60


def _check_positive(name: str, value: Any, kind: type = Real) -> None:
    _check_kind(name, value, kind)
    if not value > 0:
        raise ConfigurationError(f"{name} is {value}: it must be above 0")


def _check_kind(name: str, value: object, kind: type) -> None:
    if isinstance(value, bool) or not isinstance(value, kind):
        expected = "a whole number" if kind is Integral else "a number"
        raise ConfigurationError(f"{name} is {value!r}: it must be {expected}")


def _check_growth(name: str, value: int | str | None) -> None:
    if value is None:
        return
    try:
        parse_bytes(value)
    except ConfigurationError as error:
        raise ConfigurationError(f"{name}: {error}") from error
