"""What a file is that turns out not to hold a JSON object a line."""

from __future__ import annotations

import re

HEAD_BYTES = 4096

_MAGICS = ((b"\x1f\x8b", "gzip"), (b"\x28\xb5\x2f\xfd", "zstd"), (b"PAR1", "Parquet"), (b"PK\x03\x04", "zip"),
           (b"BZh", "bzip2"), (b"\xfd7zXZ", "xz"), (b"ARROW1", "Arrow IPC"))  # fmt: skip


def foreign_encoding(head: bytes) -> str | None:
    """The encoding or container that makes the file unreadable as UTF-8 lines, or None."""
    if head[:4] in (b"\xff\xfe\0\0", b"\0\0\xfe\xff"):
        return "UTF-32"
    if head[:2] in (b"\xff\xfe", b"\xfe\xff") or _is_utf16_object(head):
        return "UTF-16"
    return None


def foreign_container(head: bytes) -> str | None:
    """The binary format that the first bytes tell, or None."""
    return next((name for magic, name in _MAGICS if head.startswith(magic)), None)


def _is_utf16_object(head: bytes) -> bool:
    """An opening brace as two bytes, and every other byte zero after it."""
    little, big = head[:4], head[1:5]
    return any(len(h) == 4 and h[0] == 0x7B and h[1] == 0 and h[2] != 0 and h[3] == 0 for h in (little,)) or (
        head[:1] == b"\0" and big[:2] == b"{\0" and len(big) == 4
    )


def layout_hint(head: bytes) -> str:
    """A sentence on what the file seems to be, by its first bytes; empty if nothing is odd."""
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip(b" \t\r\n")
    first_line = text.split(b"\n", 1)[0].strip()
    if b"\r" in head and b"\n" not in head:
        return "; the file ends its lines by CR alone: convert it, for example by tr '\\r' '\\n'"
    if text.startswith(b"["):
        return "; the file is a JSON array: write its elements one a line, for example by jq -c '.[]'"
    if first_line == b"{" or (first_line.startswith(b"{") and first_line.endswith(b",")):
        return "; the file is pretty-printed JSON: write one record a line, for example by jq -c ."
    if re.match(rb"\{[^\n]*\}\s*\{", first_line):
        return (
            "; the file holds records without a newline between them: separate them, for example by jq -c ."
        )
    if re.match(rb"(?i)<(!doctype|html|\?xml)", text):
        return "; the file is HTML or XML, perhaps an error page"
    if not text.startswith(b"{") and re.match(rb'[\w" ]+([,;\t])[\w" ,;\t]+$', first_line):
        return "; the file looks like CSV"
    return ""
