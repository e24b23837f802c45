"""The table of docs/security.md is that of the tests, and the tools of `make` say what they should."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
import tomllib
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest


def rows(page: Path) -> list[list[str]]:
    lines = [line for line in page.read_text().splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def test_every_row_names_a_default_an_option_and_a_test_that_there_is(repository):
    table = rows(repository / "docs" / "security.md")
    assert len(table) >= 18
    for threat, default, option, test in table:
        assert threat and default and option
        path, name = test.strip("`").split("::")
        text = (repository / "tests" / path).read_text()
        assert re.search(rf"^def {name}\(", text, re.M), test


def test_every_file_of_security_tests_is_in_the_table(repository):
    named = {row[3].strip("`").split("::")[0] for row in rows(repository / "docs" / "security.md")}
    there = {f"security/{path.name}" for path in (repository / "tests" / "security").glob("test_*.py")}
    assert there == named


def test_the_policy_leads_to_the_table_and_invents_no_address(repository):
    text = (repository / "SECURITY.md").read_text()
    assert "docs/security.md" in text
    assert "@" not in text


def test_bandit_finds_nothing_and_what_it_passes_over_has_a_reason(repository):
    pytest.importorskip("bandit")
    makefile = (repository / "Makefile").read_text()
    assert "bandit -q -r gpucurate -c pyproject.toml" in makefile
    text = (repository / "pyproject.toml").read_text()
    for skip in tomllib.loads(text)["tool"]["bandit"]["skips"]:
        assert re.search(rf'"{skip}", # \w', text), skip


AUDIT = [".ci/audit", str(Path(sys.executable).with_name("pip-audit"))]


def test_an_audit_without_a_network_says_not_checked(repository):
    pytest.importorskip("pip_audit")
    proxies = dict.fromkeys(("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"), "http://127.0.0.1:9")
    done = subprocess.run(
        AUDIT, cwd=repository, env={**os.environ, **proxies}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0
    assert done.stdout.startswith("audit: not checked")


class Service(BaseHTTPRequestHandler):
    """Knows of one hole, in packaging."""

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        hole = {
            "id": "TEST-1",
            "summary": "a hole",
            "affected": [
                {
                    "package": {"name": "packaging", "ecosystem": "PyPI"},
                    "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}]}],
                }
            ],
        }
        body = json.dumps({"vulns": [hole]} if asked["package"]["name"] == "packaging" else {}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def test_an_audit_that_finds_a_hole_fails(repository):
    pytest.importorskip("pip_audit")
    server = HTTPServer(("127.0.0.1", 0), Service)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    ask = ["--vulnerability-service", "osv", "--osv-url", f"http://127.0.0.1:{server.server_port}/v1/query"]
    environment = {**os.environ, "no_proxy": "127.0.0.1", "NO_PROXY": "127.0.0.1"}
    try:
        done = subprocess.run(
            [*AUDIT, *ask], cwd=repository, env=environment, capture_output=True, text=True, check=False
        )
    finally:
        server.shutdown()
        server.server_close()
    assert done.returncode == 1
    assert "TEST-1" in done.stdout
