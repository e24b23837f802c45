"""Texts as they may be shown, logged and kept: without secrets, and without what a terminal obeys."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping

HIDDEN = "***"

SHORTEST_SECRET = 8
"""Characters: what a variable of the environment holds of fewer is no secret worth the name."""

_NAMES = (
    r"token|secret|passw(?:or)?d|passphrase|credentials?|signature|authorization|bearer"
    r"|(?:api|access|account|secret|private|encryption|shared)[_-]?key(?:[_-]?id)?"
)
_VALUE = r"""(?:"[^"\n]*"|'[^'\n]*'|[^\s&#;,'")\]}]+)"""

# Each begins where few places can and ends at the next blank or quote, so that all are linear in the text:
# of a name only the end is looked for.
_USERINFO = re.compile(r"(://)[^/\s:@]*:[^/\s@]*@|(\bhttps?://)[^/\s@]+@", re.IGNORECASE)
_PARAMETER = re.compile(
    rf"((?:x-(?:amz|goog)-[a-z-]{{1,40}}|{_NAMES})=)(?!{re.escape(HIDDEN)}){_VALUE}"
    rf"|([?&;](?:sig|key|awsaccesskeyid|auth)=)(?!{re.escape(HIDDEN)})[^&#\s]+",
    re.IGNORECASE,
)
_ENTRY = re.compile(rf"""((?:{_NAMES})["']\s?:\s?){_VALUE}""", re.IGNORECASE)
_HEADER = re.compile(r"(\b(?:authorization:|bearer)\s)\s?(?:bearer\s|basic\s)?[\w.~+/=-]{8,}", re.IGNORECASE)
_SHAPES = re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b|\bhf_[A-Za-z0-9]{20,200}\b")

_SECRET_NAME = re.compile(rf"(?:{_NAMES})$", re.IGNORECASE)
_SECRET_VARIABLE = re.compile(r"KEY|TOKEN|SECRET|PASSW|CREDENTIAL", re.IGNORECASE)
_PLACE_VARIABLE = re.compile(r"(?:PATH|FILE|DIR|FOLDER|HOME|SOCK|MODE)$", re.IGNORECASE)


def is_secret_name(name: str) -> bool:
    """Whether what a setting of this name holds is a secret, such as ``hf_token`` or ``api_key``."""
    return bool(_SECRET_NAME.search(name))


def redact_url(place: str) -> str:
    """A path or URL without passwords, signatures and tokens.

    >>> redact_url("s3://me:secret@bucket/x?token=abc")
    's3://***@bucket/x?token=***'
    """
    hidden = _USERINFO.sub(lambda found: f"{found[1] or found[2]}{HIDDEN}@", place)
    return _PARAMETER.sub(lambda found: f"{found[1] or found[2]}{HIDDEN}", hidden)


def redact(text: str) -> str:
    """A message, path or traceback without what looks like a secret.

    That is: passwords, signatures and tokens of URLs; values of names such as ``token``, ``secret`` or
    ``api_key`` in calls, dictionaries and headers; keys of well-known shapes; and what variables of the
    environment hold whose names have KEY, TOKEN, SECRET, PASSW or CREDENTIAL in them.
    """
    text = redact_url(text)
    for pattern in (_ENTRY, _HEADER):
        text = pattern.sub(rf"\g<1>{HIDDEN}", text)
    text = _SHAPES.sub(HIDDEN, text)
    for value in secret_values(os.environ):
        text = text.replace(value, HIDDEN)
    return text


def secret_values(environment: Mapping[str, str]) -> Iterator[str]:
    """What variables hold that are secret by their name; not where a secret lies."""
    for name, value in environment.items():
        is_secret = _SECRET_VARIABLE.search(name) and not _PLACE_VARIABLE.search(name)
        if is_secret and len(value) >= SHORTEST_SECRET:
            yield value


def printable(text: str, keep: str = "") -> str:
    r"""A text without control characters, escape sequences and marks of direction.

    Args:
        text: any.
        keep: characters that stay, such as ``\n``.
    """
    return "".join(c if c.isprintable() or c in keep else "\N{REPLACEMENT CHARACTER}" for c in text)


def shown(text: str) -> str:
    """A text of one or more lines as it may go to a terminal."""
    return printable(redact(text), keep="\n")
