"""Texts on disk come back as they were, whichever are asked for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpucurate.dedup.text_store import TextFile, TextFileWriter, TextSet
from gpucurate.frame.text import TextBuffers
from gpucurate.spec.errors import StorageError


def write(path: Path, records: list[int], texts: list[str], piece: int = 3) -> None:
    writer = TextFileWriter(path)
    for at in range(0, len(records), piece):
        part = TextBuffers.from_strings(["before", *texts[at : at + piece]])
        later = TextBuffers(part.data, part.offsets[1:])  # a slice: its first offset is not 0
        writer.append(np.array(records[at : at + piece], np.int64), later)
    assert writer.close() == path.stat().st_size


@settings(max_examples=40, deadline=None)
@given(data=st.data(), units=st.lists(st.dictionaries(st.integers(0, 30), st.text(max_size=9)), max_size=4))
def test_any_selection_of_documents_comes_back(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, units: list[dict[int, str]]
) -> None:
    folder = tmp_path_factory.mktemp("texts")
    of_id, paths = {}, []
    for number, unit in enumerate(units):
        records = sorted(unit)
        paths.append(folder / f"{number}.texts" if unit else None)
        if unit:
            write(folder / f"{number}.texts", records, [unit[record] for record in records])
        of_id |= {31 * number + record: unit[record] for record in records}
    texts = TextSet(paths, np.arange(len(units) + 1, dtype=np.int64) * 31)
    ids = sorted(data.draw(st.sets(st.sampled_from(sorted(of_id))))) if of_id else []
    found = texts.gather(np.array(ids, np.uint32))
    assert [found.document(i).decode() for i in range(len(found))] == [of_id[i] for i in ids]
    assert texts.lengths(np.array(ids, np.uint32)).tolist() == [len(of_id[i].encode()) for i in ids]


def test_a_document_without_a_text_is_named(tmp_path: Path) -> None:
    write(tmp_path / "0.texts", [1, 4], ["a", "b"])
    texts = TextSet([tmp_path / "0.texts", None], np.array([0, 10, 20]))
    with pytest.raises(StorageError, match="no text of record 3"):
        texts.gather(np.array([1, 3], np.uint32))
    with pytest.raises(StorageError, match="no text of record 9"):
        texts.gather(np.array([9], np.uint32))
    with pytest.raises(StorageError, match="no text was taken of document 12"):
        texts.gather(np.array([1, 12], np.uint32))


@pytest.mark.parametrize("damage", [lambda whole: whole[:-1], lambda whole: whole[:5], lambda whole: b""])
def test_a_file_that_is_not_whole_is_refused(damage, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    write(tmp_path / "0.texts", [1, 4], ["a", "b"])
    (tmp_path / "0.texts").write_bytes(damage((tmp_path / "0.texts").read_bytes()))
    with pytest.raises(StorageError, match="not a whole file of texts"):
        TextFile(tmp_path / "0.texts")


def test_a_full_disk_is_an_error_that_names_the_file() -> None:
    writer = TextFileWriter(Path("/dev/full"))
    writer.append(np.arange(1), TextBuffers.from_strings(["a"]))
    with pytest.raises(StorageError, match="/dev/full"):
        writer.close()
    writer.abandon()
