"""Installed packages beside what gpucurate asks for."""

from __future__ import annotations

import re
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, distributions, requires, version

from packaging.requirements import Requirement

from gpucurate.doctor.finding import Finding

DISTRIBUTION = "gpucurate"
EXTRAS = "extras"
ANY_EXTRA = f"pip install '{DISTRIBUTION}[NAME]'"
OPTIONAL = ("ray", "dask", "inference", "text", "s3", "gcs", "azure", "sql")
_LINES = re.compile(r"(?:cudf|pylibcudf|libcudf|rmm|librmm)-cu(\d+)|cupy-cuda(\d+)x")


def examine_packages() -> list[Finding]:
    """What the base install needs, and which extras are there."""
    return [*_base(), *(of_extra(extra) for extra in OPTIONAL)]


def _base() -> list[Finding]:
    missing = [_finding("packages", each, "pip install --upgrade gpucurate") for each in needed("")]
    wrong = [finding for finding in missing if finding.state != "ok"]
    return wrong or [Finding("packages", "base", "ok", f"{len(missing)} packages as required")]


def of_extra(extra: str) -> Finding:
    """Whether all packages of an extra are there, in versions that do."""
    command = ANY_EXTRA.replace("NAME", extra)
    found = [_finding(EXTRAS, each, command) for each in needed(extra)]
    for state in ("wrong", "absent"):
        for finding in found:
            if finding.state == state:
                return Finding(EXTRAS, extra, finding.state, f"{finding.name}: {finding.detail}", command)
    return Finding(EXTRAS, extra, "ok", ", ".join(f"{each.name} {each.detail}" for each in found))


def needed(extra: str) -> list[Requirement]:
    """Requirements of the base install (``""``), or those that an extra adds, on this machine."""
    try:
        lines = requires(DISTRIBUTION) or []
    except PackageNotFoundError:  # run from a source tree that was never installed
        return []
    return [each for each in map(Requirement, lines) if _is_of(each, extra)]


def cuda_lines(names: Iterable[str] | None = None) -> dict[int, list[str]]:
    """CUDA majors that packages are built for, and those packages.

    Args:
        names: of distributions; those installed if None.
    """
    installed = names if names is not None else (each.metadata["Name"] for each in distributions())
    lines: dict[int, list[str]] = {}
    for name in sorted({each.lower() for each in installed if each}):
        if match := _LINES.fullmatch(name):
            lines.setdefault(int(match[1] or match[2]), []).append(name)
    return lines


def _is_of(requirement: Requirement, extra: str) -> bool:
    """Whether it is one of an extra (``""`` for the base) on this machine and Python."""
    marker = requirement.marker
    if marker is None:
        return not extra
    return ("extra" in str(marker)) == bool(extra) and marker.evaluate({"extra": extra})


def _finding(topic: str, requirement: Requirement, command: str) -> Finding:
    try:
        found = version(requirement.name)
    except PackageNotFoundError:
        return Finding(topic, requirement.name, "absent", "not installed", command)
    if requirement.specifier.contains(found, prereleases=True):
        return Finding(topic, requirement.name, "ok", found)
    return Finding(
        topic, requirement.name, "wrong", f"{found}, but {requirement.specifier} is required", command
    )
