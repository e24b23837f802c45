"""Fixtures that the tests of operations share."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import orjson
import pyarrow.parquet as pq
import pytest
import zstandard

ALPHABETIC = frozenset({"en", "pt", "es", "ko"})  # the truth of words means little in zh and ja


class Pairs(NamedTuple):
    """Documents, and pairs of them with their exact similarity."""

    documents: list[str]
    languages: npt.NDArray[Any]
    left: npt.NDArray[np.uint32]
    right: npt.NDArray[np.uint32]
    jaccard: dict[str, npt.NDArray[np.float64]]

    def among(self, column: str, least: float = 0.0) -> tuple[Any, Any, Any]:
        """Left, right, similarity of the pairs at ``least`` of which the column tells the truth."""
        chosen = self.jaccard[column] >= least
        if column == "j_word5":
            spaced = np.isin(self.languages, list(ALPHABETIC))
            chosen &= spaced[self.left] & spaced[self.right]
        return self.left[chosen], self.right[chosen], self.jaccard[column][chosen]


@pytest.fixture(scope="session")
def revisions(request: pytest.FixtureRequest) -> Pairs:
    """Page revisions with exact similarities, or a skip where the data set is absent."""
    folder = Path(request.config.getoption("--truth-data")) / "neardup-revisions"
    if not folder.is_dir():
        pytest.skip("truth data absent (--truth-data)")
    packed = (folder / "docs.jsonl.zst").read_bytes()
    data = zstandard.ZstdDecompressor(max_window_size=1 << 27).decompressobj().decompress(packed)
    documents = [orjson.loads(line) for line in data.splitlines()]
    place = {document["id"]: i for i, document in enumerate(documents)}
    pairs = pq.read_table(folder / "pairs.parquet").to_pydict()
    left, right = (np.array([place[i] for i in pairs[end]], np.uint32) for end in ("id_a", "id_b"))
    columns = ("j_char24", "j_char5", "j_word5")
    return Pairs(
        [document["text"] for document in documents],
        np.array([document["lang"] for document in documents]),
        left,
        right,
        {column: np.array(pairs[column]) for column in columns},
    )
