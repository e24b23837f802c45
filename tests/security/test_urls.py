"""Which URLs are read, and which addresses never are: against servers of this machine."""

from __future__ import annotations

import functools
import http.server
import json
import threading

import pytest

from gpucurate import InlineExecutor, LocalExecutor, Pipeline, allow_protocol
from gpucurate.cli.app import run
from gpucurate.io.addresses import check_address, check_host
from gpucurate.io.listing import list_input
from gpucurate.io.urls import allowed_protocols, use_protocols
from gpucurate.spec.errors import ConfigurationError, InputError
from gpucurate.stages.text.io.reader import JsonlReader
from gpucurate.stages.text.io.writer import JsonlWriter

LINES = "".join(json.dumps({"id": i, "text": f"text {i}"}) + "\n" for i in range(50)).encode()


class Server(http.server.BaseHTTPRequestHandler):
    """A file in ranges, without ranges, without a length, behind a redirect, and behind a lock."""

    asked: list[str] = []

    def do_HEAD(self):
        self.do_GET()

    def do_GET(self):
        self.asked.append(self.path)
        places = {"/away.jsonl": self.target, "/near.jsonl": "/a.jsonl"}
        if self.path in places:
            self._answer(302, [("Location", places[self.path]), ("Content-Length", "0")])
        elif self.path == "/locked.jsonl":
            self._answer(403, [("Content-Length", "0")])
        elif self.path not in ("/a.jsonl", "/whole.jsonl", "/endless.jsonl"):
            self._answer(404, [("Content-Length", "0")])
        else:
            self._file()

    def _file(self):
        start, stop, code = 0, len(LINES), 200
        if "Range" in self.headers and self.path == "/a.jsonl":
            first, last = self.headers["Range"].removeprefix("bytes=").split("-")
            start, stop, code = int(first), int(last) + 1, 206
        body = LINES[start:stop]
        length = [] if self.path == "/endless.jsonl" else [("Content-Length", str(len(body)))]
        return self._answer(code, length, body)

    def _answer(self, code, headers, body=b""):
        self.send_response(code)
        for header in headers:
            self.send_header(*header)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def serve():
    started = []

    def serve(target="http://169.254.169.254/latest/meta-data/a.jsonl"):
        handler = functools.partial(type("Here", (Server,), {"target": target, "asked": []}))
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        started.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{server.server_port}"

    yield serve
    for server in started:
        server.shutdown()
        server.server_close()


@pytest.fixture(autouse=True)
def nothing_is_allowed():
    use_protocols(())
    yield
    use_protocols(())


@pytest.fixture
def http_is_allowed():
    allow_protocol("http")


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://127.0.0.1:1/a.jsonl", "--allow-protocol http"),
        ("https://example.org/a.jsonl", "gpucurate.allow_protocol\\('https'\\)"),
        ("ftp://host/a.jsonl", "ftp:// is not read from"),
        ("file+x://host/a.jsonl", "is not read from"),
        ("github://org:repo@/a.jsonl", "is not read from"),
        ("reference://x", "is not read from"),
        ("zip://a.jsonl::file://a.zip", "zip:// is not read from"),
        ("simplecache::http://host/a.jsonl", "chains file systems"),
        ("s3://me:secret@bucket/a.jsonl", "carries a password"),
        ("s3://bucket/a.jsonl?X-Amz-Signature=1", "carries a password, token or signature"),
    ],
)
def test_what_is_not_on_the_list_is_refused_and_says_how_to_allow_it(url, said):
    with pytest.raises(ConfigurationError, match=said):
        list_input([url])


@pytest.mark.parametrize("scheme", ["ftp", "reference", "simplecache", "s3", ""])
def test_only_http_can_be_allowed(scheme):
    with pytest.raises(ConfigurationError, match="cannot be allowed"):
        allow_protocol(scheme)
    assert not allowed_protocols()


def test_chains_stay_refused_where_http_is_allowed(http_is_allowed):
    with pytest.raises(ConfigurationError, match="chains"):
        list_input(["simplecache::http://127.0.0.1/a.jsonl"])


@pytest.mark.parametrize("executor", [InlineExecutor(), LocalExecutor(workers=1)], ids=["inline", "local"])
def test_files_of_a_web_server_are_read_once_http_is_allowed(serve, http_is_allowed, tmp_path, executor):
    reader = JsonlReader(f"{serve()}/a.jsonl", blocksize="1kB")
    result = Pipeline("web", stages=[reader, JsonlWriter(tmp_path / "out")]).run(executor)
    assert result.report.books.read == 50
    assert b"".join(p.read_bytes() for p in sorted((tmp_path / "out").glob("*.jsonl"))) == LINES


def test_the_command_takes_the_option(serve, tmp_path):
    arguments = ["dedup", "exact", f"{serve()}/near.jsonl", "-o", str(tmp_path / "out")]
    assert run([*arguments]) == 3
    assert run([*arguments, "--allow-protocol", "gopher"]) == 3
    assert run([*arguments, "--allow-protocol", "http", "--executor", "inline"]) == 0
    assert (tmp_path / "out" / "near.jsonl").read_bytes() == LINES


def test_a_redirect_to_a_metadata_service_is_not_followed(serve, http_is_allowed):
    with pytest.raises(ConfigurationError, match=r"169\.254\.169\.254 is link-local"):
        list_input([f"{serve()}/away.jsonl"])


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/a.jsonl",
        "http://0xa9fea9fe/a.jsonl",
        "http://[fe80::1]/a.jsonl",
        "http://[::ffff:169.254.169.254]/a.jsonl",
        "http://100.100.100.200/a.jsonl",
        "http://metadata.google.internal/a.jsonl",
        "http://METADATA.google.internal./a.jsonl",
    ],
)
def test_metadata_services_are_refused_however_they_are_written(url, http_is_allowed):
    with pytest.raises(ConfigurationError, match="never read"):
        list_input([url])


def test_an_address_as_one_number_is_no_address(http_is_allowed):
    with pytest.raises(InputError, match="not a canonical IPv4 address"):
        list_input(["http://2852039166/a.jsonl"])


@pytest.mark.parametrize(
    "address",
    [
        "169.254.0.1",
        "fe80::1%eth0",
        "::ffff:169.254.169.254",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::a9fe:a9fe",
        "64:ff9b:1:a9fe:a9:fe00::",
        "64:ff9b:1:12a9:fe:a9fe::",
        "64:ff9b:1:1234:a9:fea9:fe00:0",
        "fd00:ec2::254",
        "fd20:ce::254",
        "fd00:c1::a9fe:a9fe",
        "fd00:42::42",
        "192.0.0.192",
        "168.63.129.16",
    ],
)
def test_refused_addresses(address):
    with pytest.raises(ConfigurationError, match="never read"):
        check_address(address)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "::1",
        "10.0.0.1",
        "192.168.1.1",
        "8.8.8.8",
        "2001:db8::1",
        "fd20:ce::1",
        "64:ff9b:1::808:808",
    ],
)
def test_other_addresses_are_those_that_the_user_allowed(address):
    check_address(address)
    check_host(address)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("nothing.jsonl", "does not exist"),
        ("locked.jsonl", "the server answered 403"),
        ("endless.jsonl", "does not say how many bytes"),
    ],
)
def test_what_a_server_will_not_give_is_told(name, said, serve, http_is_allowed):
    with pytest.raises(InputError, match=said):
        list_input([f"{serve()}/{name}"])


def test_a_server_without_ranges_is_told_and_not_taken_for_the_file(serve, http_is_allowed, tmp_path):
    reader = JsonlReader(f"{serve()}/whole.jsonl", blocksize="1kB")
    with pytest.raises(InputError, match=r"bytes where .* were asked for"):
        Pipeline("web", stages=[reader, JsonlWriter(tmp_path / "out")]).run(InlineExecutor())


@pytest.mark.parametrize("tail", ["?versionId=1", "#x"])
def test_queries_would_be_part_of_the_records_and_are_refused(tail, http_is_allowed):
    with pytest.raises(ConfigurationError, match="give the plain URL of a file"):
        list_input([f"http://127.0.0.1:1/a.jsonl{tail}"])
