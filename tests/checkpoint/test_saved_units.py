"""The folder of a checkpoint between stages: whose it is, and what is done when another one takes it over."""

from __future__ import annotations

from pathlib import Path

import pytest

from gpucurate.checkpoint.saved_units import SavedUnits
from gpucurate.spec.books import Books
from gpucurate.spec.errors import OutputInUseError, StorageError
from gpucurate.spec.unit import OutputFile, Unit, UnitResult

UNIT = Unit("u", 0, (), 0)


def saved_by(units: SavedUnits) -> tuple[Unit, UnitResult]:
    """A unit with one batch, as a worker leaves it."""
    units.take([UNIT], ["name"])
    attempt = units.attempts / "batch"
    attempt.write_bytes(b"rows")
    result = UnitResult("u", [], Books(), [], [])
    result.saved = [OutputFile("b", str(attempt), 1, 4, "")]
    return UNIT, result


def take_over(folder: Path) -> None:
    """What another run leaves first that takes the folder."""
    (folder / "epoch").write_text(f"{int((folder / 'epoch').read_text()) + 1}\n")
    (folder / "attempts/2").mkdir()


def test_one_that_was_taken_over_saves_nothing_more_and_leaves_the_other_its_attempts(tmp_path: Path) -> None:
    units = SavedUnits(tmp_path / "saved", {})
    saved = saved_by(units)
    take_over(units.path)
    with pytest.raises(StorageError, match="was taken over"):
        units.save([saved])
    units.close()
    assert list((units.path / "units").iterdir()) == []
    assert (units.path / "commit.log").read_bytes() == b""
    assert [path.name for path in (units.path / "attempts").iterdir()] == ["2"]


def test_one_that_was_not_saves_and_leaves_no_attempts(tmp_path: Path) -> None:
    units = SavedUnits(tmp_path / "saved", {})
    units.save([saved_by(units)])
    units.close()
    assert [path.read_bytes() for path in (units.path / "units").iterdir()] == [b"rows"]
    assert not (units.path / "attempts").exists()


@pytest.mark.parametrize("name", ["lock", "epoch", "units/mine.tmp", "units/.mine.1.tmp"])
def test_files_that_only_have_our_names_are_left_alone(tmp_path: Path, name: str) -> None:
    mine = tmp_path / "saved" / name
    mine.parent.mkdir(parents=True)
    mine.write_text("not a number, nor an owner")
    with pytest.raises(OutputInUseError, match="none of gpucurate's"):
        SavedUnits(tmp_path / "saved", {})
    assert mine.read_text() == "not a number, nor an owner"


@pytest.mark.parametrize("unfinished", [False, True], ids=["before", "in its last file"])
def test_what_a_run_leaves_that_is_killed_at_once_is_gone_on_with(tmp_path: Path, unfinished: bool) -> None:
    SavedUnits(tmp_path / "saved", {}).close()
    for name in ("checkpoint.json", "commit.log"):
        (tmp_path / "saved" / name).unlink()
    if unfinished:
        (tmp_path / "saved/.checkpoint.json.4711.tmp").write_text("{")
    SavedUnits(tmp_path / "saved", {}).close()
    assert (tmp_path / "saved/epoch").read_text() == "2\n"
