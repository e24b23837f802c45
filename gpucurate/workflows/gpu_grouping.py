"""Grouping on GPUs: bands divided over them, the forests merged."""

from __future__ import annotations

from collections.abc import Iterator

from gpucurate.checkpoint.run_folder import RunFolder
from gpucurate.dedup.components import Ids
from gpucurate.dedup.forest_file import read_forest
from gpucurate.dedup.forests import merge_forests
from gpucurate.dedup.key_file import KeySet
from gpucurate.dedup.sketch import Sketch
from gpucurate.pipeline.run import Run
from gpucurate.planning.units import units_of_tasks
from gpucurate.spec.errors import StageError
from gpucurate.spec.unit import UnitResult
from gpucurate.stages.deduplication.grouping import BandGrouping, band_tasks
from gpucurate.workflows.passes import plan_of


def components_on_gpus(run: Run, folder: RunFolder, keys: KeySet, sketch: Sketch, after: str) -> Ids:
    """The component of equal keys of each record: as ``find_components``, by a phase of workers on GPUs.

    How many GPUs there are decides how bands are divided, and which units could be read what is grouped. So
    both are part of the phase's name: where they are others, an interrupted grouping begins anew.

    Args:
        run: the run.
        folder: its folder.
        keys: of all units.
        sketch: that they were taken by.
        after: digest of what they were taken of.

    Raises:
        StageError: a GPU could not do its part.
        GpucurateError: see its subclasses.
    """
    gpus = run.executor.gpu_workers
    stage = BandGrouping(keys.paths, keys.bases.tolist(), wide=sketch.wide)
    plan = plan_of(f"group-{gpus}-{stage.grouped}", [stage], after)
    units = units_of_tasks(plan, band_tasks(sketch.bands, gpus, keys.records, wide=sketch.wide))
    outcome = run.phase(plan, [stage], units, shown=f"group on {gpus} GPU{'s' if gpus > 1 else ''}")
    if outcome.quarantined:
        why = outcome.quarantined[0].why.splitlines()[-1]
        raise StageError(f"keys could not be grouped on a GPU: {why}", stage.name)
    return merge_forests(_forests(folder, outcome.results, keys.records))


def _forests(folder: RunFolder, results: list[UnitResult], records: int) -> Iterator[Ids]:
    for result in results:
        for output in result.outputs:
            yield read_forest(folder.final_path(output.name), records)
