"""Outputs in a bucket, as :mod:`tests.chaos.left` looks at folders."""

from __future__ import annotations

import hashlib
import logging
from pathlib import Path
from typing import Any

import orjson

from tests.chaos.left import STATE, TIMED, record_of, reported, sealed
from tests.s3 import Bucket, address

_TIMED = (*TIMED, "epochs")


class Outputs:
    """A bucket of its own, in a server of this process.

    Args:
        name: of the bucket.
        caches: where each run has a working folder of its own, as on another machine.
    """

    def __init__(self, name: str, caches: Path) -> None:
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        self._bucket = Bucket(name)
        self._caches = caches
        self._runs = 0

    def url(self, output: Path) -> str:
        """What a run is told to write to."""
        return self._bucket.url(output.name)

    def environment(self) -> dict[str, str]:
        """Of the next run."""
        self._runs += 1
        return {
            "AWS_ENDPOINT_URL": address(),
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
            "XDG_CACHE_HOME": str(self._caches / str(self._runs)),
        }

    def left(self, output: Path) -> dict[str, Any]:
        """Every object of an output, and uploads that nobody has completed or ended."""
        prefix, pending = f"{output.name}/", self._bucket.pending()
        found: dict[str, Any] = {f"upload of {key}": None for key in pending if key.startswith(prefix)}
        for key in self._bucket.names(prefix):
            name = key.removeprefix(prefix)
            parts = name.split("/")
            if parts[0] == STATE and parts[1] in _TIMED:
                continue
            content = self._bucket.get(key)
            if parts == [STATE, "_SUCCESS"]:
                found[name] = sealed(content)
            elif parts[:2] == [STATE, "records"]:
                record = orjson.loads(content)
                found |= {name: record_of(record)} if record["k"] == "done" else {}
            elif name == f"{STATE}/report.json":
                found[name] = reported(orjson.loads(content))
            else:
                found[name] = hashlib.sha256(content).hexdigest()
        return found

    def remove(self, output: Path) -> None:
        """Delete all objects of an output."""
        for key in self._bucket.names(f"{output.name}/"):
            self._bucket.delete(key)
