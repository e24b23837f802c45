"""What a user gets from the wheel, in an environment that never saw the repository."""

import json
import subprocess
import sys

import pytest


@pytest.fixture(scope="module")
def installed(new_environment, source_copy, tmp_path_factory):
    """An environment with the wheel installed."""
    dist = tmp_path_factory.mktemp("dist")
    build = [
        sys.executable,
        "-m",
        "build",
        "--wheel",
        "--no-isolation",
        "--outdir",
        str(dist),
        str(source_copy()),
    ]
    subprocess.run(build, check=True, capture_output=True)
    environment = new_environment()
    environment.install(next(dist.glob("*.whl")))
    return environment


LOOK_UP = """
from gpucurate.ops.kernels import kernel_path, kernel_source
print(kernel_path({0!r}))
print(kernel_source({0!r}), end="")
"""


def test_the_package_comes_from_the_wheel(installed):
    where = installed.run("python", "-c", "import gpucurate; print(gpucurate.__file__)")
    assert where.startswith(str(installed.root))


def test_every_kernel_of_the_repository_is_inside_and_the_same(installed, repository):
    sources = sorted((repository / "kernels").iterdir())
    assert sources
    for source in sources:
        path, _, text = installed.run("python", "-c", LOOK_UP.format(source.name)).partition("\n")
        assert path.startswith(str(installed.root))
        assert "_kernels" in path
        assert text == source.read_text()


def test_the_installed_command_deduplicates(installed, tmp_path):
    words = [f"word{i}" for i in range(60)]
    texts = [
        " ".join(words),
        " ".join([*words, "more"]),
        "nothing of the kind, and long enough to have shingles of its own",
    ]
    lines = [json.dumps({"text": text, "n": n}) + "\n" for n, text in enumerate(texts)]
    (tmp_path / "in.jsonl").write_text("".join(lines))
    out = tmp_path / "out"
    installed.run("gpucurate", "dedup", "fuzzy", tmp_path / "in.jsonl", "--output", out, cwd=tmp_path)
    assert (out / "in.jsonl").read_text() == lines[0] + lines[2]
    report = json.loads((out / "_gpucurate" / "report.json").read_text())
    assert report["books"]["dropped"] == {"duplicates": 1}
