"""The documentation says what the code does."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

from gpucurate.disk.crash_points import POINTS


def test_the_command_reference_is_that_of_the_code(repository: Path) -> None:
    spec = importlib.util.spec_from_file_location("make_commands", repository / "docs" / "make_commands.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.TARGET.read_text() == module.reference(), "run python docs/make_commands.py"


def test_links_between_pages_lead_somewhere(repository: Path) -> None:
    pages = [repository / "README.md", repository / "CONTRIBUTING.md", *(repository / "docs").glob("*.md")]
    assert len(pages) > 8
    for page in pages:
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_every_package_is_in_the_architecture(repository: Path) -> None:
    text = (repository / "docs" / "architecture.md").read_text()
    for package in (repository / "gpucurate").iterdir():
        if (package / "__init__.py").exists():
            assert f"`{package.name}`" in text, f"docs/architecture.md does not name {package.name}"


def test_the_crash_points_are_those_of_the_code(repository: Path) -> None:
    text = (repository / "docs" / "crash-testing.md").read_text()
    assert dict(re.findall(r"^\| `([a-z_.]+)` \| (.*) \|$", text, re.M)) == POINTS


@pytest.mark.parametrize(
    "page", ["quickstart.md", "concepts.md", "index.md", "lines.md", "policies.md", "shapes.md"]
)
def test_the_examples_of_a_page_run(page: str, repository: Path, tmp_path: Path) -> None:
    """Every Python block of a page, in order, as one script in an empty folder."""
    blocks = re.findall(r"```python\n(.*?)```", (repository / "docs" / page).read_text(), re.DOTALL)
    assert blocks
    (tmp_path / "example.py").write_text("\n".join(blocks))
    done = subprocess.run(
        [sys.executable, "example.py"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
