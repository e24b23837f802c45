"""The store and the place for what a user gave as output."""

from __future__ import annotations

from gpucurate.checkpoint.fsspec_store import FsspecStore
from gpucurate.checkpoint.object_store import ObjectStore
from gpucurate.checkpoint.store import LocalStore
from gpucurate.io.urls import scheme_of
from gpucurate.spec.errors import ConfigurationError
from gpucurate.spec.place import Url

WRITTEN = ("s3", "gs", "abfs", "memory")
"""Schemes of stores that can be written to."""


def store_of(output: Url, mirror: LocalStore | None) -> ObjectStore:
    """The store of a URL.

    Raises:
        ConfigurationError: not a URL that can be written to, or its driver is not installed.
    """
    scheme = scheme_of(str(output))
    if scheme not in WRITTEN:
        allowed = ", ".join(f"{each}://" for each in WRITTEN)
        raise ConfigurationError(f"{scheme}:// is not written to; give a folder, or one of {allowed}")
    if scheme == "s3":
        from gpucurate.checkpoint.s3_store import S3Store

        return S3Store(str(output), mirror)
    return FsspecStore(str(output), mirror)
