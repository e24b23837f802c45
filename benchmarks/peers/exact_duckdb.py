"""Exact deduplication with DuckDB, in one statement from JSONL to JSONL.

    python -m benchmarks.peers.exact_duckdb INPUT OUTPUT THREADS

Any of equal documents survives, in any order.
"""

from __future__ import annotations

import sys
from pathlib import Path

import duckdb

source, target, threads = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
duckdb.sql(f"SET threads = {threads}")
duckdb.sql("SET preserve_insertion_order = false")
records = duckdb.read_json(str(source / "*.jsonl"), format="newline_delimited")
duckdb.sql(f"COPY (SELECT DISTINCT ON (text) * FROM records) TO '{target}' (FORMAT json)")
