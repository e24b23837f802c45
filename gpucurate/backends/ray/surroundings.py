"""What Ray reads from the environment, set for as long as it is needed."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping

LOOPBACK = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}
"""Makes Ray 2.60 serve on 127.0.0.1 alone, also on Linux: it otherwise turns a loopback address
into one that other machines reach. Who connects to such a cluster needs it as well."""

QUIET = {
    "RAY_IGNORE_UNHANDLED_ERRORS": "1",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "1",
    "RAY_USAGE_STATS_ENABLED": "0",
}
"""Results that are dropped unread are no news; a worker without GPUs sees none; nobody is told of the run."""

AUTH_MODE, TOKEN, TOKEN_PATH = "RAY_AUTH_MODE", "RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"
ADDRESS = "RAY_ADDRESS"
GCS_PORT = "RAY_GCS_SERVER_PORT"


class Surroundings:
    """Variables that are put back in the end."""

    def __init__(self) -> None:
        self._before: dict[str, str | None] = {}

    def set(self, values: Mapping[str, str]) -> None:
        """Set variables, and let a Ray that is loaded already take note."""
        for name, value in values.items():
            self._before.setdefault(name, os.environ.get(name))
            os.environ[name] = value
        _heed()

    def restore(self) -> None:
        """Put all of them back."""
        for name, value in self._before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        self._before.clear()
        _heed()


def _heed() -> None:
    """Ray reads these once, when it is imported."""
    if "ray" not in sys.modules:
        return
    from ray._private import ray_constants
    from ray._raylet import AuthenticationTokenLoader, Config

    loopback = os.environ.get("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER") == "0"
    ray_constants.ENABLE_RAY_CLUSTER = not loopback and not ray_constants.IS_WINDOWS_OR_OSX
    Config.initialize("")
    AuthenticationTokenLoader.instance().reset_cache()
