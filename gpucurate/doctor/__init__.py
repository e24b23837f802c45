"""What this machine and environment have for gpucurate, what is missing, and what installs it."""

from gpucurate.doctor.examination import examine, has_gpu
from gpucurate.doctor.finding import Finding

__all__ = ["Finding", "examine", "has_gpu"]
