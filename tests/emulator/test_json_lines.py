"""The CUDA extractor finds, passes and copies what the CPU's does, bit for bit."""

import json

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gpucurate.ops.json_lines import MOST_FIELDS, cpu, cuda
from tests.emulator import json_material as material
from tests.emulator.backend import to_host
from tests.emulator.test_large_text import buffer_on


def agree(device, content, fields=("text", "id"), *, by=0, **limits):
    """Hold all three operations against the CPU's; which lines passed."""
    data = material.shifted(content, by)
    on_device = device.xp.asarray(data)
    lines = cpu.find_lines(data)
    same(cuda.find_lines(on_device, device), lines)
    starts, stops = map(device.xp.asarray, lines[:2])
    limits = {"max_depth": 250} | limits
    found, passed = cpu.scan_fields(data, *lines[:2], fields, **limits)
    scanned = cuda.scan_fields(on_device, starts, stops, fields, **limits, device=device)
    same(scanned, (found, passed))
    for f in range(len(fields)):
        same(cuda.copy_strings(on_device, scanned[0][:, f], device), cpu.copy_strings(data, found[:, f]))
    return passed


def same(given, expected):
    for on_device, on_host in zip(map(to_host, given), expected, strict=True):
        assert on_device.dtype == on_host.dtype
        assert np.array_equal(on_device, on_host)


def texts(values):
    """Lines whose text is each of the values, written as they are between quotes."""
    return b"\n".join(b'{"id": "a", "text": "' + value + b'", "n": 1}' for value in values)


@pytest.mark.parametrize("chunk_bytes", [2048, 7])
@pytest.mark.parametrize("content", material.LINES)
def test_lines_however_they_end(device, content, chunk_bytes):
    device.chunk_bytes = chunk_bytes
    agree(device, content)


def test_many_short_and_long_lines_on_a_small_grid(device):
    device.multiprocessors = 1
    lines = [material.record(n) for n in (0, 1, 480, 490, 500, 512, 1000, 20_000)] * 5
    assert agree(device, b"\n".join(lines)).all()


@pytest.mark.parametrize("by", [1, 15, 16, 31])
def test_bytes_that_begin_anywhere_in_memory(device, by):
    assert agree(device, b"\n".join(map(material.record, (0, 5, 33, 700))), by=by).all()


@pytest.mark.parametrize("by", [8, 13, 14, 15])
def test_lines_that_are_cut_off_anywhere(device, by):
    line = '{"b": [-1.5e3, true, {}], "a": "é\\u00e9\\ud83d\\ude00\\n", "text": "more than a block"}'.encode()
    for stop in range(1, len(line) + 1):
        assert agree(device, line[:stop], ("a", "text"), by=by).all() == (stop == len(line))


def test_every_byte_behind_a_backslash(device):
    values = [b"a\\" + bytes([c]) for c in range(256) if c != 10]
    assert agree(device, texts(values)).sum() == len(b'"\\/bfnrt')


def test_escaped_units_of_every_kind_at_every_place(device):
    units = rb"0000 0041 007f 0080 07ff 0800 d7ff E000 fFfF d83d\ude00 DBFF\uDfFf".split()
    broken = rb"1 12g4 d83d de00 d83d\u0041 d83d\\ude00 d83d\ud83d\ude00 de00\ud83d DBFF\n \u0041".split()
    values = [b"x" * n + b"\\u" + unit + b"y" for n in range(0, 40, 3) for unit in units + broken]
    passed = agree(device, texts(values)).reshape(-1, len(units + broken))
    assert passed[:, : len(units)].all()
    assert not passed[:, len(units) :].any()


def test_text_of_nothing_but_escapes(device):
    values = ["é漢\n" * 400, "😀" * 300, "\\" * 1500, '"' * 700, "\u4e2d" * 2000]
    lines = [json.dumps({"text": "a" * k + value}) for value in values for k in range(3)]
    assert agree(device, "\n".join(lines).encode()).all()


@pytest.mark.parametrize("name", material.SEQUENCES)
def test_characters_well_formed_and_not_at_every_place(device, name):
    before = [b"a" * n for n in (*range(41), *range(475, 500))]
    behind = [b"", b"zz", "é".encode()]
    passed = agree(device, texts(a + material.SEQUENCES[name] + b for a in before for b in behind))
    assert passed.all() if name.startswith("well") else not passed.any()


def test_runs_of_backslashes_across_the_ends_of_windows(device):
    counts = (*range(1, 40), 511, 512, 513, 1024, 1025)
    runs = [b"a" * n + b"\\" * k for n in (0, 470, 480, 490) for k in counts]
    passed = agree(device, texts(runs + [run + b'"' for run in runs]))
    odd = np.array([run.count(b"\\") % 2 for run in runs])
    assert np.array_equal(passed, np.concatenate([1 - odd, odd]))


@pytest.mark.parametrize("special", [b"\x00", b"\x1f", b"\x7f", b'"', b"\\n"])
def test_what_is_special_at_every_place(device, special):
    agree(device, texts(b"a" * n + special + b"b" * 20 for n in (*range(40), *range(480, 520, 3))))


@pytest.mark.parametrize("limits", [{}, {"only": True}, {"max_depth": 3}])
def test_structures_usual_and_not(device, limits):
    agree(device, b"\n".join(material.STRUCTURES), ("a", "b"), **limits)
    for line in material.STRUCTURES[:12]:  # at the end of the data, too
        agree(device, line, ("a", "b"), **limits)


def test_depth_up_to_its_limits(device):
    lines = [b'{"a": ' + b"[" * n + b"]" * n + b"}" for n in (0, 1, 2, 3, 58, 59, 60, 70, 300)]
    lines += [b'{"a": ' * n + b"1" + b"}" * n for n in (1, 4, 5, 59, 60, 61)]
    for max_depth in (0, 4, 59, 60, 1000):
        passed = agree(device, b"\n".join(lines), ("a",), max_depth=max_depth)
        assert passed.sum() == {0: 0, 4: 5, 59: 8, 60: 10, 1000: 10}[max_depth]


@pytest.mark.parametrize("count", [1, 2, MOST_FIELDS])
def test_any_number_of_fields(device, count):
    names = ["text", "f1", "", "f" * 40, "é", "f" * 39 + "g"]
    fields = [names[i % 6] + str(i) * (i > 5) for i in range(count)]
    record = {name: i if i % 3 else f"{name}\n" for i, name in enumerate(reversed(fields))}
    records = [record | {"more": 1}, record, {}]
    lines = "\n".join(json.dumps(each, ensure_ascii=False) for each in records).encode()
    for only in (False, True):
        assert agree(device, lines, fields, only=only).tolist() == [not only, True, True]


def test_a_line_of_a_megabyte(device):
    if getattr(device, "order", 1) != 1:
        pytest.skip("one order is enough for what takes a second")
    text = "ordinary text, \u00e9t\u00e9 \U0001f600\n" * 40_000
    record = {"text": text, "id": text[:9]}
    lines = [json.dumps(record), json.dumps(record, ensure_ascii=False), " " * 99_999]
    assert agree(device, "\n".join(lines).encode()).tolist() == [True, True, False]


def test_lines_across_the_border_of_32_bits(device, tmp_path):
    content = material.shifted(b"\n".join(map(material.record, (0, 5, 700))), 0)
    start = 2**31 - 20
    data = buffer_on(device, tmp_path, 2**31 + 4096)
    data[start : start + len(content)] = device.xp.asarray(content)
    lines = [each + start for each in cpu.find_lines(content)[:2]]
    fields = ("text", "id")
    expected = cpu.scan_fields(to_host(data), *lines, fields, max_depth=9)
    scanned = cuda.scan_fields(data, *map(device.xp.asarray, lines), fields, max_depth=9, device=device)
    same(scanned, expected)
    assert expected[1].all()
    for f in range(2):
        copied = cuda.copy_strings(data, scanned[0][:, f], device)
        same(copied, cpu.copy_strings(to_host(data), expected[0][:, f]))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(material.lines_of_any_kind(), max_size=12), st.sampled_from([3, 250]), st.booleans())
def test_any_lines(device, lines, max_depth, only):
    device.chunk_bytes = 33
    agree(device, b"\n".join(lines), ("text", "id", "", "téxt"), max_depth=max_depth, only=only)
