"""Each kernel compiles on the device and gives there what the CPU gives (``make gpu-smoke``)."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from gpucurate.ops.cuda import Device
from gpucurate.ops.kernels import kernel_names
from gpucurate.ops.minhash import PRESETS, MinHashParams
from tests.emulator import (
    json_material,
    test_char_length,
    test_clusters,
    test_document_hash,
    test_jaccard,
    test_json_lines,
    test_minhash,
    test_normalize,
    test_utf8,
    texts,
)
from tests.emulator.backend import Emulated, OnDevice
from tests.emulator.emu import missing_compiler

TEXT = texts.sliced(texts.awkward(), 0, 22)
IDS = np.arange(5000, dtype=np.uint32)


def union_find_agrees(device: Device) -> None:
    columns = np.zeros(len(IDS), np.uint64), IDS
    found, expected = test_clusters.joined(device, "hook_runs", columns, len(IDS))
    assert found == expected


def equal_keys_agree(device: Device) -> None:
    words = IDS // 3 * np.uint64(9), IDS % np.uint64(2)
    test_clusters.equal_keys_agree(device, words, 5000)
    test_clusters.equal_keys_agree(device, words[:1], 5000)  # its second word is a null pointer


def minhash_agrees(device: Device) -> None:
    for preset in ("default", "fineweb"):
        test_minhash.agree(device, TEXT, PRESETS[preset].params)


def json_lines_agree(device: Device) -> None:
    records = [json_material.record(size) for size in (0, 40, 600, 5000)]
    lines = b"\n".join([*records, *json_material.STRUCTURES, *records])
    test_json_lines.agree(device, lines, ("text", "id", "a"))


SMOKE_CHECKS: dict[str, Callable[[Device], None]] = {
    "char_length": lambda device: test_char_length.agree(device, TEXT),
    "document_hash": lambda device: test_document_hash.agree(device, TEXT),
    "equal_keys": equal_keys_agree,
    "equal_values": lambda device: test_minhash.equal_values_agree(device, np.eye(99, dtype=np.uint32), 500),
    "fss": lambda device: test_minhash.agree(device, texts.sliced(TEXT, 11, 18), MinHashParams(rule="fss")),
    "minhash": minhash_agrees,
    "json_lines": json_lines_agree,
    "nvtext": lambda device: test_minhash.agree(device, TEXT, PRESETS["nemo"].params),
    "normalize": lambda device: test_normalize.agree(device, TEXT),
    "shingle_sets": lambda device: test_jaccard.agree(device, TEXT, MinHashParams()),
    "survivors": lambda device: test_clusters.survivors_agree(device, IDS // 9 % 50, IDS % 7, piece=1000),
    "union_find": union_find_agrees,
    "valid_utf8": lambda device: test_utf8.check(device, test_utf8.SEQUENCES),
}


def test_every_kernel_has_a_smoke_check():
    assert sorted(SMOKE_CHECKS) == kernel_names()


@pytest.mark.skipif(missing_compiler() is not None, reason="no emulator: no C++ compiler")
@pytest.mark.parametrize("name", SMOKE_CHECKS)
def test_a_kernel_agrees_with_the_cpu_in_the_emulator(name, request):
    cache = request.config.cache
    SMOKE_CHECKS[name](Emulated(Path(cache.mkdir("emulator"))))


@pytest.mark.gpu
@pytest.mark.parametrize("name", SMOKE_CHECKS)
def test_a_kernel_agrees_with_the_cpu_on_this_device(name):
    SMOKE_CHECKS[name](OnDevice())
