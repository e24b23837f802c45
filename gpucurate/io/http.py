"""Files of web servers, one URL each: read by ranges, and never from a refused address."""

from __future__ import annotations

import socket
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from fsspec.implementations.http import HTTPFileSystem

from gpucurate.io.addresses import check_address, check_host
from gpucurate.spec.errors import ConfigurationError


def open_http(url: str) -> HTTPFileSystem:
    """The file system for a URL.

    Raises:
        ConfigurationError: a URL with a query or fragment, or of a refused host.
    """
    parts = urlsplit(url)
    if parts.query or parts.fragment:
        raise ConfigurationError(
            f"{url.partition('?')[0].partition('#')[0]} is given with a query or fragment, which may carry "
            "secrets and would be part of the run's records: give the plain URL of a file"
        )
    if not parts.hostname:
        raise ConfigurationError(f"{url} names no host: give the URL of a file")
    check_host(parts.hostname)
    return WebFiles()


class WebFiles(HTTPFileSystem):  # type: ignore[misc]
    """fsspec's HTTP, with each connection checked as it is made: redirects and changed names included."""

    def __init__(self, **options: Any) -> None:
        super().__init__(get_client=_client, **options)

    async def _exists(self, path: str, strict: bool = False, **kwargs: Any) -> bool:
        return True  # what it is tells _info, in one request

    async def _info(self, url: str, **kwargs: Any) -> dict[str, Any]:
        try:
            info: dict[str, Any] = await super()._info(url, **kwargs)
        except FileNotFoundError as error:
            raise _cause(error) from error
        if info.get("size") is None:
            raise OSError("the server does not say how many bytes it has")
        return info

    async def _cat_file(
        self, url: str, start: int | None = None, end: int | None = None, **kwargs: Any
    ) -> bytes:
        block: bytes = await super()._cat_file(url, start=start, end=end, **kwargs)
        if start is not None and end is not None and len(block) != end - start:
            raise OSError(f"the server sent {len(block):,} bytes where {end - start:,} were asked for")
        return block


def _cause(error: FileNotFoundError) -> Exception:
    """What fsspec takes for a file that is not there."""
    cause = error.__cause__
    if isinstance(cause, ConfigurationError):
        return cause
    if isinstance(cause, aiohttp.ClientResponseError) and cause.status not in (404, 410):
        return OSError(f"the server answered {cause.status}")
    if isinstance(cause, aiohttp.ClientError) and not isinstance(cause, aiohttp.ClientResponseError):
        return OSError(f"{type(cause).__name__}: {cause}")
    return error


async def _client(**options: Any) -> aiohttp.ClientSession:
    options.pop("loop", None)
    return aiohttp.ClientSession(connector=aiohttp.TCPConnector(socket_factory=_socket), **options)


def _socket(address: Any) -> socket.socket:
    """A socket for an address that was found for a name, and is not refused."""
    family, kind, protocol, _, place = address
    check_address(place[0])
    return socket.socket(family, kind, protocol)
