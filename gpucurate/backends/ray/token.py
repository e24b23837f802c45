"""The secret that a client has to know."""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path

from gpucurate.backends.ray.surroundings import AUTH_MODE, TOKEN, TOKEN_PATH
from gpucurate.spec.errors import ConfigurationError

_PRIVATE = stat.S_IRUSR | stat.S_IWUSR


def token_settings(folder: Path) -> dict[str, str]:
    """Variables by which a cluster asks for a token, and its clients have it.

    A token or a mode that the environment names is taken; else a token is made.

    Args:
        folder: private to the user; the token goes there.

    Raises:
        ConfigurationError: the file of the token that the environment names may be read by others.
    """
    if os.environ.get(AUTH_MODE, "token") != "token":
        return {}
    if given := os.environ.get(TOKEN_PATH):
        _check_private(Path(given))
    if given or os.environ.get(TOKEN):
        return {AUTH_MODE: "token"}
    path = folder / "token"
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _PRIVATE), "w") as file:
        file.write(secrets.token_hex(32))
    return {AUTH_MODE: "token", TOKEN_PATH: str(path)}


def _check_private(path: Path) -> None:
    try:
        mode = path.stat().st_mode
    except OSError as error:
        raise ConfigurationError(
            f"{TOKEN_PATH} names {path}, which cannot be read ({error.strerror}): write the token of the "
            f"cluster there, or unset {TOKEN_PATH} and a token is made"
        ) from error
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise ConfigurationError(
            f"the token in {path} may be read by other users (mode {stat.filemode(mode)}): chmod 600 {path}"
        )
