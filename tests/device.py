"""Whether tests can run on a CUDA device here."""

from __future__ import annotations


def missing_device() -> str | None:
    """Why no test can run on a CUDA device here, or None where one can."""
    try:
        import cupy
    except ImportError:
        return "no GPU: CuPy is not installed (pip install 'gpucurate[cu13]')"
    return None if cupy.cuda.is_available() else "no GPU: CuPy sees no CUDA device"
