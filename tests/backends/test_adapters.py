"""What adapters refuse, and what NeMo Curator's configuration comes to; nothing of it starts a cluster."""

from __future__ import annotations

import logging

import pytest

from gpucurate import Pipeline
from gpucurate.backends.adapters.dask_executor import DaskExecutor
from gpucurate.backends.adapters.ray_data_step import mark_of
from gpucurate.backends.ray_actor_pool import RayActorPoolExecutor
from gpucurate.backends.ray_data import RayDataExecutor
from gpucurate.backends.xenna import XennaExecutor
from gpucurate.spec.errors import ConfigurationError
from gpucurate.stages.base import ProcessingStage

pytest.importorskip("ray")
pytest.importorskip("distributed")

XENNA = {
    "execution_mode": "batch",
    "cpu_allocation_percentage": 0.95,
    "autoscale_interval_s": 180,
    "logging_interval": 30,
    "ignore_failures": True,
}


class Same(ProcessingStage):
    """Hands on what it is given."""

    def process(self, task):
        return task


def test_keys_of_xenna_are_settings():
    settings = XennaExecutor(XENNA).settings
    assert {name: getattr(settings, name) for name in XENNA} == XENNA


def test_keys_that_change_nothing_are_told_with_the_reason(caplog):
    with caplog.at_level(logging.INFO, logger="gpucurate.compatibility"):
        executor = XennaExecutor({"max_workers_per_stage": 4, "executor_verbosity_level": "INFO"})
    assert executor.settings == XennaExecutor().settings
    assert "config 'max_workers_per_stage' has no effect: stages say so themselves" in caplog.text
    assert "executor_verbosity_level" in caplog.text


@pytest.mark.parametrize("face", [XennaExecutor, RayActorPoolExecutor, RayDataExecutor])
def test_a_key_that_nobody_knows_is_told_with_those_that_there_are(face):
    with pytest.raises(ConfigurationError, match=r"'autoscale_interval'.* autoscale_interval_s, "):
        face(config={"autoscale_interval": 1})


@pytest.mark.parametrize(
    ("config", "instead"),
    [
        ({"reserved_cpus": 2.0}, "give cpu_allocation_percentage"),
        ({"reserved_gpus": 1.0}, "start Ray with fewer GPUs"),
        ({"runtime_env": {"pip": ["x"]}}, "give it to the stages"),
    ],
)
def test_keys_of_the_actor_pool_that_would_change_what_runs_say_where_they_go(config, instead):
    with pytest.raises(ConfigurationError, match=instead):
        RayActorPoolExecutor(config)
    assert RayActorPoolExecutor(dict.fromkeys(config)).settings == RayActorPoolExecutor().settings


def test_the_actor_pool_tells_how_far_it_is_as_often_as_it_was_told():
    assert RayActorPoolExecutor(progress_interval=3.0).settings.logging_interval == 3.0
    assert RayActorPoolExecutor({"logging_interval": 5}, progress_interval=3.0).settings.logging_interval == 5
    assert RayActorPoolExecutor(show_progress=False, progress_interval=3.0).settings.logging_interval == 60.0


@pytest.mark.parametrize("face", [XennaExecutor, RayActorPoolExecutor])
def test_faces_say_what_runs_and_what_they_do_not_offer(face):
    assert f"{face.__name__}, which is RayExecutor: ray on " in face().describe()
    with pytest.raises(ConfigurationError, match="ignore_head_node is not offered"):
        face(ignore_head_node=True)


@pytest.mark.parametrize(
    "options",
    [{"client": object(), "address": "tcp://head:8786"}, {"workers": 0}, {"address": "x", "workers": 2}],
)
def test_dask_refuses_what_contradicts_itself(options):
    with pytest.raises(ConfigurationError):
        DaskExecutor(**options)


def test_dask_refuses_stages_that_want_processes_of_their_own():
    stage = Same().with_(runtime_env={"env_vars": {"A": "1"}})
    executor = DaskExecutor(workers=1)
    with pytest.raises(ConfigurationError, match="Same asks for runtime_env, and DaskExecutor"):
        Pipeline("test", stages=[stage]).run(executor, [])
    executor.close()


def test_a_mark_tells_the_process_and_the_node_until_it_is_removed(tmp_path):
    mark = mark_of(tmp_path, 7)
    assert mark.read() is None
    mark.put("node")
    assert mark.read()[1] == "node"
    mark.remove()
    assert mark.read() is None
