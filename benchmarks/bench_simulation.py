"""The scheduler on clusters that are not here: what a decision costs, and how busy 512 GPUs are.

    python -m benchmarks.bench_simulation [--units 51200] [--workers 1000] [--queued 100000] [--profile]

The scheduler is the one that real runs have; machines, workers and the clock are simulated
(gpucurate.backends.sim), and the simulation refuses every action that no real cluster could carry out.
Prints Markdown tables for RESULTS.md. Figures of a simulation are predictions: nothing here ran on a GPU.
"""

from __future__ import annotations

import argparse
import cProfile
import math
import pstats
import statistics
import time
from collections import Counter

from gpucurate.backends.sim.distributions import Constant, Lognormal
from gpucurate.backends.sim.faults import Faults
from gpucurate.backends.sim.history import History
from gpucurate.backends.sim.model import LaneModel, Links
from gpucurate.backends.sim.scenario import Scenario, uniform_nodes
from gpucurate.backends.sim.simulation import Simulation
from gpucurate.scheduling.policy import Lane, Policy
from gpucurate.spec.cluster import MILLI, Need

GB = 10**9
GPU_SETUP_S = 60.0
GPU_SECONDS = 20.0
NODES, GPUS = 64, 8
GPU_LANE = 2


def decisions_scenario(workers: int, queued: int) -> Scenario:
    """A queue far longer than the workers can hold, in front of three segments."""
    lanes = (
        Lane("read", Need(MILLI), edge_bytes=64 * GB),
        Lane("filter", Need(MILLI), edge_bytes=64 * GB),
        Lane("write", Need(MILLI)),
    )
    model = LaneModel(seconds=Lognormal(1.0, 0.2), setup=Constant(1.0))
    units = tuple((f"{index:032x}", 10**6) for index in range(queued))
    nodes = uniform_nodes(-(-workers // 64), cpus=64, memory=256 * GB)
    policy = Policy(workers, 256 * GB, max_slots=2, slot_seconds=10.0)
    return Scenario(lanes, (model, model, model), units, nodes, policy)


def cluster_scenario(units: int) -> Scenario:
    """Reader, tokenizer, classifier on a GPU, writer; noise of 20% and one crash per hundred worker-hours."""
    noise = Lognormal(1.0, 0.2)
    lanes = (
        Lane("reader", Need(MILLI), edge_bytes=1024 * GB),
        Lane("tokenizer", Need(MILLI), edge_bytes=1024 * GB, expansion=1000),
        Lane("classifier", Need(MILLI, gpus_milli=MILLI), edge_bytes=1024 * GB, setup_s=GPU_SETUP_S),
        Lane("writer", Need(MILLI)),
    )
    models = (
        LaneModel(seconds=Constant(4.0), noise=noise, setup=Constant(2.0)),
        LaneModel(seconds=Constant(8.0), noise=noise, setup=Constant(5.0)),
        LaneModel(seconds=Constant(GPU_SECONDS), noise=noise, setup=Constant(GPU_SETUP_S), prefetch=True),
        LaneModel(seconds=Constant(2.0), noise=noise, setup=Constant(2.0)),
    )
    sizes = tuple((f"{index:032x}", GB) for index in range(units))
    nodes = uniform_nodes(NODES, cpus=64, memory=1024 * GB, gpus=GPUS, gpu_memory=140 * GB)
    policy = Policy(None, 512 * GB, max_slots=2, slot_seconds=60.0)
    faults = Faults(crashes_per_hour=0.01)
    links = Links(network=10e9)
    return Scenario(lanes, models, sizes, nodes, policy, faults, links)


def print_decisions(history: History, workers: int, queued: int, started: float) -> None:
    """What an event costs the scheduler."""
    steady = history.thinking[len(history.thinking) // 2 :]
    cuts = statistics.quantiles(steady, n=100)
    print("\nProcessor time of one decision, that is of one event with all that follows from it:\n")
    print("| workers | queued units | start (ms) | median (us) | mean | p99 | p99.9 | longest (ms) |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    steady.sort()
    row = (
        f"{workers:,}",
        f"{queued:,}",
        f"{started * 1e3:.0f}",
        f"{statistics.median(steady) * 1e6:.1f}",
        f"{statistics.mean(steady) * 1e6:.1f}",
        f"{cuts[98] * 1e6:.1f}",
        f"{steady[int(0.999 * len(steady))] * 1e6:.1f}",
        f"{steady[-1] * 1e3:.1f}",
    )
    print("| " + " | ".join(row) + " |", flush=True)


def measure_decisions(workers: int, queued: int) -> None:
    """Time ``Core.on`` in the middle of a run."""
    simulation = Simulation(decisions_scenario(workers, queued), events=40_000)
    began = time.perf_counter()
    simulation.core.start(0.0)
    started = time.perf_counter() - began
    simulation = Simulation(decisions_scenario(workers, queued), events=40_000)
    history = simulation.run()
    print_decisions(history, workers, queued - len(history.committed), started)


def print_cluster(history: History, simulation: Simulation, seconds: float) -> None:
    """Whether the GPUs were kept busy, and how near the run came to what is possible."""
    places = NODES * GPUS
    full = history.full_size_at(GPU_LANE, places)
    warm = (full or math.inf) + GPU_SECONDS
    fed = history.last_given(GPU_LANE)
    work = sum(amount.seconds for amount in simulation.world.amounts[GPU_LANE].values())
    bound = GPU_SETUP_S + work / places
    doubled = sum(times > 1 for times in Counter(done.unit for done in history.committed).values())
    rows = (
        ("units committed", f"{len(history.committed):,} of {history.units:,}"),
        ("lost, doubled, set aside", f"{len(history.lost)}, {doubled}, {len(history.quarantined)}"),
        ("workers that crashed", f"{history.deaths['it crashed']}"),
        ("all 512 GPUs ready after", f"{full:.1f} s (one setup: {GPU_SETUP_S:.0f} s)" if full else "never"),
        ("GPUs busy, warm and fed", f"{history.busy_share(GPU_LANE, places, start=warm, stop=fed):.2%}"),
        (
            "GPUs busy, whole run",
            f"{history.busy_share(GPU_LANE, places, start=0, stop=history.makespan):.2%}",
        ),
        ("makespan", f"{history.makespan:,.0f} s"),
        ("fluid lower bound", f"{bound:,.0f} s: one setup, then 512 GPUs without a pause"),
        ("makespan / bound", f"{history.makespan / bound:.3f}"),
        (
            "most bytes behind each segment",
            ", ".join(f"{peak / GB:,.0f} GB" for peak in history.edge_peaks[:-1]),
        ),
        ("decisions", f"{len(history.thinking):,}, mean {statistics.mean(history.thinking) * 1e6:.1f} us"),
        ("simulated in", f"{seconds:.0f} s"),
    )
    print("\n| reader, tokenizer, classifier, writer on 64 x 8 GPUs | |\n| --- | --- |")
    for name, value in rows:
        print(f"| {name} | {value} |", flush=True)


def measure_cluster(units: int) -> None:
    """Run the large cluster."""
    simulation = Simulation(cluster_scenario(units))
    began = time.perf_counter()
    history = simulation.run()
    print_cluster(history, simulation, time.perf_counter() - began)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--units", type=int, default=NODES * GPUS * 100)
    parser.add_argument("--workers", type=int, default=1000)
    parser.add_argument("--queued", type=int, default=100_000)
    parser.add_argument("--profile", action="store_true", help="print where the scheduler spends its time")
    options = parser.parse_args()
    profile = cProfile.Profile()
    if options.profile:
        profile.enable()
    measure_decisions(options.workers, options.queued)
    measure_cluster(options.units)
    if options.profile:
        profile.disable()
        pstats.Stats(profile).sort_stats("tottime").print_stats("scheduling", 25)


if __name__ == "__main__":
    main()
