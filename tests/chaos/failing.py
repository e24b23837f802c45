"""Disks that fail under a run, or lose power: what it says, and what it leaves once it has gone on."""

from __future__ import annotations

import errno
import os
import random
import re
import shutil
from pathlib import Path

from tests.chaos.killing import Bench, WrongError
from tests.chaos.scenarios import SCENARIOS
from tests.chaos.zygote import Ended
from tests.diskfaults.library import Faults
from tests.diskfaults.power import fail_power

CODES = (errno.EIO, errno.ENOSPC, errno.EDQUOT, errno.EACCES)

HARMLESS = {
    "mkdir": "",  # of a folder that is there
    "open": "(scratch|attempts)",  # these: while what the run no longer needs is removed
    "unlink": "(scratch|attempts)",
    "unlinkat": "(scratch|attempts|[.](clusters|edges)[.]tmp)",
    "rmdir": "(scratch|attempts)",
}
"""Calls whose failure a run may take no notice of, and what their paths hold; it has to leave the same."""

STORAGE = 6


class Disk:
    """A folder in which a run writes, and calls fail.

    Args:
        bench: whose zygote has the library of faults.
        scenario: what is run.
        workers: processes; 0 for none.
    """

    def __init__(self, bench: Bench, scenario: str, workers: int = 0) -> None:
        self.bench, self.scenario, self.workers = bench, scenario, workers
        self.under = (bench.folder / "disk-0").resolve()
        self.output = self.under / "out"
        self._renew()

    def _renew(self) -> None:
        shutil.rmtree(self.under, ignore_errors=True)
        self.under.mkdir()
        self.faults = Faults(self.bench.folder / "faults", self.under)

    def count(self) -> int:
        """Calls of a run in peace."""
        self._renew()
        self._run(self.faults.environment())
        return self.faults.calls

    def fail(self, at: int, code: int) -> str:
        """Have a call fail, look at what the run says of it, let it go on to its end; the call's name.

        Raises:
            WrongError: it says nothing, or something else, or what it leaves is other.
        """
        self._renew()
        ended = self._run(self.faults.environment(at, code))
        name, path = self.faults.failed
        if not name:
            self._check(ended.code == 0, ended, "no call failed, but the run did")
            return ""
        try:
            self._look(ended, name, path, code)
            self._go_on()
        except WrongError as error:
            raise WrongError(f"call {at}, {name} of {path}, {errno.errorcode[code]}: {error}") from error
        return name

    def lose_power(self, at: int, seed: int) -> bool:
        """Kill the run before a call, take away what was not synced, let it go on; whether it does.

        Raises:
            WrongError: it says nothing where it does not go on, or what it leaves is other.
        """
        self._renew()
        self._run(self.faults.environment(at, logs=True))
        fail_power(self.faults, random.Random(seed))
        ended = self._run({})
        try:
            if ended.code not in (0, None) and self._is_sentence(ended):
                return False
            self._check(ended.code == 0, ended, "it does not go on")
            self.bench.compare(self.scenario, self.output, self.workers)
        except WrongError as error:
            raise WrongError(f"power lost before call {at}, seed {seed}: {error}") from error
        return True

    def finish_and_lose_power(self) -> None:
        """Take all that was not synced away when a run has ended well.

        Raises:
            WrongError: something that it told of is not there.
        """
        self._renew()
        ended = self._run(self.faults.environment(logs=True))
        self._check(ended.code == SCENARIOS[self.scenario].exit_code, ended, "it fails")
        fail_power(self.faults, random.Random(0), lose_all=True)
        for name in ("scratch", "attempts"):  # what was removed may be there again, until somebody looks
            shutil.rmtree(self.output / "_gpucurate" / name, ignore_errors=True)
        self.bench.compare(self.scenario, self.output, self.workers)

    def _run(self, environment: dict[str, str]) -> Ended:
        corpus = self.bench.corpus(self.scenario)
        return self.bench.zygote.run(self.scenario, corpus, self.output, self.workers, **environment)

    def _look(self, ended: Ended, name: str, path: str, code: int) -> None:
        if ended.code == 0:
            may = name in HARMLESS and re.search(HARMLESS[name], path) is not None
            self._check(may, ended, "the run took no notice")
            return
        self._check(ended.code == STORAGE, ended, "another exit code")
        self._check(self._is_sentence(ended), ended, "not one sentence")
        self._check(os.strerror(code) in ended.said, ended, "the error is not named")
        self._check(any(each in ended.said for each in _shown(path)), ended, "the path is not named")
        self._check(not (self.output / "_gpucurate" / "_SUCCESS").exists(), ended, "there is a _SUCCESS")

    def _go_on(self) -> None:
        again = self._run({})
        self._check(again.code == 0, again, "it does not go on")
        self.bench.compare(self.scenario, self.output, self.workers)

    @staticmethod
    def _is_sentence(ended: Ended) -> bool:
        lines = ended.said.strip().splitlines()
        return len(lines) == 1 and lines[0].startswith("gpucurate: ") and "Traceback" not in ended.said

    @staticmethod
    def _check(holds: bool, ended: Ended, what: str) -> None:
        if not holds:
            raise WrongError(f"{what}: {ended.code}, {ended.said[-1500:]!r}")


def _shown(path: str) -> list[str]:
    """How a message may name a path: itself, what a temporary name stands for, its folder."""
    whole = Path(path)
    final = [Path(*map(_final, parts)) for parts in (whole.parts, whole.parent.parts)]
    return [path, str(final[0]), f"{whole.parent}:", f"{final[1]}:", f"{whole.with_suffix('')}:"]


def _final(name: str) -> str:
    """What a file or a folder is renamed to when it is whole."""
    return re.sub(r"^[.](.*?)([.]\d+)?[.]tmp$", r"\1", name)
