"""Every name of CuPy that the package uses exists there, and takes what it is given; no device is asked."""

import pytest

from tests.rapids import live
from tests.rapids.uses import uses_of


def test_all_that_the_package_uses_of_cupy_exists_and_takes_what_it_is_given(repository):
    pytest.importorskip("cupy", reason="CuPy is not installed")
    modules = {"cupy": "cupy", "cupyx": "cupyx", "xp": "cupy"}
    folders = repository / "gpucurate", repository / "benchmarks" / "gpu"
    uses = [use for folder in folders for use in uses_of(folder) if use.root in modules]
    found = [reason for use in uses if (reason := live.objection(use, modules[use.root]))]
    assert uses
    assert found == []
