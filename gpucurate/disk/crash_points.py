"""The places at which a run can be killed in tests, by name: each lies between two steps of which
the second must not be missed, or be taken for the first."""

from __future__ import annotations

POINTS: dict[str, str] = {
    "small.before_write": "a small file of the run folder is about to be written under a temporary name",
    "small.before_fsync": "it is written, and not synced",
    "small.before_rename": "it is synced, and has its temporary name",
    "small.after_rename": "it has its name, and the folder is not synced",
    "publish.before_rename": "a unit's file is synced, and has the name of an attempt",
    "publish.after_rename": "it has its final name, and there is no record",
    "publish.before_fsync_folder": "all of a group have their final names, and folders are not synced",
    "record.before_append": "a unit's files are at their names, and no record is written",
    "record.after_append": "its record is in the log's buffer",
    "record.before_fsync": "records are written, and not synced",
    "record.after_fsync": "records are synced, and nobody was told",
    "upload.before_part": "a worker is about to send a part of a file to a store",
    "upload.after_parts": "all parts are sent, and the file is seen by nobody",
    "publish.before_reveal": "the driver knows of a finished upload, and has not made it visible",
    "publish.after_reveal": "a file is visible in the store, and there is no record",
    "record.before_put": "files are visible, and no record is put",
    "record.after_put": "a record is in the store, and nobody was told",
    "owner.before_take": "the run folder in a store is free, and about to be taken",
    "owner.after_take": "it is taken, and what earlier owners left is still there",
    "owner.before_release": "all is done, and the owner's object still says that it lives",
    "finish.before_artefact": "all outputs are final, and an artefact is about to be put into the store",
    "finish.before_success": "all is in the store, and nothing says that the run is whole",
    "finish.after_success": "it says so, and what only the run itself needed is still there",
}
