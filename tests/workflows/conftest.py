"""A corpus with duplicates that are known."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from gpucurate.workflows.options import DedupOptions

_LETTERS = random.Random(1)
WORDS = [
    "".join(_LETTERS.choices("abcdefghijklmnopqrstuvwxyz", k=_LETTERS.randint(2, 11))) for _ in range(5000)
]


def page(rng: random.Random, words: int = 120) -> str:
    return " ".join(rng.choice(WORDS) for _ in range(words))


def edited(text: str, rng: random.Random, edits: int) -> str:
    words = text.split()
    for _ in range(edits):
        words[rng.randrange(len(words))] = rng.choice(WORDS)
    return " ".join(words)


def corpus_lines(documents: int, seed: int = 7) -> list[str]:
    """JSON lines: of every ten pages one is repeated, one repeated with two words changed."""
    rng = random.Random(seed)
    lines = []
    for i in range(documents):
        text = page(rng)
        copies = {0: [text], 1: [edited(text, rng, 2)]}.get(i % 10, [])
        for n, version in enumerate([text, *copies]):
            lines.append(
                json.dumps(
                    {"id": f"{i}-{n}", "text": version, "extra": {"ü": [1, None]}}, ensure_ascii=n == 0
                )
            )
    rng.shuffle(lines)
    return lines


@pytest.fixture
def make_corpus(tmp_path: Path) -> Callable[..., Path]:
    """Write a corpus of JSONL files; its folder."""

    def make(documents: int = 600, files: int = 3) -> Path:
        folder = tmp_path / "in"
        lines = corpus_lines(documents)
        for number in range(files):
            path = folder / f"part{number % 2}" / f"{number}.jsonl"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("".join(line + "\n" for line in lines[number::files]))
        return folder

    return make


@pytest.fixture(autouse=True)
def everything_on_the_device(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """With ``--device cuda`` or ``emulated``, deduplications run there unless a test says otherwise."""
    if request.config.getoption("--device") != "cpu":
        request.getfixturevalue("cuda")
        monkeypatch.setitem(DedupOptions.__init__.__kwdefaults__, "device", "cuda")
