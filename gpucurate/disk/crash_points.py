"""The places at which a run can be killed in tests, by name: each lies between two steps of which
the second must not be missed, or be taken for the first."""

from __future__ import annotations

POINTS: dict[str, str] = {
    # the run folder: opened, owned, identified
    "folder.before_make": "nothing of the run is on disk",
    "folder.before_lock": "the output and the run folder are there, and nobody owns them",
    "lock.after_acquire": "the folder is locked, and does not say by whom",
    "lock.after_owner": "the lock names its owner, who has no epoch yet",
    "folder.after_identify": "the folder says what the run is",
    "attempts.before_remove": "attempts of earlier owners are about to be removed",
    "attempts.after_remove": "they are gone, and there is no folder for this owner's",
    "log.before_open": "there may be a log whose end is torn, or none",
    "log.after_open": "the log is open, and its torn end not cut off",
    "input.before_name": "the listing of the input is on disk, and nothing names it",
    "input.after_name": "it is named, and that of another input may still be there",
    # --fresh
    "wipe.before_outputs": "an earlier run is to be forgotten: there is no _SUCCESS, and all else is there",
    "wipe.before_state": "its outputs are gone, and its state is there",
    "wipe.before_identity": "all but run.json is gone",
    # small files, whole or not at all
    "small.before_write": "a small file of the run folder is about to be written under a temporary name",
    "small.before_fsync": "it is written, and not synced",
    "small.before_rename": "it is synced, and has its temporary name",
    "small.after_rename": "it has its name, and the folder is not synced",
    # a phase: planned, driven
    "phase.before_plan": "a phase begins, and its plan is not on disk",
    "phase.after_plan": "its plan is on disk or was compared, and what is done was not looked for",
    "journal.after_open": "a journal of events is open, and empty",
    "journal.before_close": "a journal holds lines in memory",
    "driver.before_dispatch": "a unit is about to be given to a worker",
    "driver.after_result": "a worker has told of a unit, and nothing of it is final",
    "commit.before_group": "a group of units is about to become final",
    "commit.after_group": "it is final, and the driver does not know",
    "driver.after_commit": "the driver knows, and nobody was told",
    "driver.before_drain": "all units are done, and some are not final",
    "driver.after_drain": "all units of the phase are final",
    # a worker: a unit from its start to its report
    "worker.before_setup": "a worker process has its stages, and has not set them up",
    "worker.before_ready": "they are set up, and the driver does not know",
    "unit.before_start": "a unit is about to be run",
    "unit.before_rejects": "its last task has left the last stage, and its rejects are not closed",
    "unit.before_sync": "all its files are written, and may not be synced",
    "unit.after_sync": "all its files are synced",
    "worker.before_report": "units are about to be reported",
    "worker.after_report": "they are reported",
    # files of a unit, under the names of attempts
    "output.after_open": "an output file is open, and empty",
    "output.before_block": "a block of an output is about to be written in the background",
    "output.before_last_write": "the end of an output is in memory",
    "output.after_last_write": "all of an output is written, and not synced",
    "rejects.after_open": "a file of rejects is open, and empty",
    "rejects.before_sync": "it is written, and not synced",
    "keys.after_open": "a file of keys is open, and empty",
    "keys.before_index": "its keys are written, and there is no index",
    "texts.after_open": "a file of texts is open, and empty",
    "texts.before_index": "its texts are written, and there is no index",
    "file.before_fsync": "a file of a unit is written, and not synced",
    "file.after_fsync": "it is synced, and open",
    # a commit: rename, record
    "publish.before_rename": "a unit's file is synced, and has the name of an attempt",
    "publish.after_rename": "it has its final name, and there is no record",
    "publish.before_fsync_folder": "all of a group have their final names, and folders are not synced",
    "record.before_append": "a unit's files are at their names, and no record is written",
    "record.after_append": "its record is in the log's buffer",
    "record.before_fsync": "records are written, and not synced",
    "record.after_fsync": "records are synced, and nobody was told",
    # a checkpoint between stages
    "saved.before_publish": "units are through the stages before a checkpoint, and have names of attempts",
    "saved.after_record": "they are in the checkpoint, and the driver does not know",
    # deduplication: grouping by bands, with what does not fit in memory on disk
    "group.before_bands": "keys are on disk, and nothing was grouped",
    "band.after_open": "a band has a file for what does not fit",
    "band.after_fill": "all keys of a band are read, some joined, some spilled",
    "band.after_join": "a band is joined",
    "spill.before_unlink": "the file for what does not fit is open, and has a name",
    "spill.before_run": "a sorted run is about to be spilled",
    "spill.after_run": "it is on disk",
    "spill.after_load": "a part of all runs is in memory again",
    "group.before_merge": "all bands are joined, and components have no labels",
    # deduplication: verification of candidates
    "candidates.after_make": "the folder of candidates is empty",
    "candidates.after_write": "candidates of all units are written, and not synced",
    "pairs.before_write": "pairs were compared, and are in memory",
    "pairs.after_write": "they are on disk, and not synced",
    "pairs.after_merge": "two segments of pairs are one, and still there",
    "edges.before_fsync": "accepted pairs are written under a temporary name",
    "edges.before_remove": "they are synced, and those of an earlier run have the name",
    "edges.before_rename": "nothing has the name",
    "edges.after_rename": "they have it",
    # deduplication: clusters, marks
    "clusters.before_fsync": "a file of clusters is written, and not synced",
    "clusters.before_remove": "clusters are synced under a temporary name, and others may have theirs",
    "clusters.before_rename": "nothing has the name",
    "clusters.after_rename": "they have it",
    "marks.before_write": "the folder of marks is there",
    "marks.after_accepted": "one kind of marks is written, the others are not",
    "marks.before_bases": "marks are written, and not which records they are of",
    "marks.after_write": "all is there for the last pass, and not synced",
    # the end of a run
    "rejects.before_number": "rejects of a unit lie in scratch, their rows counted from its start",
    "rejects.before_rename": "they are written with rows of the file, under a temporary name",
    "rejects.after_rename": "they have their final name",
    "quarantine.before_write": "a unit is given up, and not described",
    "quarantine.after_write": "it is described",
    "quarantine.before_unlink": "a unit that was given up by an earlier run is to be tried again",
    "report.before_write": "the output is whole, and there is neither report nor manifest",
    "manifest.after_write": "there are both, and the run was not judged",
    "finish.before_sync": "the run went well, and nothing says so",
    "finish.before_success": "all records are synced, and there is no _SUCCESS",
    "finish.after_artefacts": "all is where it stays, and there is no _SUCCESS",
    "finish.before_remove": "there is a _SUCCESS, and scratch or attempts are still there",
    "finish.after_remove": "all is done, and the folder is still locked",
    # a finished run that lost a file
    "reopen.before_unlink": "something is missing, and _SUCCESS is still there",
    "reopen.after_unlink": "_SUCCESS is gone, and nothing was done again",
    # a run that goes on with another input
    "retire.before_record": "some units are no part of the run any more, and nothing says so",
    "retire.before_remove": "it is recorded, and their files are still there",
}

IN_STORE: dict[str, str] = {
    "owner.before_take": "the run folder in a store is free, and about to be taken",
    "owner.after_take": "it is taken, and what earlier owners left is still there",
    "upload.before_part": "a worker is about to send a part of a file to a store",
    "upload.after_parts": "all parts are sent, and the file is seen by nobody",
    "publish.before_reveal": "the driver knows of a finished upload, and has not made it visible",
    "publish.after_reveal": "a file is visible in the store, and there is no record",
    "record.before_put": "files are visible, and no record is put",
    "record.after_put": "a record is in the store, and nobody was told",
    "fetch.before_rename": "a file of a store was copied to this machine under a temporary name",
    "finish.before_artefact": "all outputs are final, and an artefact is about to be put into the store",
    "owner.before_release": "all is done, and the owner's object still says that it lives",
}
"""Those that only runs to an object store reach."""

POINTS |= IN_STORE
