"""In an editable install, the kernels that run are those of the repository."""

LOOK_UP = """
from gpucurate.ops.kernels import kernel_path, kernel_source
print(kernel_path("portable.cuh"), kernel_source("portable.cuh")[-9:])
"""


def test_an_edited_kernel_is_what_the_next_look_up_sees(new_environment, source_copy):
    environment, tree = new_environment(), source_copy()
    environment.install("--editable", tree)
    kernel = tree / "kernels" / "portable.cuh"
    assert environment.run("python", "-c", LOOK_UP).startswith(str(kernel))
    kernel.write_text(kernel.read_text() + "// edited")
    assert environment.run("python", "-c", LOOK_UP).endswith("// edited\n")
