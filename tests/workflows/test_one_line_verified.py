"""Verification of frames in memory."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gpucurate import fuzzy_dedup
from gpucurate.backends.executors import InlineExecutor
from gpucurate.spec.errors import ConfigurationError
from tests.workflows.conftest import edited, page
from tests.workflows.tree import clusters


@pytest.fixture(scope="module")
def texts() -> list[str]:
    rng = random.Random(5)
    pages = [page(rng, 60) for _ in range(25)]
    return [edited(text, rng, edits) for text in pages for edits in (0, 2, 6, 15)]


@pytest.mark.parametrize("verify", ["exact", "estimate"])
@pytest.mark.parametrize("linkage", ["component", "survivor"])
def test_a_frame_gives_the_clusters_that_files_give(
    verify: Any, linkage: Any, texts: list[str], tmp_path: Path
) -> None:
    options: dict[str, Any] = {"verify": verify, "linkage": linkage, "threshold": 0.7, "keep": "longest"}
    (tmp_path / "in.jsonl").write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
    fuzzy_dedup(tmp_path / "in.jsonl", tmp_path / "out", executor=InlineExecutor(), **options)
    found = fuzzy_dedup(pd.DataFrame({"text": texts}), **options)
    columns = ["row", "cluster", "cluster_size", "is_kept", "similarity"]
    of_files = [{name: row[name] for name in columns} for row in clusters(tmp_path / "out")]
    assert found.clusters.to_pylist() == of_files
    assert 20 < found.duplicates < 75
    others = ~found.clusters.column("is_kept").to_numpy()
    least = found.clusters.column("similarity").to_numpy()[others].min()
    assert (least >= np.float32(0.7)) == (linkage == "survivor")


def test_without_verification_there_is_no_similarity(texts: list[str]) -> None:
    found = fuzzy_dedup(pd.DataFrame({"text": texts}))
    assert found.clusters.column_names == ["row", "cluster", "cluster_size", "is_kept"]


def test_a_threshold_alone_chooses_how_much_is_found(texts: list[str]) -> None:
    frame = pd.DataFrame({"text": texts})
    found = [fuzzy_dedup(frame, threshold=threshold).duplicates for threshold in (0.4, 0.7, 0.95)]
    assert found[0] > found[1] > found[2]
    assert fuzzy_dedup(frame, threshold=0.7, permutations=16).duplicates != found[1]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"verify": "exact"}, "needs a threshold"),
        ({"threshold": 2.0}, "above 0 and at most 1"),
        ({"threshold": 0.8, "bands": 4}, "chooses bands and rows, but they are given"),
        ({"permutations": 64}, "where a threshold chooses"),
        ({"permutations": 64, "threshold": 0.8, "verify": "exact", "preset": "fineweb"}, "where a threshold"),
        ({"permutations": 0, "threshold": 0.8}, "permutations=0 cannot"),
    ],
)
def test_settings_that_would_do_nothing_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        fuzzy_dedup(pd.DataFrame({"text": ["a"]}), **options)
