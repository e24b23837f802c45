"""Which places may be read: local paths, and URLs of stores on an allow-list."""

from __future__ import annotations

import re
from typing import Any

from gpucurate.io.s3 import s3_filesystem
from gpucurate.spec.errors import ConfigurationError

ALLOWED_SCHEMES = ("file", "memory", "s3", "gs", "abfs", "hf")
_EXTRA_OF_SCHEME = {"s3": "s3", "gs": "gcs", "abfs": "azure", "hf": "hf"}
_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_CHAIN = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*::")
_USERINFO = re.compile(r"(://)[^/@]*:[^/@]*@")
_SECRET = re.compile(r"(?i)((?:x-amz-[a-z-]+|token|access_token|sig|signature|key|secret|password)=)[^&#\s]+")


def is_url(place: str) -> bool:
    """Whether ``place`` is a URL or a chain of them, rather than a path of this machine."""
    return bool(_URL.match(place) or _CHAIN.match(place))


def redact(place: str) -> str:
    """``place`` as it may be shown: without passwords, signatures and tokens.

    >>> redact("s3://me:secret@bucket/x?token=abc")
    's3://***@bucket/x?token=***'
    """
    return _SECRET.sub(r"\1***", _USERINFO.sub(r"\1***@", place))


def scheme_of(url: str) -> str:
    """The scheme of a URL, once it is known to be allowed.

    Raises:
        ConfigurationError: chained, not on the allow-list, or with a password inside.
    """
    shown = redact(url)
    if "::" in url.split("/", 1)[0]:
        raise ConfigurationError(f"{shown} chains file systems by '::': give the URL of the data itself")
    match = _URL.match(url)
    scheme = match[1].lower() if match else ""
    if scheme not in ALLOWED_SCHEMES:
        allowed = ", ".join(f"{s}://" for s in ALLOWED_SCHEMES)
        raise ConfigurationError(
            f"{shown}: {scheme}:// is not read from; give a local path or one of {allowed}"
        )
    if _USERINFO.search(url):
        raise ConfigurationError(f"{shown} carries a password: give credentials by the environment instead")
    return scheme


def open_filesystem(url: str) -> tuple[Any, str]:
    """The fsspec file system of an allowed URL, and the path in it.

    Raises:
        ConfigurationError: the URL is not allowed, or its driver is not installed.
    """
    import fsspec

    scheme = scheme_of(url)
    try:
        filesystem = s3_filesystem() if scheme == "s3" else fsspec.filesystem(scheme)
    except ImportError as error:
        extra = _EXTRA_OF_SCHEME.get(scheme, scheme)
        raise ConfigurationError(
            f"{redact(url)}: reading {scheme}:// needs a driver: pip install 'gpucurate[{extra}]'"
        ) from error
    return filesystem, filesystem._strip_protocol(url)
