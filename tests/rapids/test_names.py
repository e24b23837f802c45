"""Every name of RAPIDS, CuPy and NVML that the package uses exists, and takes what it is given.

CuPy's wheel is too large to fetch for this: ``tests/gpu/test_cupy_names.py`` asks it on a device. What
operations ask of ``xp`` must be in NumPy too, where the emulator runs them.
"""

import pytest

from tests.rapids import calls, live
from tests.rapids.uses import uses_in, uses_of

STATIC, ON_A_DEVICE = ("cudf", "pylibcudf", "rmm"), ("cupy", "cupyx", "xp")

RIGHT = [
    "import rmm\nrmm.mr.LimitingResourceAdaptor(rmm.mr.CudaMemoryResource(), allocation_limit=5)",
    "import pylibcudf as plc\nplc.io.parquet.ParquetReaderOptions.builder(source).build().set_columns(names)",
    "import cudf\ncudf.Series(texts).str.minhash(0, a=a, b=b, width=5)",
    "import sys\nsys.modules['cudf'].DataFrame.from_arrow(table)",
    "from pylibcudf import TypeId\nTypeId.STRING",
    "def f(frame: cudf.DataFrame):\n    frame.drop_duplicates(subset=['a']).reset_index(drop=True)",
    "import cudf\nread = cudf.read_json\nread(path, lines=True, byte_range=[0, 5])",
    "import rmm\nrmm.mr.CudaAsyncMemoryResource(**options)",
    "def f(rmm):\n    rmm.mr.set_current_device_resource(stack)",
    "def f(column: plc.Column):\n    column.type().id().name",
    "mr = something_else()\nmr.nothing",
]
WRONG = {
    "import rmm\nrmm.mr.NoMemoryResource": "source:2: rmm.mr.NoMemoryResource does not exist",
    "import rmm.nothing": "rmm.nothing does not exist",
    "def f():\n    from rmm.mr import Nothing": "source:2: rmm.mr.Nothing does not exist",
    "import rmm\nrmm.mr.CudaAsyncMemoryResource(initial=1)": "unexpected keyword argument 'initial'",
    "import rmm\nrmm.mr.LimitingResourceAdaptor(upstream)": "missing a required argument: 'allocation_limit'",
    "import rmm\npool = rmm.mr.CudaMemoryResource()\npool.release()": "CudaMemoryResource().release does not",
    "def load():\n    import rmm\n    return rmm\nload().mr.NoResource()": "rmm.mr.NoResource does not exist",
    "rmm = load_it()\nrmm.mr.NoResource()": "rmm.mr.NoResource does not exist",
    "def f(rmm):\n    rmm.reinitialise()": "rmm.reinitialise does not exist",
    "import pylibcudf as plc\nplc.TypeId.TEXT": "pylibcudf.TypeId.TEXT does not exist",
    "import pylibcudf as plc\nplc.Column.from_arrow(a, strm=stream)": "unexpected keyword argument 'strm'",
    "def f(column: plc.Column):\n    column.type().ids()": "Column().type().ids does not exist",
    "import pylibcudf as plc\nplc.Column.from_arrow()": "missing a required argument",
    "import cudf\ncudf.read_json(path, line=True)": "unexpected keyword argument 'line'",
    "import cudf\ncudf.Scalar(5)": "cudf.Scalar does not exist",
    "import sys\nsys.modules.get('cudf').Frames": "cudf.Frames does not exist",
    "import cudf\ncudf.Series(texts).str.minhash_permuted": "str.minhash_permuted does not exist",
    "def f(frame: 'cudf.DataFrame'):\n    frame.to_arrow(index=False)": "unexpected keyword argument 'index'",
    "import cudf\nread = cudf.read_parquet\nread(path, groups=[0])": "unexpected keyword argument 'groups'",
    "import cudf\nouter(inner, key=cudf.concatenate)": "cudf.concatenate does not exist",
}
WRONG_XP = {
    "device.xp.zeroes(3)": "xp.zeroes: numpy has no such name",
    "xp = device.xp\nxp.zeros(3, kind=int)": "unexpected keyword argument 'kind'",
    "def f(xp):\n    xp.maximum(a, b, axis=0)": "unexpected keyword argument 'axis'",
    "device.xp.maximum(a)": "missing a required argument",
    "device.xp.asarray(a).to_host()": "xp.asarray().to_host: numpy has no such name",
    "device.xp.asarray(a).get()": "xp.asarray().get: numpy has no such name",
    "zeros = device.xp.zeros\nzeros()": "missing a required argument: 'shape'",
}


def static_objections(rapids, uses):
    return [reason for use in uses if use.root in STATIC and (reason := calls.objection(rapids, use))]


def live_objections(uses, root, module):
    return [reason for use in uses if use.root == root and (reason := live.objection(use, module))]


@pytest.fixture(scope="module")
def uses(repository):
    return uses_of(repository / "gpucurate") + uses_of(repository / "benchmarks" / "gpu")


def test_all_that_the_package_uses_of_rapids_exists_and_takes_what_it_is_given(rapids, uses):
    assert static_objections(rapids, uses) == []


def test_all_that_operations_ask_of_a_devices_arrays_is_in_numpy(uses):
    assert live_objections(uses, "xp", "numpy") == []


def test_all_that_the_package_uses_of_nvml_exists(uses):
    pytest.importorskip("pynvml", reason="nvidia-ml-py is not installed")
    assert live_objections(uses, "pynvml", "pynvml") == []


def test_there_is_a_check_for_whatever_is_used(uses):
    roots = {use.root for use in uses}
    assert roots >= {"cudf", "rmm", "cupy", "xp", "pynvml"}, (
        "the walk over the sources sees less than there is"
    )
    # Of dask_cuda one class is used, which needs a device to be made (docs/gpu-status.md).
    assert roots <= {*STATIC, *ON_A_DEVICE, "pynvml", "dask_cuda"}, "a package that no test here knows"


@pytest.mark.parametrize("source", RIGHT)
def test_right_uses_are_not_objected_to(rapids, source):
    assert static_objections(rapids, uses_in(source)) == []


@pytest.mark.parametrize("source", WRONG)
def test_wrong_uses_are_found(rapids, source):
    found = static_objections(rapids, uses_in(source))
    assert any(WRONG[source] in reason for reason in found), found


@pytest.mark.parametrize("source", WRONG_XP)
def test_what_numpy_does_not_have_is_found(source):
    found = live_objections(uses_in(source), "xp", "numpy")
    assert any(WRONG_XP[source] in reason for reason in found), found


def test_what_only_cupy_has_is_not_looked_for_in_numpy():
    imported = "def module():\n    import cupy\n    return cupy\n"
    for source in (
        "self.xp.cuda.runtime.getDevice()",
        imported + "xp = module()\nxp.cuda.runtime.getDevice()",
    ):
        uses = uses_in(source)
        assert "cupy.cuda.runtime.getDevice" in {use.name for use in uses}
        assert live_objections(uses, "xp", "numpy") == []
    assert len(live_objections(uses_in(imported + "module().zeroes(5)"), "xp", "numpy")) == 1
