"""Asking a store again when it was only busy, or the network was."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from typing import TypeVar

T = TypeVar("T")

MOST_TRIES = 5
MOST_SECONDS = 120.0
FIRST_WAIT, LONGEST_WAIT = 0.5, 20.0
"""Seconds: a wait is drawn from between 0 and a bound that doubles with each try ("full jitter", Brooker:
Exponential Backoff and Jitter, AWS Architecture Blog, 2015)."""

MISSING_TRIES = 3
"""Tries of what was listed a moment ago and is said not to be there."""

_BUSY_CODES = frozenset(
    {
        "SlowDown",
        "ServiceUnavailable",
        "InternalError",
        "RequestTimeout",
        "RequestTimeoutException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequests",
        "RequestLimitExceeded",
        "BandwidthLimitExceeded",
        "OperationAborted",
        "ConditionalRequestConflict",
        "XAmzContentSHA256Mismatch",
    }
)
_BUSY_ERRNO = frozenset(
    {
        errno.ECONNRESET,
        errno.ECONNREFUSED,
        errno.ECONNABORTED,
        errno.ENETUNREACH,
        errno.EHOSTUNREACH,
        errno.ETIMEDOUT,
        errno.EPIPE,
        errno.EBUSY,
        errno.EAGAIN,
    }
)
_NETWORK_NAMES = frozenset(
    {
        "ClientPayloadError",
        "ServerDisconnectedError",
        "ClientConnectionError",
        "ClientOSError",
        "HTTPClientError",
        "ConnectionError",
        "IncompleteRead",
        "IncompleteReadError",
        "ResponseParserError",
        "FSTimeoutError",
        "ServiceRequestError",
        "ServiceResponseError",
    }
)
"""Classes of the drivers' own, looked for among the bases: no driver has to be installed for that."""


class GaveUpError(OSError):
    """It went wrong in passing so often that it is not taken to be in passing any more."""


def retried(call: Callable[[], T], *, was_listed: bool = False) -> T:
    """What ``call`` returns, tried again after errors that pass: a busy store, a broken connection.

    At most :data:`MOST_TRIES` times, and not begun again after :data:`MOST_SECONDS`.

    Args:
        call: harmless when it is done twice.
        was_listed: the object was listed a moment ago; if it is not there, the store may not know yet.

    Raises:
        GaveUpError: naming the last error, and the number of tries.
        OSError: one that does not pass, as it came.
    """
    from tenacity import RetryError, Retrying, retry_if_exception, stop_after_attempt, stop_after_delay
    from tenacity.wait import wait_random_exponential

    missing = iter(range(MISSING_TRIES - 1))

    def is_worth_it(error: BaseException) -> bool:
        if was_listed and isinstance(error, FileNotFoundError):
            return next(missing, None) is not None
        return is_transient(error)

    attempts = Retrying(
        stop=stop_after_attempt(MOST_TRIES) | stop_after_delay(MOST_SECONDS),
        wait=wait_random_exponential(multiplier=FIRST_WAIT, max=LONGEST_WAIT),
        retry=retry_if_exception(is_worth_it),
    )
    try:
        return attempts(call)
    except RetryError as gave_up:
        last = gave_up.last_attempt.exception()
        tries = gave_up.last_attempt.attempt_number
        raise GaveUpError(f"{sentence_of(last)} (the last of {tries} tries)") from last


def is_transient(error: BaseException) -> bool:
    """Whether the same request may well succeed a moment later."""
    if isinstance(error, GaveUpError):
        return False
    for each in _chain(error):
        status, code = answer_of(each)
        if code in _BUSY_CODES or (status is not None and (status >= 500 or status == 429)):
            return True
        if _is_network(each):  # though what it comes from may have a status, as a body that was cut has
            return True
        if status is not None:
            return False  # the store has answered, and means it
    return False


def answer_of(error: BaseException) -> tuple[int | None, str | None]:
    """Status and code that a store answered with, as the drivers of S3, Google and Azure keep them."""
    response = getattr(error, "response", None)
    if isinstance(response, dict):  # botocore
        code = str(response.get("Error", {}).get("Code", ""))
        status = response.get("ResponseMetadata", {}).get("HTTPStatusCode")
        return (status if isinstance(status, int) else None), code
    for name in ("status_code", "status", "code"):
        value = getattr(error, name, None)
        if isinstance(value, int) and 400 <= value < 600:
            return value, None
    return None, None


def code_of(error: BaseException) -> str | None:
    """What a store called the error, if it was asked and has answered."""
    return next((code for each in _chain(error) if (code := answer_of(each)[1])), None)


def sentence_of(error: BaseException | None) -> str:
    """What an error says."""
    reason = getattr(error, "strerror", None) or str(error)
    return reason or type(error).__name__


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error and what it comes from."""
    seen: set[int] = set()
    here: BaseException | None = error
    while here is not None and id(here) not in seen:
        seen.add(id(here))
        yield here
        here = here.__cause__ or (None if here.__suppress_context__ else here.__context__)


def _is_network(error: BaseException) -> bool:
    if isinstance(error, FileNotFoundError | PermissionError | FileExistsError):
        return False
    if isinstance(error, TimeoutError | ConnectionError):
        return True
    if isinstance(error, OSError) and error.errno in _BUSY_ERRNO:
        return True
    return any(base.__name__ in _NETWORK_NAMES for base in type(error).__mro__)
