"""A run in a process of its own: ``script.py CORPUS OUTPUT SECONDS CONFIG``, the last one in JSON."""

from __future__ import annotations

import json
import sys

from gpucurate import LocalExecutor
from gpucurate.spec.errors import GpucurateError
from tests.chaos.crowd import pipeline
from tests.chaos.stages import Sieve, Sieve2

corpus, output, seconds, config = sys.argv[1:5]
stages = Sieve(3, float(seconds)), Sieve2(5, float(seconds))
try:
    result = pipeline(corpus, output, *stages).run(LocalExecutor(workers=4, config=json.loads(config)))
except GpucurateError as error:
    print(type(error).__name__, error)
    sys.exit(error.exit_code)
print(result.report.books.to_dict(), result.report.books.balance, result.report.counts["seen"])
