from __future__ import annotations

import json
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from gpucurate.spec.books import Books

counts = st.integers(0, 10**9)
counters = st.dictionaries(st.sampled_from(["a", "b: reason", "c"]), st.integers(1, 10**6)).map(Counter)


@st.composite
def balanced(draw):
    books = Books(
        kept=draw(counts), quarantined=draw(counts), blank=draw(counts),
        dropped=draw(counters), rejected=draw(counters), added=draw(counters),
    )  # fmt: skip
    books.read = -books.balance
    return books


@given(st.lists(balanced(), max_size=5))
def test_sums_of_books_that_balance_do_so_too(several):
    total = Books()
    for books in several:
        assert books.balance == 0
        total.add(books)
    assert total.balance == 0
    assert total.dropped.total() == sum(books.total_dropped for books in several)


@given(balanced())
def test_books_survive_json(books):
    assert Books.from_dict(json.loads(json.dumps(books.to_dict()))) == books


@given(balanced(), st.integers(1, 100))
def test_one_lost_document_is_seen(books, lost):
    books.kept -= lost
    assert books.balance == lost
