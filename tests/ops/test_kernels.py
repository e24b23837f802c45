"""CUDA sources are looked for in the package, then in the repository."""

import pytest

from gpucurate.ops import kernels
from gpucurate.spec.errors import ConfigurationError


@pytest.fixture
def places(tmp_path, monkeypatch):
    """An installed package's folder and a repository's, both searched."""
    folders = (tmp_path / "gpucurate" / "_kernels", tmp_path / "kernels")
    for folder in folders:
        folder.mkdir(parents=True)
    monkeypatch.setattr(kernels, "SEARCHED", folders)
    return folders


def test_the_package_comes_before_the_repository(places):
    installed, repository = places
    (repository / "hash.cu").write_text("of the repository")
    assert kernels.kernel_source("hash") == "of the repository"
    (installed / "hash.cu").write_text("of the package")
    assert kernels.kernel_source("hash.cu") == "of the package"


def test_an_edit_is_seen_at_the_next_look_up(places):
    source = places[1] / "hash.cu"
    source.write_text("one")
    assert kernels.kernel_source("hash") == "one"
    source.write_text("two")
    assert kernels.kernel_source("hash") == "two"


def test_names_are_those_of_both_places_and_leave_headers_out(places):
    for folder, name in zip(places, ("b.cu", "a.cu"), strict=True):
        (folder / name).touch()
        (folder / "portable.cuh").touch()
    assert kernels.kernel_names() == ["a", "b"]


def test_an_unknown_kernel_is_an_error_that_names_both_places_and_what_is_known(places):
    (places[1] / "hash.cu").touch()
    with pytest.raises(ConfigurationError) as raised:
        kernels.kernel_path("hush")
    message = str(raised.value)
    assert all(str(folder) in message for folder in places)
    assert "'hush.cu'" in message
    assert "known: hash" in message
