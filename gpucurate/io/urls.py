"""Which places may be read: local paths, and URLs of stores on an allow-list."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from gpucurate.io.s3 import s3_filesystem
from gpucurate.spec.errors import ConfigurationError
from gpucurate.spec.redaction import redact, redact_url

__all__ = [
    "ALLOWED_SCHEMES",
    "ON_REQUEST",
    "allow_protocol",
    "allowed_protocols",
    "is_url",
    "open_filesystem",
    "redact",
    "scheme_of",
    "use_protocols",
]

ALLOWED_SCHEMES = ("file", "memory", "s3", "gs", "abfs", "hf")
ON_REQUEST = ("http", "https")
"""Read once :func:`allow_protocol` was called for them: a URL that stands in data could else have the
machine ask servers that only it can reach."""

_EXTRA_OF_SCHEME = {"s3": "s3", "gs": "gcs", "abfs": "azure", "hf": "hf", "http": "http", "https": "http"}
_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_CHAIN = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*::")
_allowed: frozenset[str] = frozenset()


def is_url(place: str) -> bool:
    """Whether ``place`` is a URL or a chain of them, rather than a path of this machine."""
    return bool(_URL.match(place) or _CHAIN.match(place))


def allow_protocol(*schemes: str) -> None:
    """Let this process, and workers that it starts from now on, read URLs of ``http`` or ``https`` too.

    Addresses of the machine's own network segment, where clouds hand out credentials, stay refused.

    Raises:
        ConfigurationError: another scheme.
    """
    unknown = sorted(set(schemes) - set(ON_REQUEST))
    if unknown:
        raise ConfigurationError(
            f"{', '.join(unknown)} cannot be allowed: choose of {', '.join(ON_REQUEST)}; without asking, "
            f"{', '.join(ALLOWED_SCHEMES)} are read"
        )
    use_protocols(allowed_protocols() | set(schemes))


def allowed_protocols() -> frozenset[str]:
    """What :func:`allow_protocol` was called for."""
    return _allowed


def use_protocols(schemes: Iterable[str]) -> None:
    """Allow these, and no others: what a worker is told by its driver."""
    global _allowed  # noqa: PLW0603 - a permission is the process's
    _allowed = frozenset(schemes)


def scheme_of(url: str) -> str:
    """The scheme of a URL, once it is known to be allowed.

    Raises:
        ConfigurationError: chained, not on the allow-list, or with a password, token or signature inside.
    """
    place = redact(url)
    if "::" in url.split("/", 1)[0]:
        raise ConfigurationError(f"{place} chains file systems by '::': give the URL of the data itself")
    match = _URL.match(url)
    scheme = match[1].lower() if match else ""
    if scheme in ON_REQUEST and scheme not in _allowed:
        raise ConfigurationError(
            f"{place}: {scheme}:// is read only where it was asked for: --allow-protocol {scheme}, or "
            f"gpucurate.allow_protocol({scheme!r})"
        )
    if scheme not in (*ALLOWED_SCHEMES, *ON_REQUEST):
        allowed = ", ".join(f"{s}://" for s in ALLOWED_SCHEMES)
        raise ConfigurationError(
            f"{place}: {scheme}:// is not read from; give a local path or one of {allowed}"
        )
    if redact_url(url) != url:
        raise ConfigurationError(
            f"{place} carries a password, token or signature: give credentials by the environment instead"
        )
    return scheme


def open_filesystem(url: str) -> tuple[Any, str]:
    """The fsspec file system of an allowed URL, and the path in it.

    Raises:
        ConfigurationError: the URL is not allowed, or its driver is not installed.
    """
    import fsspec

    scheme = scheme_of(url)
    try:
        if scheme in ON_REQUEST:
            from gpucurate.io.http import open_http

            return open_http(url), url
        filesystem = s3_filesystem() if scheme == "s3" else fsspec.filesystem(scheme)
    except ImportError as error:
        extra = _EXTRA_OF_SCHEME.get(scheme, scheme)
        raise ConfigurationError(
            f"{redact(url)}: reading {scheme}:// needs a driver: pip install 'gpucurate[{extra}]'"
        ) from error
    return filesystem, filesystem._strip_protocol(url)
