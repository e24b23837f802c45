"""What taking keys is said to need of a GPU's memory, and what it needs."""

import pytest

from gpucurate.dedup.no_sketch import NoSketch
from gpucurate.dedup.sketch import HashSketch, MinHashSketch
from gpucurate.frame.device_table import text_to_device
from gpucurate.frame.text import TextBuffers
from gpucurate.memory.gpu_memory import GpuMemory
from gpucurate.ops.char_length import char_length
from gpucurate.ops.cuda import CUDA
from gpucurate.ops.minhash import PRESETS, MinHashParams
from gpucurate.stages.deduplication.taken import taken_to_host
from tests.depth import examples

TEXTS = {
    "short": ["ab cd"] * examples(1000, 3000),
    "usual": ["lorem ipsum " * 40] * examples(170, 500),
    "long": ["lorem ipsum " * examples(7000, 20_000)] * 2,
    "that grow when they are lowered": ["\u0130\u023a \u2126 " * 60] * examples(100, 300),
}
"""A third of what a thorough search takes: what is needed grows with the texts, and so does the time."""
SKETCHES = {
    "default": MinHashSketch(MinHashParams()),
    "nemo": MinHashSketch(PRESETS["nemo"].params, normalized=False),
    "fss": MinHashSketch(MinHashParams(rule="fss")),
    "exact": HashSketch(),
    "exact, normalised": HashSketch(normalized=True),
    "none": NoSketch(),
}


def take(sketch, text):
    """As the stage does, with signatures where there are any."""
    if isinstance(sketch, MinHashSketch):
        keys, has_keys, signatures = sketch.keys_and_signatures(text)
    else:
        (keys, has_keys), signatures = sketch.keys(text), None
    return taken_to_host(keys, has_keys, char_length(text), signatures)


@pytest.mark.parametrize("texts", TEXTS)
@pytest.mark.parametrize("sketch", SKETCHES)
def test_what_is_reserved_is_enough_and_not_far_too_much(cuda, sketch, texts):
    memory = GpuMemory(None)
    text = text_to_device(TextBuffers.from_strings(TEXTS[texts]))
    take(SKETCHES[sketch], text_to_device(TextBuffers.from_strings(["tables"])))  # are kept
    with memory.counting("keys") as held:
        take(SKETCHES[sketch], text)
    needed = held.peak - held.before
    reserved = SKETCHES[sketch].working_bytes(len(text), text.nbytes)
    assert needed <= reserved <= 2.5 * needed + 1000
    del text
    CUDA.forget_tables()
    memory.close()
