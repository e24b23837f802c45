"""The tables of Unicode 15.1."""

import sys
import time
import unicodedata

import pytest

from gpucurate.ops.unicode import OTHER, SOLO, SPACE, WORD, unicode_tables

TABLES = unicode_tables()
POINTS = range(0x110000)


def assigned_to_python(point):
    return unicodedata.category(chr(point)) not in ("Cn", "Cs")


def test_white_space_is_the_property_and_not_what_python_strips():
    spaces = [c for c in POINTS if TABLES.class_of(c) == SPACE]
    assert spaces == [
        *range(0x9, 0xE),
        0x20,
        0x85,
        0xA0,
        0x1680,
        *range(0x2000, 0x200B),
        0x2028,
        0x2029,
        0x202F,
        0x205F,
        0x3000,
    ]


def test_words_are_what_python_matches_as_words_where_it_knows_the_character():
    for point in filter(assigned_to_python, POINTS):
        character = chr(point)
        is_word = unicodedata.category(character)[0] in "LN" or character == "_"
        if TABLES.class_of(point) == SOLO:
            assert is_word or unicodedata.category(character)[0] == "M"
        else:
            assert (TABLES.class_of(point) == WORD) == is_word, hex(point)


@pytest.mark.parametrize("character", "漢々ひカทกັကា")
def test_scripts_without_spaces_have_words_of_one_character(character):
    assert TABLES.class_of(ord(character)) == SOLO


@pytest.mark.parametrize("character", "-。!\u200b")
def test_punctuation_is_neither_word_nor_space(character):
    assert TABLES.class_of(ord(character)) == OTHER


def test_lower_case_is_the_simple_mapping():
    for point in filter(assigned_to_python, POINTS):
        lower = chr(point).lower()
        if TABLES.class_of(point) == SPACE:
            assert TABLES.normal_of(point) == 0x20
        elif len(lower) == 1:
            assert TABLES.normal_of(point) == ord(lower), hex(point)
    assert TABLES.normal_of(0x130) == ord("i")  # two characters in full, one in the simple mapping


def test_only_two_characters_grow_in_lower_case():
    def size(point):
        return len(chr(point).encode())

    cased = [c for c in POINTS if TABLES.normal_of(c) != c]
    assert [hex(c) for c in cased if size(TABLES.normal_of(c)) > size(c)] == ["0x23a", "0x23e"]


def test_nothing_becomes_a_space_but_white_space():
    assert all((TABLES.normal_of(c) == 0x20) == (TABLES.class_of(c) == SPACE) for c in POINTS)


def test_tables_are_small_and_quick_to_expand():
    start = time.process_time()
    unicode_tables.__wrapped__()
    assert time.process_time() - start < 0.1
    assert sum(sys.getsizeof(bytes(t)) for t in (TABLES.class_stage2, TABLES.normal_stage2)) < 100_000
