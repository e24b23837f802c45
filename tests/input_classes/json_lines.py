"""Classes of JSON lines: records, characters, ends of lines, layouts."""

from __future__ import annotations

import gzip
import json

from tests.input_classes.declared import BadFile, jsonl, lines, raw, texts

RECORDS: dict[str, BadFile] = {
    "non-objects": jsonl(1, [1], "s", 3, None, rejects={"not_an_object": 4}),
    "cut off": raw(2, b'{"text": "abc', rejects={"bad_json": 1}),
    "invalid UTF-8": jsonl(3, b'{"text": "a\xffb"}', rejects={"invalid_utf8": 1}, says="byte 11"),
    "NUL": jsonl(4, rb'{"text": "a\u0000b"}', kept=1, is_copied=True),
    "no text": jsonl(5, {"id": 1}, rejects={"missing_text": 1}),
    "null text": jsonl(6, {"text": None}, rejects={"null_text": 1}),
    "number as text": jsonl(7, {"text": 7}, rejects={"wrong_type": 1}),
    "lone surrogate": jsonl(12, rb'{"text": "\ud83d"}', rejects={"bad_json": 1}),
    "duplicate key": jsonl(13, b'{"text": "good 0", "text": "last"}', kept=1, is_copied=True),
    "NaN": jsonl(14, b'{"text": "nan", "x": NaN}', rejects={"bad_json": 1}),
    "ids of two types": jsonl(15, {"id": 1, "text": "one"}, {"id": "1", "text": "two"}, kept=2),
    "integer beyond 64 bits": jsonl(16, {"text": "big", "x": 10**30}, kept=1, is_copied=True),
    "3,000 deep": jsonl(
        18, b'{"text": "deep", "x": ' + b"[" * 3000 + b"]" * 3000 + b"}", rejects={"too_deep": 1}
    ),
    "3,000 deep and not closed": jsonl(18, b'{"a":' * 3000, rejects={"too_deep": 1}),
    "250 deep": jsonl(18, b'{"text": "deep", "x": ' + b"[" * 249 + b"]" * 249 + b"}", kept=1),
    "a line of 5 MB": jsonl(
        26,
        {"text": "before"},
        {"text": "x" * 5_000_000},
        {"text": "after"},
        kept=2,
        rejects={"too_large": 1},
        says="more than the 1000000 allowed",
    ),
    "equal ids": jsonl(28, {"id": 1, "text": "one"}, {"id": 1, "text": "two"}, kept=2),
    "ids in some records": jsonl(29, {"id": 1, "text": "one"}, {"text": "two"}, kept=2),
}

CHARACTERS: dict[str, BadFile] = {
    "white space, zero width, control characters": jsonl(
        30, *({"text": text} for text in (" \t", "\u200b", "\x01", "", "\u0301" * 99)), kept=5
    ),
    "a word of 900 kB and 400,000 of one letter": jsonl(
        31, {"text": "w" * 900_000}, {"text": "a " * 400_000}, kept=2
    ),
    "overrides, joiners, NFC and NFD, non-characters, private use": jsonl(
        32, '{"text": "\u202ea\U0001f469\u200d\U0001f467 \u00e9 e\u0301 \ufffe\ue000\U0010ffff"}'.encode(),
        kept=1, is_copied=True,
    ),
    "line separators within": jsonl(
        33, '{"text": "a\u2028b\u2029c\u0085d"}'.encode(), rb'{"text": "a\u000bb\fc"}', kept=2, is_copied=True
    ),
}  # fmt: skip

LAYOUTS: dict[str, BadFile] = {
    "byte order mark": raw(8, b"\xef\xbb\xbf" + texts("mark", 1), kept=1),
    "CRLF": raw(9, texts("crlf", 2).replace(b"\n", b"\r\n"), kept=2),
    "blank lines": raw(10, b"\n \n" + texts("blank", 2).replace(b"\n", b"\n\t\n\r\n"), kept=2),
    "no last newline": raw(11, texts("end", 2)[:-1], kept=2),
    "empty": raw(17, b""),
    "UTF-16": raw(19, texts("wide", 3).decode().encode("utf-16"), rejects={"encoding": 1}, says="UTF-16"),
    "UTF-16 without a mark": raw(
        19, texts("wide", 3).decode().encode("utf-16-be"), rejects={"encoding": 1}, says="UTF-16"
    ),
    "CR alone": raw(34, texts("mac", 2).replace(b"\n", b"\r"), rejects={"bad_json": 1}, says="CR alone"),
    "JSON array": jsonl(35, [{"text": "a"}], rejects={"not_an_object": 1}, says="jq -c '.[]'"),
    "pretty-printed": raw(
        35, json.dumps({"text": "a"}, indent=2).encode(), rejects={"bad_json": 3}, says="jq -c ."
    ),
    "concatenated": raw(
        35, texts("joined", 2).replace(b"\n", b""), rejects={"bad_json": 1}, says="without a newline"
    ),
    "other columns": jsonl(36, {"x": 1, "text": "more", "y": [2]}, {"y": {}, "text": "order"}, kept=2),
    "string and object in one column": jsonl(
        37, {"x": {"a": {}}, "text": "nested"}, {"text": "string", "x": "s"}, kept=2, is_copied=True
    ),
    "odd field names": jsonl(39, {"text": "odd", "a.b": 1, "c d": 2, 'e"': 3, "": 4}, kept=1, is_copied=True),
    "10,000 columns": jsonl(39, {"text": "wide", **{f"c{i}": i for i in range(10_000)}}, kept=1),
    "CSV": raw(47, b"id,text\n1,a\n", rejects={"bad_json": 2}, says="CSV"),
    "HTML": raw(47, b"<!DOCTYPE html>\n<p>502\n", rejects={"bad_json": 2}, says="HTML"),
    "gzip named .jsonl": raw(22, gzip.compress(texts("packed", 3)), rejects={"corrupt_file": 1}, says="gzip"),
    "bytes of nothing": raw(47, bytes(range(1, 256)) * 3, rejects={"invalid_utf8": 3, "bad_json": 1}),
    "NUL bytes": raw(47, lines({"text": "before"}) + bytes(5000), kept=1, rejects={"bad_json": 1}),
}
