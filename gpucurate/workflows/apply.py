"""Another policy from the clusters of a run: nothing is compared again."""

from __future__ import annotations

from functools import cached_property
from os import PathLike
from typing import Any

import numpy as np
import numpy.typing as npt

from gpucurate.checkpoint.run_folder import RunFolder
from gpucurate.dedup.cluster_labels import read_labels
from gpucurate.dedup.no_sketch import NoSketch
from gpucurate.io.listing import Listing
from gpucurate.pipeline.run import Run
from gpucurate.pipeline.verdict import judge
from gpucurate.spec.errors import ConfigurationError
from gpucurate.spec.plan import Plan
from gpucurate.workflows.deduplication import DeduplicationWorkflow
from gpucurate.workflows.finished import FinishedRun, open_run
from gpucurate.workflows.found import Found
from gpucurate.workflows.options import dedup_options

_STATE = ("checkpoint_path", "cache_path")

GIVEN = ("keep", "perform_removal", "annotate", "nemo_ids", "format", "compression", "log_text", *_STATE)
"""Options of its own."""

INHERITED = ("text_field", "input_filetype", "on_corrupt", "max_record_bytes", "encoding_errors", "sample")
"""Options of the run."""


class ApplyWorkflow(DeduplicationWorkflow):
    """Decides anew what is kept of the clusters that a run found, and writes it.

    One pass over the input finds out which records are documents, their lengths and, if the
    policy asks for it, their ranks; it hashes nothing. Then clusters and documents are written as by
    the run itself. Rejects are those of the run, so that no rate of them is too high.

    Args:
        run_path: output of a finished deduplication, or its ``_gpucurate`` folder.
        output_path: folder of the output, another one.
        options: those of :class:`~gpucurate.workflows.options.DedupOptions` that :data:`GIVEN` names.

    Raises:
        InputError: no finished run, or its input changed.
        ConfigurationError: an option that the run decides.

    >>> ApplyWorkflow("unique/", "best/", keep="max:score").run().report.books.kept
    """

    def __init__(
        self, run_path: str | PathLike[str], output_path: str | PathLike[str], **options: Any
    ) -> None:
        self.source: FinishedRun = open_run(run_path)
        others = sorted(set(options) - set(GIVEN))
        if others:
            raise ConfigurationError(
                f"{', '.join(others)} cannot be given: the run whose clusters these are has decided. "
                f"There are {', '.join(GIVEN)}"
            )
        if self.source.decides.get("against"):
            raise ConfigurationError(
                f"{run_path} held its documents against an index, of which its clusters know nothing: "
                "give its command another --keep and another output instead"
            )
        decided = {"encoding_errors": "reject", **self.source.decides}  # runs of version 0.1 have none
        inherited = {name: decided[name] for name in INHERITED}
        super().__init__(
            "dedup apply",
            [file.path for file in self.source.listing.files],
            output_path,
            NoSketch(),
            dedup_options(
                {**inherited, "input_blocksize": self.source.unit_bytes, "max_reject_rate": 1.0, **options}
            ),
        )

    @cached_property
    def listing(self) -> Listing:
        """The input of the run.

        Raises:
            InputError: a file is gone or changed.
        """
        self.source.check_unchanged()
        return self.source.listing

    def _decides(self, plan: Plan) -> dict[str, Any]:
        ours = {"clusters_of": self.source.identity, "sort": self.source.sort}
        return {**super()._decides(plan), **ours, "verification": self._verification}

    @property
    def _verification(self) -> dict[str, Any] | None:
        """How the pairs of the clusters were verified."""
        return self.source.decides.get("verification")

    @property
    def _sort(self) -> str:
        return self.source.sort

    def _components(self, run: Run, folder: RunFolder, found: Found) -> npt.NDArray[np.uint32]:
        """The clusters of the run."""
        if len(found.read) < len(found.units):  # ids would be others
            run.close_report([])
            judge(run.report, self.options.max_reject_rate)
        if (self._verification or {}).get("linkage") == "survivor":
            run.report.warnings.append(
                "the run made its clusters around their survivors (--linkage survivor): "
                "members may be less like the one that survives now"
            )
        return read_labels(self.source.clusters_path, found.spans)
