"""GPUs, and whether driver and packages fit each other.

Sources: CUDA 13 serves compute capability 7.5 and newer and needs driver 580; RAPIDS on CUDA 12 serves 7.0
and newer and needs driver 525 (NVIDIA's release notes of CUDA, the installation guide of RAPIDS).
"""

from __future__ import annotations

from gpucurate.doctor.driver import Driver, Gpu, NoDriverError, read_driver
from gpucurate.doctor.finding import Finding
from gpucurate.doctor.packages import cuda_lines, of_extra
from gpucurate.spec.bytesize import format_bytes

TOPIC = "GPU"
PREFERRED = 13
LEAST_CAPABILITY = {12: (7, 0), 13: (7, 5)}
LEAST_DRIVER = {12: "525", 13: "580"}


def examine_gpus() -> list[Finding]:
    """Driver, devices, the packages of a CUDA line, and whether they work together."""
    try:
        driver: Driver | None = read_driver()
        found = []
    except NoDriverError as error:
        driver, found = None, [Finding(TOPIC, "driver", "absent", str(error))]
    lines = cuda_lines()
    if driver is not None:
        found += of_driver(driver, lines)
    found += of_lines(driver, lines)
    if driver is not None and driver.gpus and len(lines) == 1:
        from gpucurate.doctor.device import examine_device

        found += examine_device()
    return found


def of_driver(driver: Driver, lines: dict[int, list[str]]) -> list[Finding]:
    """The driver and each of its devices, beside the CUDA lines that packages are built for."""
    major, minor = driver.cuda
    version = Finding(TOPIC, "driver", "ok", f"{driver.version}, CUDA {major}.{minor}")
    if not driver.gpus:
        return [version, Finding(TOPIC, "devices", "absent", "the driver has no GPU")]
    return [version, *(_of_gpu(gpu, min(lines, default=line_for(driver))) for gpu in driver.gpus)]


def _of_gpu(gpu: Gpu, line: int) -> Finding:
    name, (major, minor) = f"{gpu.index} {gpu.name}", gpu.capability
    memory = f"{format_bytes(gpu.free)} of {format_bytes(gpu.memory)} free"
    detail = f"{memory}, compute capability {major}.{minor}"
    detail += f", {gpu.processes} processes" if gpu.processes else ""
    detail += ", cut into MIG instances" if gpu.mig else ""
    least = LEAST_CAPABILITY.get(line, LEAST_CAPABILITY[PREFERRED])
    if gpu.capability >= least:
        return Finding(TOPIC, name, "ok", detail)
    return Finding(
        TOPIC, name, "wrong", detail, f"CUDA {line} packages need {least[0]}.{least[1]}: use another GPU"
    )


def of_lines(driver: Driver | None, lines: dict[int, list[str]]) -> list[Finding]:
    """The packages of the CUDA line that is installed, or which one to install."""
    name, install = "CUDA packages", f"pip install 'gpucurate[cu{line_for(driver)}]'"
    if len(lines) > 1:
        both = "; ".join(f"CUDA {line}: {', '.join(names)}" for line, names in sorted(lines.items()))
        detail = f"of two lines, which exclude each other: {both}"
        return [Finding(TOPIC, name, "wrong", detail, f"in a new environment: {install}")]
    if not lines:
        remedy = install if driver is not None and driver.gpus else None
        return [Finding(TOPIC, name, "absent", "cuDF, RMM and CuPy are not installed", remedy)]
    (line,) = lines
    packages = of_extra(f"cu{line}")
    found = Finding(TOPIC, name, packages.state, packages.detail, packages.remedy)
    return [found, *([_too_old(driver, line)] if driver is not None and driver.cuda[0] < line else [])]


def _too_old(driver: Driver, line: int) -> Finding:
    major, minor = driver.cuda
    least = LEAST_DRIVER.get(line, LEAST_DRIVER[PREFERRED])
    return Finding(
        TOPIC,
        "driver and packages",
        "wrong",
        f"driver {driver.version} serves CUDA {major}.{minor}, the packages are for CUDA {line}",
        f"install driver {least} or newer, or in a new environment: pip install 'gpucurate[cu{major}]'",
    )


def line_for(driver: Driver | None) -> int:
    """The CUDA line whose packages a driver serves: 13 from CUDA 13 on, else 12; 13 where there is none."""
    return PREFERRED if driver is None or driver.cuda[0] >= PREFERRED else 12
