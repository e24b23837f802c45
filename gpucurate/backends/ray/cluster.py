"""A cluster of one's own on this machine."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from gpucurate.backends.ray.janitor import start_janitor, sweep
from gpucurate.backends.ray.surroundings import ADDRESS, GCS_PORT, LOOPBACK, QUIET, Surroundings
from gpucurate.backends.ray.token import token_settings
from gpucurate.memory.host import available_memory
from gpucurate.spec.bytesize import MIB, format_bytes
from gpucurate.spec.errors import ConfigurationError

STORE_SHARE = 0.3
"""Of the free memory, for what waits between workers."""

_SMALLEST_STORE = 80 * MIB
_SHARED_MEMORY = Path("/dev/shm")  # nosec B108
_SHARED_SHARE = 0.9
_LONGEST_FOLDER = 40
"""Characters: Ray makes sockets some 60 below it, and a socket's path has 107 at most."""


@dataclass
class RayClient:
    """Starts a Ray cluster on this machine, for as long as the context lasts.

    It serves 127.0.0.1 alone and asks its clients for a token, which lies in a file of the user's own
    that processes started meanwhile find through their environment. Names are NeMo Curator's. Where
    ``RAY_ADDRESS`` names a cluster, nothing is started, and nothing stopped.

    Args:
        ray_port: of the head; a free one if None.
        ray_dashboard_port: of the dashboard, if there is one.
        include_dashboard: whether to start it; it doubles the time and the memory.
        ray_metrics_port: where Ray's own metrics are told; a free one if None.
        ray_temp_dir: for sockets, logs and spilled objects, kept; one that is removed in the end if None.
        num_cpus: cores to count; all if None.
        num_gpus: GPUs to count; all if None.
        object_store_memory: bytes of shared memory; 30% of what is free if None, or what /dev/shm has.
        enable_object_spilling: whether objects go to disk where the store is full.

    >>> with RayClient(num_cpus=4) as client:  # doctest: +SKIP
    ...     pipeline.run(RayExecutor(client.address))

    Attributes:
        address: ``host:port`` of the head, once started.
    """

    ray_port: int | None = None
    ray_dashboard_port: int = 8265
    include_dashboard: bool = False
    ray_metrics_port: int | None = None
    ray_temp_dir: str | None = None
    num_cpus: int | None = None
    num_gpus: int | None = None
    object_store_memory: int | None = None
    enable_object_spilling: bool = True

    address: str = field(init=False, default="")
    _folder: Path | None = field(init=False, default=None, repr=False)
    _session: str = field(init=False, default="", repr=False)
    _janitor: subprocess.Popen[bytes] | None = field(init=False, default=None, repr=False)
    _surroundings: Surroundings = field(init=False, default_factory=Surroundings, repr=False)

    def start(self, namespace: str | None = None) -> None:
        """Start the cluster and join it; nothing if one was named or started.

        Args:
            namespace: of this process's job.

        Raises:
            ConfigurationError: it cannot be started as asked.
        """
        if self.address:
            return
        if named := os.environ.get(ADDRESS):
            self.address = named
            return
        store = self._store_bytes()
        _refuse_second()
        self._folder = _new_folder(self.ray_temp_dir)
        try:
            self._start(store, namespace)
        except BaseException:
            self.stop()
            raise

    def _start(self, store: int, namespace: str | None) -> None:
        assert self._folder is not None
        port = {} if self.ray_port is None else {GCS_PORT: str(self.ray_port)}
        self._surroundings.set({**LOOPBACK, **QUIET, **port, **token_settings(self._folder)})
        import ray

        try:
            context = ray.init(
                address="local",
                num_cpus=self.num_cpus,
                num_gpus=self.num_gpus,
                object_store_memory=store,
                namespace=namespace,
                log_to_driver=False,
                logging_level="ERROR",
                **self._dashboard(),
                _temp_dir=self.ray_temp_dir or str(self._folder / "ray"),
                _system_config={"automatic_object_spilling_enabled": self.enable_object_spilling},
                _metrics_export_port=self.ray_metrics_port,
            )
        except (RuntimeError, ValueError, OSError) as error:
            raise ConfigurationError(f"Ray could not be started: {str(error).splitlines()[0]}") from error
        self.address, self._session = context.address_info["gcs_address"], context.address_info["session_dir"]
        self._janitor = start_janitor(Path(self._session), self._folder)
        self._surroundings.set({ADDRESS: self.address})

    def _dashboard(self) -> dict[str, Any]:
        if not self.include_dashboard:
            return {"include_dashboard": False}
        return {"include_dashboard": True, "dashboard_port": self.ray_dashboard_port}

    def _store_bytes(self) -> int:
        room = int(shutil.disk_usage(_SHARED_MEMORY).free * _SHARED_SHARE)
        wanted = self.object_store_memory or min(room, int(available_memory() * STORE_SHARE))
        if wanted > room or wanted < _SMALLEST_STORE:
            raise ConfigurationError(
                f"an object store of {format_bytes(wanted)}: at least {format_bytes(_SMALLEST_STORE)} are "
                f"needed, and {_SHARED_MEMORY} has room for {format_bytes(room)} (of a container: --shm-size)"
            )
        return wanted

    def stop(self) -> None:
        """End what was started here, and nothing else."""
        if self._folder is None:
            self.address = ""
            return
        import ray

        ray.shutdown()
        if self._janitor is not None:
            sweep(self._session)
            self._janitor.kill()
            self._janitor.wait()
        self._surroundings.restore()
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder, self._janitor, self.address = None, None, ""

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def _refuse_second() -> None:
    import ray

    if ray.is_initialized():
        address = ray.get_runtime_context().gcs_address
        raise ConfigurationError(
            f"this process has joined the Ray cluster at {address}: leave it first (ray.shutdown)"
        )


def _new_folder(given: str | None) -> Path:
    """A folder that is the user's alone."""
    parent = tempfile.gettempdir()
    longest = given or parent
    if len(longest) > _LONGEST_FOLDER:
        raise ConfigurationError(
            f"{longest!r} has {len(longest)} characters, and Ray, which makes sockets below its temporary "
            f"folder, takes {_LONGEST_FOLDER}: give a shorter one (ray_temp_dir, or TMPDIR)"
        )
    return Path(tempfile.mkdtemp(prefix="gc-", dir=parent))
