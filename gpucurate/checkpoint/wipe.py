"""Removing what a run wrote, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from gpucurate.checkpoint.records import stored_records
from gpucurate.checkpoint.run_place import RunPlace
from gpucurate.checkpoint.state_files import parse_state
from gpucurate.checkpoint.store import FOLDER
from gpucurate.disk.crash import reach
from gpucurate.spec.names import decode_name


def wipe(place: RunPlace) -> None:
    """Remove the files that a run recorded as its own, and its state.

    ``_SUCCESS`` goes first, so that nobody takes what is left for whole, and ``run.json`` last, so that what
    an interrupted removal leaves is still known for a run's; each step is on the disk before the next one
    begins. Files of the output that no record names stay; of a run to another output only the state goes:
    its names say nothing of this one.

    Args:
        place: the run folder, which this process owns.

    Raises:
        StorageError: not possible.
    """
    place.clear()  # first: attempts tell of copies that were not finished
    place.remove("_SUCCESS")
    reach("wipe.before_outputs")
    if not place.is_of_other():
        place.store.remove_all(sorted(set(_recorded(place))))
    reach("wipe.before_state")
    place.remove_state()
    reach("wipe.before_identity")
    place.remove("run.json")


def _recorded(place: RunPlace) -> Iterator[str]:
    """Outputs that commit records and the manifest tell of, as far as they can be read."""
    for record in stored_records(place.store, salvage=True):
        yield from _outputs(record)
    content = place.read("manifest.json")
    try:
        manifest = parse_state("manifest.json", content or b'{"files": []}')
    except ValueError:
        return  # a damaged one: what it listed, the log has too
    yield from _outputs({"files": [[entry["name"]] for entry in manifest["files"]]})


def _outputs(record: Mapping[str, Any]) -> list[str]:
    """Outputs of a record; none where it is not what a record should be."""
    files = record.get("files")
    given = [file[0] for file in files if isinstance(file, list) and file] if isinstance(files, list) else []
    names = [decode_name(name) for name in given if isinstance(name, str)]
    return [name for name in names if not name.startswith(f"{FOLDER}/")]
