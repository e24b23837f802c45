"""More text than was found: near-duplicates by a known rate of edits, and new documents from old lines."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

#: Share of words exchanged in a near-duplicate, each as likely as the others; 0 is an exact copy.
EDIT_RATES = (0.0, 0.005, 0.01, 0.02, 0.05, 0.1)
PIECE_CHARS = 400
POOL_PIECES = 20_000


def near_duplicate(text: str, rate: float, rng: random.Random) -> str:
    """``text`` with about ``rate`` of its words replaced by words from elsewhere in it.

    Costs time by the number of edits, not by the length.
    """
    edits = round(len(text) / 6 * rate)
    if not edits:
        return text
    places = sorted(rng.randrange(len(text)) for _ in range(edits))
    parts, done = [], 0
    for place in places:
        start = text.find(" ", max(place, done)) + 1
        if not start:
            break
        end = text.find(" ", start)
        if end < 0:
            break
        parts += [text[done:start], _some_word(text, rng)]
        done = end
    return "".join([*parts, text[done:]])


def _some_word(text: str, rng: random.Random) -> str:
    place = rng.randrange(len(text))
    start = text.find(" ", place) + 1
    return text[start : start + 12].split(maxsplit=1)[0] if text[start : start + 12].strip() else "word"


@dataclass(slots=True)
class Recombiner:
    """New documents of the lengths of old ones, put together from pieces of many.

    A document shares at most a piece or two with any other, so it is no near-duplicate of
    one; the words stay real.
    """

    rng: random.Random
    pool: list[str] = field(default_factory=list)

    def __call__(self, text: str) -> str:
        """Takes ``text`` apart, and returns as many pieces from the pool."""
        pieces = _pieces(text)
        for piece in pieces:
            if len(self.pool) < POOL_PIECES:
                self.pool.append(piece)
            else:
                self.pool[self.rng.randrange(POOL_PIECES)] = piece
        return "".join(self.rng.choices(self.pool, k=len(pieces)))


def _pieces(text: str) -> list[str]:
    """``text`` cut at the line ends that follow every PIECE_CHARS characters."""
    pieces, start = [], 0
    while start < len(text):
        end = text.find("\n", start + PIECE_CHARS) + 1 or len(text)
        end = min(end, start + 4 * PIECE_CHARS)
        pieces.append(text[start:end])
        start = end
    return pieces
