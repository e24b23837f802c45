"""From text to keys on disk: the first pass of every deduplication."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from gpucurate.dedup.key_file import LENGTH_CEILING, KeyFileWriter, Layout, Signatures
from gpucurate.dedup.policy import Policy
from gpucurate.dedup.ranks import Ranks, column_ranks
from gpucurate.dedup.resident_keys import KeyPiece
from gpucurate.dedup.sketch import Sketch
from gpucurate.dedup.within import count_without, keys_within
from gpucurate.frame.arrays import array_of
from gpucurate.frame.device_table import text_to_device
from gpucurate.frame.text import TextBuffers
from gpucurate.frame.transfers import upload
from gpucurate.memory.collection import give_back
from gpucurate.memory.piece_size import PieceSize
from gpucurate.memory.splitting import in_parts
from gpucurate.ops.char_length import char_length
from gpucurate.spec.unit import OutputFile, UnitResult
from gpucurate.stages.base import ProcessingStage, StageIO
from gpucurate.stages.context import UnitContext
from gpucurate.stages.deduplication.column_path import ColumnPath
from gpucurate.stages.deduplication.records import unit_records
from gpucurate.stages.deduplication.resident import one_piece, resident_keys
from gpucurate.stages.deduplication.taken import Keys, Taken, joined, taken_to_host
from gpucurate.tasks.document import DocumentBatch
from gpucurate.tasks.file_group import FileGroupTask

KEY_FOLDER = "_gpucurate/scratch/keys"

WITHOUT_VALUE = "documents without a value in "
"""What the counts of documents that a policy finds no value in begin with; the column follows."""

WITHOUT_GROUP = "documents compared without a value in "
"""What the counts of documents begin with that are compared with each other, since they lack what tells
documents apart; the column follows."""


def key_file_name(unit_id: str) -> str:
    """Name of a unit's key file, relative to the output; not of its position, which may change."""
    return f"{KEY_FOLDER}/{unit_id}.keys"


def key_file_of(result: UnitResult) -> OutputFile:
    """The key file among what a unit of the first pass wrote, as its record tells."""
    return next(output for output in result.outputs if output.name.startswith(f"{KEY_FOLDER}/"))


class DocumentKeys(ProcessingStage[DocumentBatch, FileGroupTask]):
    """Takes the keys of each document and writes them to one file a unit.

    Args:
        sketch: what is taken of the text.
        text_field: the column of text.
        within: documents share keys only where they agree in this column.
        policy: decides between the members of a cluster, by ranks that are written too; None
            where it needs none.
        policy_column: whose value decides, if the policy has a column.
    """

    name = "document_keys"

    def __init__(
        self,
        sketch: Sketch,
        text_field: str = "text",
        *,
        within: ColumnPath | None = None,
        policy: Policy | None = None,
        policy_column: ColumnPath | None = None,
    ) -> None:
        self.sketch = sketch
        self.text_field = text_field
        self.within = within
        self.policy = policy
        self.policy_column = policy_column
        self._writer: KeyFileWriter | None = None
        self._learned = PieceSize()
        self._resident: list[KeyPiece] = []

    def inputs(self) -> StageIO:
        """The columns of the text and of what decides besides it."""
        columns = [path.field for path in (self.within, self.policy_column) if path is not None]
        return ["data"], list(dict.fromkeys([self.text_field, *columns]))

    def setup(self, worker_metadata: object = None) -> None:
        """Load what is compiled, so that the first batch does not wait for it."""
        text = TextBuffers.from_strings(["a text of ordinary length", "ein größerer Text"])
        self.take(text_to_device(text) if self.device == "cuda" else text)
        if (resident := resident_keys(self._gpu_memory)) is not None:
            resident.clear()  # of an earlier run

    def bind(self, context: UnitContext | None) -> None:
        """Begin a unit; a file that a failed unit left open is given up."""
        if self._writer is not None:
            self._writer.abandon()
            self._writer = None
        self._resident = []
        super().bind(context)

    def process(self, task: DocumentBatch) -> None:
        """Append the keys of a batch."""
        if not task.num_items:
            return
        taken = self._taken(task.text(self.text_field))
        if self.within is not None:
            column = self.within.of(task.data)
            some = column.filter(array_of(taken.has_keys))
            taken = taken._replace(keys=keys_within(taken.keys, some, wide=self.sketch.wide))
            self.count(f"{WITHOUT_GROUP}{self.within}", count_without(column))
        self._append(unit_records(task, self.context), taken, self._ranks(task))

    def _taken(self, text: TextBuffers) -> Taken:
        """What is taken of all documents; in parts, where memory asks for it."""
        on_cpu = self.device == "cpu"
        return in_parts(
            self._take_all if on_cpu else self._take_reserved,
            text,
            TextBuffers.halves,
            joined,
            size=lambda part: part.nbytes,
            release=give_back if on_cpu else self.gpu_memory.release,
            learned=self._learned,
        )

    def _take_reserved(self, text: TextBuffers) -> Taken:
        """What is taken of a part, once there is room for what that takes."""
        with self.gpu_memory.budget.reserve(self.sketch.working_bytes(len(text), text.nbytes)):
            return self._take_all(text)

    def _take_all(self, text: TextBuffers) -> Taken:
        keys, has_keys, signatures = self.take(text)
        return taken_to_host(keys, has_keys, char_length(text), signatures)

    def take(self, text: TextBuffers) -> tuple[Keys, npt.NDArray[np.bool_], Signatures | None]:
        """Keys, whether each document has any, its signature if the layout has them: where the text is."""
        return *self.sketch.keys(text), None

    def _ranks(self, task: DocumentBatch) -> Ranks | None:
        """Ranks of the documents, if the policy needs any."""
        if self.policy is None:
            return None
        if self.policy_column is None:
            path = "" if task._origin is None else task._origin.name
            return np.full(task.num_items, self.policy.preference(path), np.uint64)
        ranks, missing = column_ranks(self.policy_column.of(task.data), self.policy)
        self.count(f"{WITHOUT_VALUE}{self.policy_column}", missing)
        return ranks

    def _append(
        self,
        records: npt.NDArray[np.int64],
        taken: Taken,
        ranks: Ranks | None,
    ) -> None:
        writer = self._open()
        local = records - writer.records
        all_lengths = np.zeros(int(local[-1]) + 1, np.uint32)
        all_lengths[local] = np.minimum(taken.lengths, LENGTH_CEILING) + 1
        all_ranks = None if ranks is None else np.zeros(len(all_lengths), np.uint64)
        if ranks is not None and all_ranks is not None:
            all_ranks[local] = ranks
        ids = local[taken.has_keys].astype(np.uint32)
        self._keep(ids + np.uint32(writer.records), taken)
        writer.append(
            len(all_lengths), ids, taken.keys, all_lengths, signatures=taken.signatures, ranks=all_ranks
        )

    def _keep(self, ids: npt.NDArray[np.uint32], taken: Taken) -> None:
        """Keep the keys on the GPU, as they are in the file."""
        if self.within is not None:
            return  # those in the file are told apart by a column, which was on the host
        first = 0
        for keys in taken.on_device:
            stop = first + keys.shape[1]
            self._resident.append(KeyPiece(upload(ids[first:stop]), keys))
            first = stop

    def _open(self) -> KeyFileWriter:
        if self._writer is None:
            self._writer = KeyFileWriter(self.context.attempt_path(0), self.layout)
        return self._writer

    def _hand_over(self, name: str) -> None:
        """Let the keys of the unit stay on the GPU, by the name of their file."""
        resident = resident_keys(self._gpu_memory)
        if resident is not None:
            resident.put(self.context.final_path(name), [one_piece(self._resident)])
        self._resident = []

    @property
    def layout(self) -> Layout:
        """What the key files hold."""
        return Layout(self.sketch.bands, ranks=self.policy is not None)

    def flush(self) -> Iterator[FileGroupTask]:
        """Close the unit's file; records after the last document count too."""
        writer = self._open()
        rest = self.context.records - writer.records
        if rest:
            layout, none = self.layout, np.zeros(0, np.uint32)
            no_values = np.zeros((0, layout.signature_values), layout.signature_dtype)
            writer.append(
                rest,
                none,
                np.zeros((0, layout.bands), np.uint64),
                np.zeros(rest, np.uint32),
                signatures=no_values if layout.signature_values else None,
                ranks=np.zeros(rest, np.uint64) if layout.ranks else None,
            )
        rows, size = writer.records, writer.close(self.context.sync)
        name = key_file_name(self.context.unit_id)
        if self._resident:
            self._hand_over(name)
        self.context.outputs.append(OutputFile(name, str(writer.path), rows, size, ""))
        self._writer = None
        yield FileGroupTask("keys", [name], name)
