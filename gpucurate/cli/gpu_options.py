"""Options of commands that can run on GPUs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import typer

from gpucurate.cli.options import DeviceKind, bytes_of

_GPU = "GPU"


@dataclass(frozen=True, kw_only=True)
class GpuOptions:
    """Whether GPUs are used, and how much of them."""

    device: Annotated[
        DeviceKind,
        typer.Option(
            help="Where keys are taken and grouped; results are the same on both.", rich_help_panel=_GPU
        ),
    ] = DeviceKind.cpu
    gpus: Annotated[
        int | None, typer.Option(min=1, help="GPUs to use; all if not given.", rich_help_panel=_GPU)
    ] = None
    gpu_memory: Annotated[
        str | None,
        typer.Option(
            help="Bytes of each GPU that the run may use, such as 40GB; most of it if not given.",
            rich_help_panel=_GPU,
        ),
    ] = None

    def settings(self) -> dict[str, Any]:
        """Arguments of a workflow.

        Raises:
            UsageError: GPUs are limited, and none is used.
        """
        from gpucurate.spec.errors import UsageError

        if self.device is DeviceKind.cpu and (self.gpus is not None or self.gpu_memory is not None):
            raise UsageError("--gpus and --gpu-memory are about GPUs: give --device cuda with them")
        return {"device": self.device.value}

    @property
    def memory_bytes(self) -> int | None:
        """The limit on each GPU, if there is one."""
        return None if self.gpu_memory is None else bytes_of("--gpu-memory", self.gpu_memory)
