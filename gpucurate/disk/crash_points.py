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
}
