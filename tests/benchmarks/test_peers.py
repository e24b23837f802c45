"""The comparison with peers reads what they print, reports those that cannot run, and invents no figure."""

import json
import subprocess
import sys

import pytest
import zstandard

from benchmarks.peers.compare_commands import Commands
from benchmarks.peers.compare_sketches import Case, Sketches, cases, last_line, parse
from benchmarks.peers.contests import EXACT_CONTESTS, FUZZY, NEMO_CURATOR, Contest
from benchmarks.peers.environments import (
    PEERS,
    REQUIREMENTS,
    Environment,
    environment,
    pinned_version,
    pip_reason,
)
from benchmarks.peers.processes import ROOT, cores, pinned
from benchmarks.peers.sketching import Task, Variant, char_shingles, passes, word_shingles
from benchmarks.peers.tables import figure, rate, table
from benchmarks.peers.texts import ascii_pages, head, in_languages

CASE = Case("ASCII pages", "char")


def printed(name, rates, *, full_set=True, by_hand=False):
    line = {"name": name, "remark": "r", "full_set": full_set, "by_hand": by_hand, "rates": rates}
    return json.dumps(line) + "\n"


@pytest.fixture
def sketches():
    """Ours at 400 MB/s, a peer at 10 and, of hashes by numpy, at 100, one that samples at 200."""
    compared = Sketches({}, 0, 1.0)
    lines = [
        ("gpucurate", printed("band_keys, Python strings", [300, 400, 500])),
        ("gpucurate", printed("band_keys, Arrow buffers", [500])),
        ("peer 1.0", printed("plain", [10]) + printed("flat", [100], by_hand=True)),
        ("peer 1.0", printed("sampled", [200], full_set=False)),
    ]
    for peer, output in lines:
        for found in parse(peer, CASE, output):
            compared.measured[peer, found.name] = found
    return compared


def test_a_table_has_a_line_below_its_head_and_bars_do_not_end_cells():
    assert table(["a", "b"], [["1", "x|y"]]) == "| a | b |\n| --- | --- |\n| 1 | x\\|y |"


@pytest.mark.parametrize(("value", "shown"), [(0.8666, "0.87"), (12.345, "12.3"), (1234.5, "1,234")])
def test_figures_have_three_digits_that_count(value, shown):
    assert figure(value) == shown


def test_a_rate_comes_with_how_many_times_ours_is_as_fast():
    assert rate(10.0, 400.0) == "10.0 (40.0x)"


def test_sketches_are_told_by_medians_and_peers_beside_ours_from_strings(sketches):
    rows = sketches.table([CASE]).splitlines()[2:]
    assert rows[0] == "| gpucurate | band_keys, Python strings | all | 400 |"
    assert rows[2] == "| peer 1.0 | plain | all | 10.0 (40.0x) |"
    assert rows[3] == "| peer 1.0 | flat | all, by numpy | 100 (4.00x) |"
    assert rows[4] == "| peer 1.0 | sampled | sampled | 200 (2.00x) |"


def test_the_fastest_peer_is_told_apart_from_what_numpy_makes_of_it_and_none_that_samples(sketches):
    alone, with_numpy = sketches.fastest(CASE)
    assert "peer 1.0 plain, 10.0 MB/s, ratio 50.0" in alone
    assert "peer 1.0 flat, 100 MB/s, ratio 5.00" in with_numpy


def test_a_case_that_was_not_measured_leaves_its_cell_empty(sketches):
    assert sketches.table([CASE, Case("other", "char")]).splitlines()[2].endswith("| 400 |  |")


def test_every_text_is_sketched_by_characters_and_ascii_also_normalised_and_by_words():
    assert [(c.title, c.shingle) for c in cases(["A", "B"])] == [
        ("A", "char"),
        ("A, normalised", "char"),
        ("A", "word"),
        ("A, normalised", "word"),
        ("B", "char"),
    ]


def test_shingles_are_all_5_grams_and_short_texts_are_one():
    assert list(char_shingles("abcdefg")) == ["abcde", "bcdef", "cdefg"]
    assert list(char_shingles("abc")) == ["abc"]
    assert list(word_shingles("a b  c\nd e f")) == ["a b c d e", "b c d e f"]
    assert list(word_shingles("a b")) == ["a b"]
    assert list(Task("char", normalize=True).texts(["A  B\n"])) == ["a b"]


def test_passes_end_with_the_time_but_there_is_one_at_least():
    seen = []
    variant = Variant("v", seen.append, prepare=len)
    assert len(passes(variant, ["x" * 1000] * 30, seconds=0.0)) == 1
    assert seen == [20, 30]  # the first documents warm up


def test_a_head_ends_with_the_document_that_fills_it():
    assert head(["aa", "é", "ccc"], 3) == ["aa", "é"]
    assert head(["aa"], 100) == ["aa"]


def test_only_ascii_documents_are_ascii_pages(tmp_path):
    lines = [json.dumps({"text": text}) for text in ("plain", "naïve")]
    (tmp_path / "a.jsonl").write_text("\n".join(lines))
    assert list(ascii_pages(tmp_path)) == ["plain"]


def test_languages_take_turns(tmp_path):
    records = [{"lang": lang, "text": f"{lang}{i}"} for lang in ("ja", "en", "zh") for i in range(2)]
    raw = "\n".join(map(json.dumps, records)).encode()
    (tmp_path / "docs.jsonl.zst").write_bytes(zstandard.ZstdCompressor().compress(raw))
    assert list(in_languages(tmp_path, {"zh", "ja"})) == ["ja0", "zh0", "ja1", "zh1"]


@pytest.mark.parametrize("name", PEERS)
def test_every_peer_is_pinned_to_the_last_package_and_none_brings_torch(name):
    pins = (REQUIREMENTS / f"{name}.txt").read_text()
    assert all(line.count("==") == 1 for line in pins.splitlines())
    assert "torch==" not in pins
    assert pinned_version(pins, name)


def test_a_peer_that_does_not_install_is_reported_with_the_reason_of_pip(tmp_path):
    broken = tmp_path / "requirements"
    broken.mkdir()
    (broken / "nothing.txt").write_text("nothing==1.0\n./absent.whl\n")
    found = environment("nothing", tmp_path / "envs", broken)
    assert found.python is None
    assert "absent.whl" in found.reason
    contest = Contest("nothing", "it", "module", (), (), "small", "")
    assert "not installed: " in Commands({}, tmp_path, [0], 1).theirs(contest, found).failure


def test_the_reason_of_pip_is_its_error():
    assert pip_reason("WARNING: old\nERROR: No matching distribution\nERROR: more") == (
        "ERROR: No matching distribution"
    )
    assert pip_reason("") == "pip said nothing"


def test_a_program_that_fails_is_reported_with_its_last_words(tmp_path):
    contest = Contest("peer", "it", "benchmarks.peers.no_such_module", (), (), "small", "")
    peer = Environment("peer", "1.0", sys.executable)
    run = Commands({"small": tmp_path}, tmp_path, cores(1), 1).theirs(contest, peer)
    assert run.failure.startswith("failed: ")
    assert "no_such_module" in run.failure


def test_a_command_of_ours_is_measured_once_a_corpus(tmp_path):
    data = tmp_path / "data"
    data.mkdir()
    (data / "a.jsonl").write_text('{"text": "one"}\n' * 3 + '{"text": "two"}\n')
    commands = Commands({"small": data}, tmp_path, cores(1), 1)
    run = commands.ours(("dedup", "exact"), "small")
    assert (run.kept, run.nbytes) == (2, 64)
    assert run.seconds > 0
    assert run.cpu > 0
    assert run.peak > 0
    assert commands.ours(("dedup", "exact"), "small") is run
    assert not (tmp_path / "output").exists()


def test_a_pinned_command_may_use_its_cores_alone():
    used = cores(1)
    module = "import os; print(sorted(os.sched_getaffinity(0)))"
    command = pinned(used, sys.executable, "this")
    at = command.index("-m")
    done = subprocess.run([*command[:at], "-c", module], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(used)


def test_every_contest_names_a_peer_and_a_module_that_are_there():
    for contest in (*FUZZY, *EXACT_CONTESTS):
        assert contest.peer in PEERS
        assert (ROOT / f"{contest.module.replace('.', '/')}.py").exists()
    assert "CUDA" in NEMO_CURATOR


def test_the_last_line_that_says_something():
    assert last_line("a\nb\n\n") == "b"
    assert last_line("") == "no message"


def test_a_row_has_a_cell_for_every_head_whether_the_peer_ran_or_not(tmp_path):
    data = tmp_path / "data"
    data.mkdir()
    (data / "a.jsonl").write_text('{"text": "one"}\n')
    commands = Commands({"small": data, "large": data}, tmp_path, cores(1), 1)
    contests = (Contest("peer", "it", "json.tool", (), ("dedup", "exact"), "small", ""),)
    for peer in (
        Environment("peer", "1.0", None, "no wheel"),
        Environment("peer", "1.0", sys.executable),
    ):
        lines = commands.table(contests, {"peer": peer}).splitlines()
        assert len({line.count("|") for line in lines}) == 1
        assert ("not installed: no wheel" in lines[2]) == (peer.python is None)
