"""No pickle lies where a later run would find it, and none is loaded that this run did not make."""

from __future__ import annotations

import io
import pickle
import pickletools
import stat

import pytest
import zstandard

from gpucurate.backends.exchange import FolderExchange
from gpucurate.spec.errors import InputLostError
from gpucurate.tasks.document import DocumentBatch

pytestmark = pytest.mark.timeout(900)  # the first one waits for the runs of all kinds


def pickles_in(data: bytes) -> int:
    """How many pickles begin anywhere in the bytes; those before protocol 4 only at the start."""
    starts = {0} if data else set()
    for protocol in (4, 5):
        mark, at = bytes([0x80, protocol, 0x95]), -1
        while (at := data.find(mark, at + 1)) >= 0:
            starts.add(at)
    return sum(is_pickle(data[start:]) for start in starts)


def is_pickle(data: bytes) -> bool:
    try:
        codes = [code.name for code, _, _ in pickletools.genops(io.BytesIO(data))]
    except Exception:
        return False
    return len(codes) > 1 and codes[-1] == "STOP"


class Anything:
    pass


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_pickle_would_be_found(protocol):
    made = pickle.dumps({"a": [Anything(), 1.5, "text"]}, protocol)
    assert pickles_in(made) == 1
    if protocol >= 4:
        assert pickles_in(b"before" * 9 + made + b"after") == 1


def test_json_arrow_and_numbers_are_not_taken_for_pickles():
    assert not pickles_in(b'{"a": 1}\n{"b": ".x"}\n')
    assert not pickles_in(bytes(range(256)) * 40)


def test_no_file_of_a_run_folder_or_an_index_is_or_holds_a_pickle(runs):
    files = [*runs.files(), *(path for path in (runs.folder / "index").rglob("*") if path.is_file())]
    assert {"commit.log", "run.json", "report.json", "_SUCCESS"} <= {path.name for path in files}
    assert [path for path in files if "attempts" in path.parts]  # of the run that was killed
    for path in files:
        data = path.read_bytes()
        if path.name.endswith(".zst"):
            data = zstandard.ZstdDecompressor().stream_reader(data).read()
        assert not pickles_in(data), path


@pytest.fixture
def exchange(tmp_path):
    return FolderExchange(tmp_path / "parcels")


def batch():
    import pyarrow as pa

    return DocumentBatch("name", pa.table({"text": ["one", "two"]}))


def test_what_crosses_between_workers_is_its_owners_alone(exchange):
    handle, _ = exchange.put(iter([batch()]), "u")
    path = exchange.folder / "u"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(exchange.folder.stat().st_mode) == 0o700
    assert pickles_in(path.read_bytes())  # which is why
    assert [task.num_items for task in exchange.get(handle)] == [2]


def test_what_another_run_handed_on_is_not_loaded(exchange):
    handle, _ = exchange.put(iter([batch()]), "u")
    stranger = FolderExchange(exchange.folder)
    with pytest.raises(InputLostError, match="torn, or not of this run"):
        list(stranger.get(handle))


def test_a_file_is_not_written_through_a_link(exchange, tmp_path):
    exchange.folder.mkdir()
    (tmp_path / "elsewhere").write_text("mine")
    (exchange.folder / "u").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(Exception, match="symbolic link"):
        exchange.put(iter([batch()]), "u")
    assert (tmp_path / "elsewhere").read_text() == "mine"
