"""Clusters that are named by their size."""

import pytest

from gpucurate.planning.cluster_size import parse_cluster
from gpucurate.spec.errors import ConfigurationError


def test_a_size_names_machines_gpus_and_their_kind():
    nodes = parse_cluster("64x8xH200")
    assert len(nodes) == len({node.id for node in nodes}) == 64
    assert [gpu.memory for gpu in nodes[0].gpus] == [141 * 10**9] * 8
    assert nodes[0].cpus_milli == 112_000


def test_a_gpu_may_be_named_by_its_memory():
    (node,) = parse_cluster("1x2x24GB", cpus_per_node=6)
    assert [gpu.memory for gpu in node.gpus] == [24 * 10**9] * 2
    assert node.cpus_milli == 6000
    assert parse_cluster("1x1xl40s")[0].gpus[0].memory == 48 * 10**9


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("64x8", "is not the size of a cluster"),
        ("0x8xH100", "is not the size of a cluster"),
        ("1x0xH100", "is not the size of a cluster"),
        ("axbxc", "is not the size of a cluster"),
        ("", "is not the size of a cluster"),
        ("1x1xQ7", "GPU 'Q7' is not known, only A100, .*give its memory"),
        ("1x1x8parsecs", "is not a size"),
    ],
)
def test_anything_else_is_refused(text, message):
    with pytest.raises(ConfigurationError, match=message):
        parse_cluster(text)
    with pytest.raises(ConfigurationError, match="at least 1"):
        parse_cluster("1x1xH100", cpus_per_node=0)
