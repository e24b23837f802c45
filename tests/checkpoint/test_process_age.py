"""Whether the owner of a run folder is there: seen where it can be, and not guessed where it cannot."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time

import pytest

from gpucurate.checkpoint.process_age import identity, is_alive, is_near

TELL = "import json; from gpucurate.checkpoint.process_age import identity; print(json.dumps(identity()))"


def test_a_process_that_runs_is_alive_and_one_that_was_killed_is_not():
    with subprocess.Popen([sys.executable, "-c", f"{TELL}; input()"], stdin=-1, stdout=-1) as other:
        told = json_of(other)
        assert is_alive(told) is True
        other.kill()
        other.stdout.read()  # it has ended, and nobody has asked how
        wait_for(lambda: is_alive(told) is False)
    assert is_alive(told) is False


def json_of(process: subprocess.Popen[bytes]) -> dict[str, object]:
    return json.loads(process.stdout.readline())


def wait_for(holds) -> None:
    until = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.01)


def test_another_process_that_was_given_the_number_is_not_the_owner():
    assert is_alive({**identity(), "ticks": identity()["ticks"] - 1}) is False


def test_when_a_process_began_is_counted_by_the_kernel_and_not_by_the_clock():
    seconds = identity()["ticks"] / os.sysconf("SC_CLK_TCK")
    assert 0 < seconds <= time.clock_gettime(time.CLOCK_BOOTTIME)


@pytest.mark.parametrize("other", [{"host": "elsewhere"}, {"boot": "another"}, {"pids": 1}])
def test_nothing_is_said_of_a_process_that_cannot_be_seen_from_here(other):
    assert not is_near({**identity(), **other})
    assert is_alive({**identity(), **other}) is None


def test_nothing_is_said_of_an_owner_that_did_not_say_enough():
    for key in ("boot", "pids", "ticks"):
        assert is_alive({name: value for name, value in identity().items() if name != key}) is None


def in_another_namespace(*options: str) -> dict[str, object]:
    ended = subprocess.run(
        ["unshare", "--user", "--map-root-user", "--pid", "--fork", *options, sys.executable, "-c", TELL],
        capture_output=True,
        check=False,
    )
    if ended.returncode:
        pytest.skip(f"no namespaces here: {ended.stderr.decode().strip()}")
    return json.loads(ended.stdout)


def test_a_process_of_another_container_is_not_taken_for_one_of_this():
    told = in_another_namespace("--mount-proc")
    assert told["host"] == identity()["host"] and told["boot"] == identity()["boot"]
    assert told["pid"] == 1 and told["pids"] != identity()["pids"]
    assert is_alive(told) is None


def test_a_process_that_sees_those_of_another_namespace_does_not_say_what_it_cannot_know():
    assert in_another_namespace().keys() == {"host", "pid"}


@pytest.mark.parametrize("pid", [2**22 + 1, 2**40, 2**70])
def test_a_number_that_no_process_can_have_is_that_of_none(pid):
    assert is_alive({**identity(), "pid": pid}) is False
