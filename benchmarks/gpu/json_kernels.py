"""The kernels of JSON lines, over lines that lie on the device."""

from __future__ import annotations

from functools import partial

from benchmarks.gpu.kernels import Call, memory_ceiling, report_rate
from benchmarks.gpu.plan import Plan
from benchmarks.gpu.rows import Report
from benchmarks.gpu.text import lines_on_host
from benchmarks.gpu.timing import measure
from gpucurate.frame.transfers import upload
from gpucurate.io.limits import ReadLimits
from gpucurate.ops.cuda import CudaDevice
from gpucurate.ops.json_lines.cuda import copy_strings, find_lines, scan_fields

FIELDS = ("text", "id")


def run(plan: Plan, report: Report) -> None:
    """Finding, scanning, copying, and all three, in bytes of JSON lines a second."""
    data = upload(lines_on_host(plan.corpus, plan.lines_bytes))
    starts, stops, _ = find_lines(data)
    depth = ReadLimits().max_depth
    found, passed = scan_fields(data, starts, stops, FIELDS, max_depth=depth)
    usual = f"{len(starts):,} lines, {int((~passed).sum()):,} of them unusual"

    def whole(device: CudaDevice) -> None:
        places = find_lines(data, device)[:2]
        values, _ = scan_fields(data, *places, FIELDS, max_depth=depth, device=device)
        for field in range(len(FIELDS)):
            copy_strings(data, values[:, field], device)

    calls: tuple[tuple[str, Call, tuple[int, int]], ...] = (
        ("json_lines, find", lambda device: find_lines(data, device), (2, 0)),
        (
            "json_lines, scan two fields",
            lambda device: scan_fields(data, starts, stops, FIELDS, max_depth=depth, device=device),
            (1, 0),
        ),
        ("json_lines, copy the text", lambda device: copy_strings(data, found[:, 0], device), (1, 1)),
        ("json_lines, all three", whole, (4, 1)),
    )
    for name, call, traffic in calls:
        report.attempt(name, partial(_timed, plan, report, data.nbytes, name, call, traffic, usual))


def _timed(
    plan: Plan, report: Report, nbytes: int, name: str, call: Call, traffic: tuple[int, int], note: str
) -> None:
    found = measure(call, plan.repeats, plan.seconds)
    report_rate(report, name, found, nbytes, ceiling=memory_ceiling(plan, traffic), note=note)
