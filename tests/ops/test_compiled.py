"""Compilation: once a function, cached, also where nothing beside the source can be written."""

import importlib
import os
import pkgutil
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import numba
import numpy as np
import pytest

import gpucurate.ops
from gpucurate.frame.text import TextBuffers
from gpucurate.ops import compiled
from gpucurate.ops.buffers import read_only, text_arrays
from gpucurate.ops.warm_up import is_warm, warm_up


def kernels():
    """All compiled functions of ops, by name."""
    found = {}
    for module in pkgutil.walk_packages(gpucurate.ops.__path__, "gpucurate.ops."):
        if not module.name.endswith((".cuda", ".generate")):
            for thing in vars(importlib.import_module(module.name)).values():
                if isinstance(thing, numba.core.dispatcher.Dispatcher):
                    found[f"{thing.py_func.__module__}.{thing.py_func.__name__}"] = thing
    return found


def test_every_operation_is_compiled_once_by_warming_up():
    script = """
import numba
from gpucurate.ops.warm_up import warm_up
from tests.ops.test_compiled import kernels
from tests.ops import texts
warm_up()
before = {name: len(kernel.signatures) for name, kernel in kernels().items()}
from gpucurate.ops.minhash import MinHashParams, band_keys, signatures
from gpucurate.ops.normalize import normalize
from gpucurate.ops.document_hash import document_hash
from gpucurate.ops.char_length import char_length
for text in (texts.as_slice(texts.AWKWARD), normalize(texts.as_slice(texts.AWKWARD))):
    for operation in (normalize, document_hash, char_length):
        operation(text)
    for shingle in ("char", "word"):
        band_keys(text, MinHashParams(shingle=shingle))
        signatures(text, MinHashParams(20, 13, shingle))
after = {name: len(kernel.signatures) for name, kernel in kernels().items()}
assert before == after, {name for name in after if before[name] != after[name]}
assert max(after.values()) == 1, after
"""
    subprocess.run([sys.executable, "-c", script], check=True, cwd=Path(__file__).parents[2])


def test_the_default_loads_no_other_rule_and_each_is_compiled_once():
    script = """
import sys
import numpy as np
from gpucurate.ops.warm_up import is_warm, warm_up
from gpucurate.ops.jaccard import shared_shingles
from gpucurate.ops.minhash import MinHashParams, signatures
from tests.ops import texts
warm_up()
rules = ("fss", "nvtext32", "nvtext64")
assert not [rule for rule in rules if f"gpucurate.ops.minhash.{rule}" in sys.modules]
assert "gpucurate.ops.jaccard.cpu" not in sys.modules
text = texts.as_slice(texts.AWKWARD)
rows = np.arange(len(text), dtype=np.uint32)
for rule in rules:
    warm_up(MinHashParams(rule=rule))
    assert is_warm(MinHashParams(rule=rule))
    signatures(text, MinHashParams(20, 13, rule=rule))
for shingle in ("char", "word"):
    signatures(text, MinHashParams(shingle=shingle, rule="fss"))
    shared_shingles(text, rows, rows[::-1], MinHashParams(shingle=shingle))
from tests.ops.test_compiled import kernels
# For signatures of 32 and of 64 bits:
twice = {"gpucurate.ops.minhash.rows.write_row", "gpucurate.ops.minhash.rows._band_key"}
counts = {name: len(kernel.signatures) for name, kernel in kernels().items() if name not in twice}
assert max(counts.values()) == 1, counts
"""
    subprocess.run([sys.executable, "-c", script], check=True, cwd=Path(__file__).parents[2])


@pytest.fixture
def copy_of_kernel(tmp_path):
    """A module with one kernel that calls another, of another file."""
    (tmp_path / "inner_kernel.py").write_text(
        "from gpucurate.ops.compiled import kernel\n@kernel\ndef inner():\n    return 1\n"
    )
    (tmp_path / "outer_kernel.py").write_text(
        "from gpucurate.ops.compiled import is_cached, kernel\nfrom inner_kernel import inner\n"
        "@kernel\ndef outer():\n    return inner()\nprint(is_cached(outer), outer())\n"
    )
    return tmp_path


def run_outer(folder, **environment):
    done = subprocess.run(
        [sys.executable, "-B", "-c", "import outer_kernel"],
        check=True,
        capture_output=True,
        text=True,
        cwd=folder,
        env={**os.environ, **environment},
    )
    return done.stdout.split()


def test_a_second_process_loads_what_the_first_compiled_and_a_change_of_another_file_is_seen(copy_of_kernel):
    assert run_outer(copy_of_kernel) == ["False", "1"]
    assert run_outer(copy_of_kernel) == ["True", "1"]
    inner = copy_of_kernel / "inner_kernel.py"
    inner.write_text(inner.read_text().replace("return 1", "return 2"))
    assert run_outer(copy_of_kernel) == ["False", "2"]


def test_without_any_place_to_write_the_temporary_folder_serves(monkeypatch, tmp_path):
    def no_place(function):
        if not numba.config.CACHE_DIR:
            raise RuntimeError("no locator available")
        return original(function)

    original = compiled._SourceAwareCache
    monkeypatch.setattr(numba.config, "CACHE_DIR", "")
    monkeypatch.setattr(compiled, "_SourceAwareCache", no_place)
    monkeypatch.setattr(compiled.tempfile, "tempdir", str(tmp_path))
    compiled._private_temporary_folder.cache_clear()
    cache = compiled._cache_of(test_without_any_place_to_write_the_temporary_folder_serves)
    assert Path(cache.cache_path).is_relative_to(tmp_path)
    assert not numba.config.CACHE_DIR
    compiled._private_temporary_folder.cache_clear()


def test_a_temporary_folder_that_others_can_write_is_not_trusted(monkeypatch, tmp_path):
    monkeypatch.setattr(compiled.tempfile, "tempdir", str(tmp_path))
    planted = tmp_path / f"gpucurate-numba-{os.getuid()}"
    planted.mkdir()
    planted.chmod(0o777)
    chosen = compiled._private_temporary_folder.__wrapped__()
    assert chosen != planted
    assert stat.S_IMODE(chosen.stat().st_mode) == 0o700
    shutil.rmtree(chosen)


def test_views_are_read_only_and_copy_nothing_that_fits():
    array = np.arange(4, dtype=np.int64)
    view = read_only(array, np.int64)
    assert np.shares_memory(view, array)
    assert not view.flags.writeable
    assert array.flags.writeable


def test_offsets_beyond_the_text_are_refused():
    with pytest.raises(ValueError, match=r"offsets 0..9 leave the 3 bytes"):
        text_arrays(TextBuffers(np.zeros(3, np.uint8), np.array([0, 9])))


def test_offsets_without_an_entry_are_refused():
    with pytest.raises(ValueError, match="length n\\+1"):
        text_arrays(TextBuffers(np.zeros(3, np.uint8), np.zeros(0, np.int64)))


def test_warming_up_leaves_the_kernels_on_disk():
    warm_up()
    assert is_warm()
