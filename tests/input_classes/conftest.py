"""A folder of good documents, and the command over it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.input_classes.corpus import Command, Ended, dedup, write_good


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Good documents in ``in/``."""
    write_good(tmp_path / "in")
    return tmp_path


@pytest.fixture
def command(folder: Path, capsys: pytest.CaptureFixture[str]) -> Command:
    """``gpucurate dedup exact`` from ``in/`` to ``out/``, with options."""

    def call(*options: str) -> Ended:
        code = dedup(folder / "in", "-o", folder / "out", *options)
        said = "".join(capsys.readouterr())
        assert "Traceback" not in said
        assert "internal error" not in said
        return Ended(code, folder / "out", said)

    return call


@pytest.fixture
def with_large_input(request: pytest.FixtureRequest) -> None:
    """Skips what takes minutes and gigabytes of disk, unless ``--large-input`` asks for it."""
    if not request.config.getoption("--large-input"):
        pytest.skip("large input is made by --large-input")
