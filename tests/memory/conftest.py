from importlib.util import find_spec

import pytest

from tests.memory.host_memory import HostStack, RmmOverHost


@pytest.fixture(params=["host", "rmm"])
def stack_of(request):
    """Makes a stack of a limit over host memory: a stand-in's, and RMM's own where it is installed."""
    if request.param == "rmm" and find_spec("rmm") is None:
        pytest.skip("RMM is not installed (pip install 'gpucurate[cu13]')")
    return HostStack if request.param == "host" else RmmOverHost
