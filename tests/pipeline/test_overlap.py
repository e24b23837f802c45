"""Output and input must not lie in one another: the same command could not go on."""

from __future__ import annotations

import pytest

from gpucurate.pipeline.run import refuse_overlap
from gpucurate.spec.errors import ConfigurationError


@pytest.mark.parametrize(
    "given, output",
    [
        ("data", "data"),
        ("data", "data/out"),
        ("data/a.jsonl", "data"),
        ("file://{}/data", "data/out"),
        ("data/*", "data/out"),
        ("data/*/part.jsonl", "data/out"),
        ("data/**/*.jsonl", "data/out"),
        ("d*", "data/out"),
        ("data/*.jsonl", "data"),
    ],
)
def test_an_overlap_is_refused(given, output, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "a.jsonl").touch()
    with pytest.raises(ConfigurationError, match="lies in the"):
        refuse_overlap(tmp_path / output, [given.format(tmp_path)])


@pytest.mark.parametrize(
    "given", ["data/*.jsonl", "data/*.jsonl*", "data/a.jsonl", "data/in", "data/[ab]*/**"]
)
def test_an_output_beside_the_input_is_fine(given, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data" / "in").mkdir(parents=True)
    (tmp_path / "data" / "a.jsonl").touch()
    refuse_overlap(tmp_path / "data" / "out", [given])
