"""All that is looked at, in order."""

from __future__ import annotations

from gpucurate.backends.cores import usable_cores
from gpucurate.doctor.finding import Finding
from gpucurate.doctor.gpu import TOPIC, examine_gpus
from gpucurate.doctor.machine import examine_machine
from gpucurate.doctor.packages import examine_packages


def examine() -> list[Finding]:
    """Look at the machine, the packages and the GPUs; changes nothing, but compiles a kernel for a GPU.

    >>> [finding.name for finding in examine() if finding.state == "wrong"]
    []
    """
    return [*examine_machine(usable_cores()), *examine_packages(), *examine_gpus()]


def has_gpu(findings: list[Finding]) -> bool:
    """Whether a GPU was tried and nothing was wrong with it."""
    of_gpu = [finding for finding in findings if finding.topic == TOPIC]
    tried = any(finding.name == "kernels" and finding.state == "ok" for finding in of_gpu)
    return tried and all(finding.state == "ok" for finding in of_gpu)
