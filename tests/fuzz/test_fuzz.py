"""Each entry by hypothesis, or by seeds, for a second or two; ``make fuzz`` lets atheris go on for longer."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.fuzz.json_lines import check_json_lines
from tests.fuzz.state import FinishedRun
from tests.fuzz.words import check_words

same_each_time = settings(derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))

JSON_PARTS = st.sampled_from(
    [
        *(
            b'{"text": "',
            b'"}',
            b'"text"',
            b'"text":7',
            b'{"text":"a"}\n',
            b"\\u00e9",
            b"\\ud83d",
            b"\\n",
            b"\\",
        ),
        *(
            b"\n",
            b"\r\n",
            b"\r",
            b'"',
            b"null",
            b"1e400",
            b"NaN",
            b"tru",
            b"-0",
            b"[[",
            b"]]",
            b"{",
            b"}",
            b",",
        ),
        *(b":", b"\xc3\xa9", b"\xff", b"\0", b" ", b"\xef\xbb\xbf"),
    ]
)
LINES = st.lists(JSON_PARTS | st.binary(max_size=4), max_size=30).map(b"".join)
CUTS = st.binary(min_size=2, max_size=2)


@settings(same_each_time, max_examples=300)
@given(CUTS, LINES)
@example(b"\0\0", b"\xef\xbb\xbf\n" + b'{"text":"\\u00e9"}\r\n' * 3)
@example(b"\5\0", b"[" * 400 + b"]" * 400)
@example(b"\5\0", b'{"text":"a"' + b"," * 300)
def test_json_lines_are_read_as_an_oracle_reads_them(cuts: bytes, content: bytes) -> None:
    check_json_lines(cuts + content)


WORDS = ["1.5", "GB", "max:", "prefer:", "a=*.b", "%", "0.01", "://", "s3", "::", "@", "2x", ",", "9" * 400]
TEXTS = st.lists(st.sampled_from(WORDS) | st.text(max_size=5), max_size=6).map("".join)


@settings(same_each_time, max_examples=1000)
@given(TEXTS.map(lambda text: text.encode("utf-8", "surrogatepass")) | st.binary(max_size=40))
def test_what_users_type_is_a_value_or_a_sentence(data: bytes) -> None:
    check_words(data)


def test_parquet_of_which_bytes_are_others_ends_nothing_but_itself(repository: Path) -> None:
    command = [sys.executable, "-m", "tests.fuzz.columns", "1000", "400"]
    ended = subprocess.run(command, cwd=repository, capture_output=True, text=True, check=False, timeout=240)
    assert ended.returncode == 0, f"seed {ended.stdout.split()[-1]}: {ended.stderr[-3000:]}"


def test_what_a_run_left_is_refused_or_mended_when_it_is_damaged(tmp_path: Path) -> None:
    finished = FinishedRun(tmp_path)
    for seed in range(54):
        finished.check(bytes([seed]) + random.Random(seed).randbytes(8))
