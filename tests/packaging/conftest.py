"""A second Python environment, for tests of what users install."""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

PACKAGE_FILES = ("gpucurate", "kernels", "pyproject.toml", "README.md", "LICENSE")


@dataclass(frozen=True)
class Environment:
    """A virtual environment that sees the dependencies of this one, but not its gpucurate."""

    root: Path

    @property
    def python(self) -> Path:
        return self.root / "bin" / "python"

    def run(self, *command: str | Path, cwd: Path | None = None) -> str:
        """Run a program of this environment; its standard output."""
        program, *rest = map(str, command)
        done = subprocess.run(
            [str(self.root / "bin" / program), *rest],
            cwd=cwd or self.root,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{command} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
        return done.stdout

    def install(self, *arguments: str | Path) -> None:
        pip = [sys.executable, "-m", "pip", "--python", str(self.python), "install", "--quiet"]
        offline = ["--no-deps", "--no-index", "--no-build-isolation", "--disable-pip-version-check"]
        subprocess.run([*pip, *offline, *map(str, arguments)], check=True, capture_output=True)


@pytest.fixture(scope="session")
def new_environment(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Environment]:
    def make() -> Environment:
        root = tmp_path_factory.mktemp("environment")
        venv.create(root, with_pip=False, symlinks=True)
        environment = Environment(root)
        own = Path(
            environment.run("python", "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip()
        )
        # A plain path in a .pth file: the .pth files over there, ours among them, are not read.
        (own / "zz_dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
        return environment

    return make


@pytest.fixture(scope="session")
def source_copy(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Path]:
    """Copies what the package is built from, so that a test may edit it."""

    def make() -> Path:
        copy = tmp_path_factory.mktemp("tree")
        for name in PACKAGE_FILES:
            source = repository / name
            if source.is_dir():
                shutil.copytree(source, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy2(source, copy / name)
        return copy

    return make
