"""What is input and what is not, how files are named, and what is said when nothing is there."""

import contextlib
import os
import socket
import tempfile
from pathlib import Path

import pytest

from gpucurate.io.listing import list_input
from gpucurate.spec.errors import ConfigurationError, InputError


def make(folder, *names):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("{}\n")


def names(*inputs, **options):
    return [file.name for file in list_input(inputs, **options).files]


def test_files_are_recognised_by_their_names(tmp_path):
    make(
        tmp_path,
        "a.jsonl",
        "b.ndjson",
        "c.jsonl.gz",
        "d.ndjson.gzip",
        "e.jsonl.zst",
        "f.jsonl.zstd",
        "g.parquet",
        "h.pq",
        "I.JSONL.GZ",
    )
    found = {f.name: (f.format, f.compression) for f in list_input([tmp_path]).files}
    assert found == {
        "a.jsonl": ("jsonl", "none"),
        "b.ndjson": ("jsonl", "none"),
        "c.jsonl.gz": ("jsonl", "gzip"),
        "d.ndjson.gzip": ("jsonl", "gzip"),
        "e.jsonl.zst": ("jsonl", "zstd"),
        "f.jsonl.zstd": ("jsonl", "zstd"),
        "g.parquet": ("parquet", "none"),
        "h.pq": ("parquet", "none"),
        "I.JSONL.GZ": ("jsonl", "gzip"),
    }


def test_other_files_are_ignored_with_a_reason(tmp_path):
    other = [
        "a.csv",
        "b.txt",
        "c.warc.gz",
        "d.arrow",
        "e.json",
        "f.jsonl.crc",
        "g.jsonl.tmp",
        "h.parquet.part",
        "noextension",
    ]
    make(tmp_path, "good.jsonl", *other)
    listing = list_input([tmp_path])
    assert [f.name for f in listing.files] == ["good.jsonl"]
    assert [os.path.basename(path) for path, _ in listing.ignored] == other
    assert all(reason for _, reason in listing.ignored)


def test_hidden_and_underscored_names_are_ignored(tmp_path):
    make(
        tmp_path,
        "a.jsonl",
        ".b.jsonl",
        "._a.jsonl",
        "_SUCCESS",
        "_c.jsonl",
        "_gpucurate/d.jsonl",
        "_temporary/0/e.jsonl",
        ".git/f.jsonl",
    )
    assert names(tmp_path) == ["a.jsonl"]
    assert names(f"{tmp_path}/**/*.jsonl") == ["a.jsonl"]


def test_json_is_read_where_the_format_is_given(tmp_path):
    make(tmp_path, "a.json", "b.json.gz", "c.parquet")
    assert names(tmp_path) == ["c.parquet"]
    assert names(tmp_path, format="jsonl") == ["a.json", "b.json.gz"]
    assert names(tmp_path, format="parquet") == ["c.parquet"]


def test_a_listing_is_in_the_order_of_the_bytes_of_names(tmp_path):
    make(tmp_path, "b.jsonl", "a/z.jsonl", "a-b.jsonl", "B.jsonl", "é.jsonl", "10.jsonl", "9.jsonl")
    listed = names(tmp_path)
    assert listed == sorted(listed, key=os.fsencode)
    assert listed == ["10.jsonl", "9.jsonl", "B.jsonl", "a-b.jsonl", "a/z.jsonl", "b.jsonl", "é.jsonl"]


STRANGE = [b"with space.jsonl", b"new\nline.jsonl", b"quote\".jsonl", b"100%.jsonl", b"a#b?.jsonl",
b"-rf.jsonl",
           b"[x].jsonl", b"not utf8 \xff.jsonl", b"x" * 249 + b".jsonl", b"a::b.jsonl"]  # fmt: skip


@pytest.mark.parametrize("name", STRANGE, ids=repr)
def test_strange_names_are_listed_and_read(tmp_path, name, monkeypatch):
    from tests.io.reading import read

    (tmp_path / os.fsdecode(name)).write_text('{"text": "a"}\n')
    assert [os.fsencode(n) for n in names(tmp_path)] == [name]
    assert read(tmp_path / os.fsdecode(name)).texts == ["a"]
    monkeypatch.chdir(tmp_path)
    assert read(os.fsdecode(name)).texts == ["a"]


def test_folders_are_not_entered_if_they_should_not_be(tmp_path):
    make(tmp_path, "a.jsonl", "sub/b.jsonl")
    listing = list_input([tmp_path], recurse=False)
    assert [f.name for f in listing.files] == ["a.jsonl"]
    assert listing.ignored == ((str(tmp_path / "sub"), "a folder, and folders are not entered"),)


@pytest.mark.parametrize(
    "pattern, expected",
    [
        ("*.jsonl", ["a.jsonl", "b.jsonl"]),
        ("?.jsonl", ["a.jsonl", "b.jsonl"]),
        ("[ab].jsonl", ["a.jsonl", "b.jsonl"]),
        ("**/*.jsonl", ["a.jsonl", "b.jsonl", "sub/c.jsonl", "sub/deep/d.jsonl"]),
        ("**", ["a.jsonl", "b.jsonl", "e.parquet", "sub/c.jsonl", "sub/deep/d.jsonl"]),
        ("s*", ["sub/c.jsonl", "sub/deep/d.jsonl"]),
        ("sub/*", ["c.jsonl", "deep/d.jsonl"]),
        ("sub/*/*.jsonl", ["deep/d.jsonl"]),
    ],
)
def test_globs_name_files_below_their_first_wildcard(tmp_path, pattern, expected):
    make(tmp_path, "a.jsonl", "b.jsonl", "sub/c.jsonl", "sub/deep/d.jsonl", "e.parquet", "other.txt")
    assert names(f"{tmp_path}/{pattern}") == expected


def test_single_files_are_named_below_the_folder_they_share(tmp_path):
    make(tmp_path, "x/a.jsonl", "y/a.jsonl", "y/b.jsonl")
    assert names(tmp_path / "x/a.jsonl") == ["a.jsonl"]
    assert names(tmp_path / "y/a.jsonl", tmp_path / "y/b.jsonl") == ["a.jsonl", "b.jsonl"]
    assert names(tmp_path / "x/a.jsonl", tmp_path / "y/a.jsonl") == ["x/a.jsonl", "y/a.jsonl"]


def test_several_roots_are_told_apart_by_their_base_names_in_any_order(tmp_path):
    make(tmp_path, "p/data/a.jsonl", "q/data/a.jsonl", "r/more/a.jsonl", "a.jsonl", "b.jsonl")
    roots = [tmp_path / "q/data", tmp_path / "r/more", tmp_path / "p/data", tmp_path / "a.jsonl"]
    expected = {
        "a.jsonl": tmp_path / "a.jsonl",
        "data-2/a.jsonl": tmp_path / "q/data/a.jsonl",
        "data/a.jsonl": tmp_path / "p/data/a.jsonl",
        "more/a.jsonl": tmp_path / "r/more/a.jsonl",
    }
    for inputs in (roots, roots[::-1]):
        assert {f.name: f.path for f in list_input(inputs).files} == {k: str(v) for k, v in expected.items()}


def test_names_are_unique_even_where_a_single_file_lies_in_a_folder_called_like_a_root(tmp_path):
    make(tmp_path, "data/a.jsonl", "b.jsonl", "other/data/a.jsonl")
    listed = names(tmp_path / "data/a.jsonl", tmp_path / "b.jsonl", tmp_path / "other/data")
    assert listed == ["b.jsonl", "data-2/a.jsonl", "data/a.jsonl"]


def test_a_path_given_twice_is_read_once_with_a_warning(tmp_path):
    make(tmp_path, "a.jsonl")
    listing = list_input([tmp_path / "a.jsonl", tmp_path / "a.jsonl"])
    assert len(listing.files) == 1
    assert len(listing.warnings) == 1
    listing = list_input([tmp_path, f"{tmp_path}/*.jsonl"])
    assert len(listing.files) == 1


@pytest.mark.parametrize("link", [os.link, os.symlink], ids=["hard link", "symbolic link"])
def test_one_file_by_two_names_is_read_by_both_with_a_warning(tmp_path, link):
    make(tmp_path, "a.jsonl")
    link(tmp_path / "a.jsonl", tmp_path / "b.jsonl")
    listing = list_input([tmp_path])
    assert [f.name for f in listing.files] == ["a.jsonl", "b.jsonl"]
    assert len(listing.warnings) == 1
    assert "one file by two names" in listing.warnings[0]


def test_links_to_folders_are_followed_once_and_loops_end(tmp_path):
    make(tmp_path, "in/real/a.jsonl", "outside/b.jsonl")
    (tmp_path / "in/aaa").symlink_to(tmp_path / "in/real")
    (tmp_path / "in/real/up").symlink_to(tmp_path / "in")
    (tmp_path / "in/out").symlink_to(tmp_path / "outside")
    with pytest.raises(InputError, match=r"in/out is a link out of .*in, to .*outside: .* --follow-external"):
        list_input([tmp_path / "in"])
    listing = list_input([tmp_path / "in"], follow_external=True)
    assert [f.name for f in listing.files] == ["out/b.jsonl", "real/a.jsonl"]
    assert {os.path.basename(path) for path, _ in listing.ignored} == {"aaa", "up"}


def test_a_link_to_nothing_is_an_error_that_names_it(tmp_path):
    make(tmp_path, "a.jsonl")
    (tmp_path / "b.jsonl").symlink_to(tmp_path / "gone")
    with pytest.raises(InputError, match=r"b\.jsonl is a link to nothing"):
        list_input([tmp_path])


def test_a_link_to_itself_is_an_error(tmp_path):
    (tmp_path / "b.jsonl").symlink_to(tmp_path / "b.jsonl")
    with pytest.raises(InputError, match=r"b\.jsonl cannot be looked at"):
        list_input([tmp_path])


def test_fifos_sockets_and_folders_named_like_files_are_never_opened(tmp_path):
    make(tmp_path, "a.jsonl", "folder.jsonl/b.txt")
    os.mkfifo(tmp_path / "fifo.jsonl")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "s.jsonl"))
        listing = list_input([tmp_path])
    assert [f.name for f in listing.files] == ["a.jsonl"]
    reasons = {os.path.basename(path): reason for path, reason in listing.ignored}
    assert "FIFO" in reasons["fifo.jsonl"]
    assert "socket" in reasons["s.jsonl"]
    with pytest.raises(InputError, match=r"fifo\.jsonl is a FIFO"):
        list_input([tmp_path / "fifo.jsonl"])


@pytest.fixture
def open_folder():
    """A folder that an ordinary user can enter, which pytest's own are not when root runs it."""
    with tempfile.TemporaryDirectory() as name:
        os.chmod(name, 0o755)
        yield Path(name)


@contextlib.contextmanager
def without_privileges():
    if os.geteuid() != 0:
        yield
        return
    os.setresuid(65534, 65534, 0)
    try:
        yield
    finally:
        os.setresuid(0, 0, 0)


def test_a_folder_without_permission_is_an_error_that_names_it(open_folder):
    make(open_folder, "a.jsonl", "sub/b.jsonl")
    (open_folder / "sub").chmod(0)
    with without_privileges(), pytest.raises(InputError, match="sub cannot be listed: Permission denied"):
        list_input([open_folder])
    (open_folder / "sub").chmod(0o755)
    (open_folder / "sub/b.jsonl").chmod(0)
    with without_privileges(), pytest.raises(InputError, match=r"b\.jsonl cannot be read: permission denied"):
        list_input([open_folder])


def test_what_is_not_there_is_said_with_what_is(tmp_path):
    make(tmp_path, "data/a.txt", "data/b.csv", "empty/.hidden")
    with pytest.raises(InputError, match="no input was given"):
        list_input([])
    with pytest.raises(InputError, match=r"there is .*data, but nothing called 'c\.jsonl' in it"):
        list_input([tmp_path / "data/c.jsonl"])
    with pytest.raises(InputError, match=r"\*\.jsonl matches nothing"):
        list_input([f"{tmp_path}/data/*.jsonl"])
    with pytest.raises(InputError, match=r"nothing to read: looked for .jsonl.* 2 other entries .*a.txt"):
        list_input([tmp_path / "data"])
    with pytest.raises(InputError, match="nothing to read"):
        list_input([tmp_path / "data/a.txt"])
    (tmp_path / "none").mkdir()
    with pytest.raises(InputError, match=r"holds no files: looked for .*jsonl.*parquet"):
        list_input([tmp_path / "none"])
    with pytest.raises(InputError, match=r"looked for \.parquet, \.pq$"):
        list_input([tmp_path / "none"], format="parquet")


@pytest.mark.parametrize(
    "url, why",
    [
        ("https://example.org/a.jsonl", "https:// is read only where"),
        ("http://169.254.169.254/latest/a.jsonl", "http:// is read only where"),
        ("simplecache::s3://bucket/a.jsonl", "chains file systems"),
        ("filecache::memory://a.jsonl", "chains file systems"),
        ("reference://x", "reference:// is not read"),
        ("ftp://host/a.jsonl", "ftp:// is not read"),
        ("s3://key:hunter2@bucket/a.jsonl", "carries a password"),
    ],
)
def test_urls_beyond_the_allow_list_are_refused_with_a_sentence(url, why):
    with pytest.raises(ConfigurationError, match=why) as caught:
        list_input([url])
    assert "hunter2" not in str(caught.value)


def test_secrets_in_urls_are_not_echoed():
    with pytest.raises(ConfigurationError) as caught:
        list_input(["https://host/a.jsonl?X-Amz-Signature=hunter2&token=hunter3&x=1"])
    assert "hunter" not in str(caught.value)


def test_a_file_url_is_a_local_path(tmp_path):
    make(tmp_path, "a.jsonl", "b c.jsonl")
    assert names(f"file://{tmp_path}") == ["a.jsonl", "b c.jsonl"]
    assert list_input([f"file://{tmp_path}/a.jsonl"]).files == list_input([tmp_path / "a.jsonl"]).files


def test_ten_thousand_files_are_listed_in_a_moment(tmp_path):
    for i in range(100):
        (tmp_path / f"{i:02d}").mkdir()
        for j in range(100):
            (tmp_path / f"{i:02d}/{j:02d}.jsonl").touch()
    listing = list_input([tmp_path])
    assert len(listing.files) == 10_000
    assert listing.files[1234].name == "12/34.jsonl"
