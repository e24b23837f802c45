from __future__ import annotations

import pytest

from gpucurate.spec.errors import ConfigurationError
from gpucurate.spec.resources import Resources


def test_gpus_count_only_where_there_is_one():
    asked = Resources(cpus=2, gpus=1)
    assert asked.on("cuda") == asked
    assert asked.on("cpu") == Resources(cpus=2)
    assert not asked.on("cpu").requires_gpu


@pytest.mark.parametrize("amounts", [{"cpus": -1}, {"gpus": 1, "gpu_memory_gb": 4}, {"gpus": 1.5}])
def test_impossible_amounts_are_refused(amounts):
    with pytest.raises(ConfigurationError):
        Resources(**amounts)
