"""Files that are not JSON lines in UTF-8 at all, and what the rejects say of them."""

import json

import pytest

from gpucurate.spec.errors import InputError
from tests.io.reading import ReadLimits, read

RECORDS = [{"id": i, "text": f"text {i}"} for i in range(3)]
LINES = "".join(json.dumps(r) + "\n" for r in RECORDS)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
@pytest.mark.parametrize("unit", [16, 1 << 20])
def test_another_encoding_is_one_reject_of_the_file(tmp_path, encoding, unit):
    path = tmp_path / "a.jsonl"
    path.write_bytes(LINES.encode(encoding))
    outcome = read(path, unit)
    assert outcome.reasons == [("encoding", None)]
    assert (outcome.rows, outcome.num_records) == ([], 0)
    assert "UTF-" in outcome.rejects[0][3]


@pytest.mark.parametrize(
    "magic, name", [(b"\x1f\x8b\x08", "gzip"), (b"PAR1", "Parquet"), (b"PK\x03\x04", "zip")]
)
def test_a_binary_file_named_jsonl_is_one_reject(tmp_path, magic, name):
    path = tmp_path / "a.jsonl"
    path.write_bytes(magic + b"\0\n" * 100)
    outcome = read(path, 16)
    assert outcome.reasons == [("corrupt_file", None)]
    assert name in outcome.rejects[0][3]


def test_a_broken_file_is_an_error_if_it_should_be(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_bytes(LINES.encode("utf-16"))
    with pytest.raises(InputError, match=r"a\.jsonl is broken at byte 0: the file is UTF-16"):
        read(path, limits=ReadLimits(on_corrupt="fail"))


LAYOUTS = {
    "array": (json.dumps(RECORDS), "JSON array", {"not_an_object": 1}),
    "array, a line each": (
        "[\n" + ",\n".join(map(json.dumps, RECORDS)) + "\n]",
        "JSON array",
        {"bad_json": 4},
    ),
    "pretty-printed": (json.dumps(RECORDS[0], indent=2), "pretty-printed", {"bad_json": 4}),
    "concatenated": ("".join(map(json.dumps, RECORDS)), "without a newline", {"bad_json": 1}),
    "CR only": ("\r".join(map(json.dumps, RECORDS)), "CR alone", {"bad_json": 1}),
    "CSV": ('id,text\n1,"a"\n2,"b"\n', "CSV", {"bad_json": 3}),
    "HTML": ("<!DOCTYPE html>\n<p>Not found", "HTML", {"bad_json": 2}),
}


@pytest.mark.parametrize("content, hint, reasons", LAYOUTS.values(), ids=LAYOUTS)
def test_the_rejects_name_the_layout_of_the_file(tmp_path, content, hint, reasons):
    path = tmp_path / "a.jsonl"
    path.write_text(content, newline="")
    outcome = read(path)
    counted = {}
    for reason, _, _, detail, _ in outcome.rejects:
        counted[reason] = counted.get(reason, 0) + 1
        assert hint in detail
    assert counted == reasons


def test_a_single_bad_line_in_a_good_file_gets_no_hint(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text(LINES + "{broken\n")
    ((reason, _, _, detail, _),) = read(path).rejects
    assert (reason, ";" in detail) == ("bad_json", False)
