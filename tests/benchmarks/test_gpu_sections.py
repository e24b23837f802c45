"""Every section of the GPU benchmark runs to its end in the emulator; its times mean nothing there."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.gpu.rows import row_of
from tests.emulated import SITE, environment
from tests.emulator.emu import missing_compiler

STAND_IN = Path(__file__).parent / "stand_in"

pytestmark = pytest.mark.skipif(missing_compiler() is not None, reason="no emulator: no C++ compiler")


def bench(request, tmp_path, *only, with_cudf):
    """Rows of some sections by name, run as a user runs them."""
    found = environment(Path(request.config.cache.mkdir("emulator")))
    if with_cudf:
        found["PYTHONPATH"] = f"{STAND_IN}:{found['PYTHONPATH']}"
    else:
        found["PYTHONPATH"] = found["PYTHONPATH"].replace(str(SITE), str(without_cudf(tmp_path / "site")))
    output = tmp_path / "rows.json"
    options = ["--smoke", "--folder", str(tmp_path / "work"), "--output", str(output), "--only", *only]
    command = [sys.executable, "-m", "benchmarks.gpu.bench_gpu", *options]
    done = subprocess.run(command, env={**os.environ, **found}, capture_output=True, text=True, check=False)
    rows = [row_of(values) for values in json.loads(output.read_text())["rows"]]
    assert [row for row in rows if row.error] == [], done.stderr
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("| section | what |") == 1
    return {row.name: row for row in rows}


def without_cudf(folder):
    """The stand-ins but those of cuDF."""
    folder.mkdir()
    for package in SITE.iterdir():
        if package.name not in ("cudf", "pylibcudf"):
            (folder / package.name).symlink_to(package)
    return folder


def test_ceilings_are_measured_and_kernels_held_against_them(request, tmp_path):
    rows = bench(request, tmp_path, "machine,ceilings,kernels", with_cudf=False)
    assert "emulated" in rows["GPU"].note
    for name in ("device read", "products, 32 bits", "minima, 32 bits", "MinHash steps", "launch and wait"):
        assert rows[name].figure > 0, name
    for name in ("document_hash", "json_lines, scan two fields", "minhash, affine32, 24 characters, K=260"):
        row = rows[name]
        assert min(row.figure, row.kernels, row.ceiling) > 0, name
        assert row.share == pytest.approx(row.kernels / row.ceiling)
    read, steps = rows["device read"].figure, rows["MinHash steps"].figure
    assert rows["document_hash"].ceiling == pytest.approx(read)
    assert rows["minhash, affine32, 5 characters, K=128"].ceiling == pytest.approx(1000 * steps / 64)
    assert rows["minhash, affine32, 5 words, K=128"].ceiling is None
    assert rows["grouping, join equal keys"].goal == 5
    assert rows["grouping, sort"].kernels is None
    assert rows["json_lines, find"].note.endswith("0 of them unusual")


def test_readers_put_both_formats_on_the_device_beside_cudfs(request, tmp_path):
    rows = bench(request, tmp_path, "readers", with_cudf=True)
    assert sum("to the device" in name for name in rows) == 4
    assert rows["cudf.read_json, a file at a time"].figure > 0


def test_end_to_end_is_held_against_the_cpu_and_the_baseline(request, tmp_path):
    rows = bench(request, tmp_path, "end_to_end.jsonl", with_cudf=True)
    baseline = "cuda, --preset nemo against baseline: NeMo Curator's stage order, stock cuDF"
    for name in ("cuda against cpu", baseline):
        assert rows[f"jsonl: {name}"].note == "both keep as many"
    assert rows["jsonl: cuda"].goal == 5
    assert "the run itself" in rows["jsonl: cuda"].note
    assert rows["jsonl: cuda: moved up"].figure > 0
    assert not list((tmp_path / "work").glob("output-*"))


def test_without_cudf_what_needs_it_is_listed_and_the_rest_runs(request, tmp_path):
    rows = bench(request, tmp_path, "end_to_end.parquet", "cudf", "readers.cudf", with_cudf=False)
    assert rows["all of it"].skipped == "cudf is not installed"
    baseline = rows["parquet: baseline: NeMo Curator's stage order, stock cuDF"]
    assert baseline.skipped == "cudf is not installed"
    assert rows["parquet: cuda against cpu"].note == "both keep as many"
