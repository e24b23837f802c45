"""Exact deduplication with polars, lazily from JSONL to JSONL.

    python -m benchmarks.peers.exact_polars INPUT OUTPUT [--ordered]

With ``--ordered``, the first of equal documents survives and the order stays, as gpucurate has it;
else any of them, in any order.
"""

from __future__ import annotations

import sys
from pathlib import Path

import polars as pl

source, target, *options = sys.argv[1:]
keep = {"keep": "first", "maintain_order": True} if options else {"keep": "any"}
pl.scan_ndjson(Path(source) / "*.jsonl").unique(subset="text", **keep).sink_ndjson(target)
