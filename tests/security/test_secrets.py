"""Secrets and texts of documents are in no message, log, report or record."""

from __future__ import annotations

import os
import re

import pytest
import zstandard

from gpucurate.spec.redaction import is_secret_name, printable, redact, redact_url
from tests.security.conftest import CANARY

pytestmark = pytest.mark.timeout(900)  # the first one waits for the runs of all kinds


def contents(runs):
    """Every file of every run folder, unpacked."""
    for path in runs.files():
        data = path.read_bytes()
        if path.name.endswith(".zst"):
            data = zstandard.ZstdDecompressor().stream_reader(data).read()
        yield path, data


def test_the_runs_went_as_they_were_meant_to(runs):
    ended = {name: code for name, code in runs.codes.items() if not name.startswith("url")}
    assert ended == {
        "exact": 0, "fuzzy": 0, "against": 0, "lines": 0, "removed": 0, "applied": 0, "killed": -9,
        "rejects": 0, "quarantine": 8, "setup": 1,
    }  # fmt: skip
    assert {code for name, code in runs.codes.items() if name.startswith("url")} == {3}


def test_no_planted_secret_is_in_any_file_of_a_run_folder(runs):
    looked_at = 0
    for path, data in contents(runs):
        assert b"planted-in" not in data, path
        looked_at += 1
    assert looked_at > 60


def test_no_planted_secret_is_printed_by_a_run_that_works_fails_or_is_debugged(runs):
    assert "planted-in" not in runs.said
    assert "Traceback" in runs.said  # of --debug, and of the stage
    assert "***" in runs.said


def test_what_failed_is_told_all_the_same(runs):
    (told,) = (runs.folder / "quarantine" / "_gpucurate" / "quarantine").iterdir()
    assert (
        "ConnectionError: https://***@host/v1?api_key=*** refused {'secret': ***} and ***" in told.read_text()
    )


def test_texts_of_documents_are_in_no_report_log_or_event(runs):
    data = {"rejects", "cuts", "scratch", "attempts", "clusters"}  # what may hold pieces of the input
    for path, content in contents(runs):
        if not data & set(path.parts):
            assert CANARY.encode() not in content, path
    assert CANARY not in runs.said


def test_texts_are_reported_where_they_were_asked_for(runs, tmp_path, capsys):
    from gpucurate.cli.app import run

    out = tmp_path / "out"
    assert run(["dedup", "exact", str(runs.folder / "data"), "-o", str(out), "--max-reject-rate", "1",
                "--executor", "inline", "--log-text"]) == 0  # fmt: skip
    shown = re.findall(rf"{CANARY} shared.*", capsys.readouterr().out)
    assert shown
    assert all(len(line) <= 80 for line in shown)
    assert CANARY in (out / "_gpucurate" / "report.json").read_text()


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("s3://me:secret@bucket/x?token=abc", "s3://***@bucket/x?token=***"),
        ("https://ghp_abcdefgh@host/x", "https://***@host/x"),
        ("abfs://box@account.dfs/x", "abfs://box@account.dfs/x"),
        ("s3://bucket/a:b@c", "s3://bucket/a:b@c"),
        ("a?X-Goog-Signature=abc&b=1&sig=xyz", "a?X-Goog-Signature=***&b=1&sig=***"),
        (
            """{'aws_secret_access_key': 'a b', "token": "x"}""",
            """{'aws_secret_access_key': ***, "token": ***}""",
        ),
        ("connect(password='hunter2', timeout=3)", "connect(password=***, timeout=3)"),
        ("Authorization: Bearer abcdefgh.ijk", "Authorization: ***"),
        ("with AKIAABCDEFGHIJKLMNOP and hf_abcdefghijklmnopqrstuvwx", "with *** and ***"),
        ("max_tokens=5, sorted(key=len), a tokenizer: x", "max_tokens=5, sorted(key=len), a tokenizer: x"),
    ],
)
def test_what_looks_like_a_secret_is_hidden_and_nothing_else(text, hidden):
    assert redact(text) == hidden
    assert redact(hidden) == hidden


def test_values_of_secret_variables_are_hidden_wherever_they_stand(monkeypatch):
    monkeypatch.setenv("SOME_API_KEY", "abcd1234efgh")
    monkeypatch.setenv("SOME_TOKEN_FILE", "/run/secrets/there")
    monkeypatch.setenv("SOME_TOKEN", "short")
    assert (
        redact("it said abcd1234efgh! /run/secrets/there, short") == "it said ***! /run/secrets/there, short"
    )
    assert redact_url("abcd1234efgh") == "abcd1234efgh"
    assert "SOME_API_KEY" in os.environ


@pytest.mark.parametrize(("name", "is_secret"), [("hf_token", True), ("api_key", True), ("apiKey", True),
                         ("text_key", False), ("tokenizer", False), ("max_tokens", False)])  # fmt: skip
def test_settings_that_hold_secrets_are_known_by_their_names(name, is_secret):
    assert is_secret_name(name) is is_secret


def test_terminals_are_given_nothing_that_they_obey():
    assert printable("a\x1b[31mb\x07\u202ec\x9bd\re\n") == "a\ufffd[31mb\ufffd\ufffdc\ufffdd\ufffde\ufffd"
