"""Which documents are UTF-8: as Python decides."""

from hypothesis import given, settings
from hypothesis import strategies as st

from gpucurate.frame.text import TextBuffers
from gpucurate.ops.utf8 import invalid_utf8
from tests.ops import texts

LEADS = st.sampled_from([0x41, 0x80, 0xC1, 0xC2, 0xDF, 0xE0, 0xE4, 0xED, 0xF0, 0xF3, 0xF4, 0xF5, 0xFF])
FOLLOWING = st.sampled_from([0x41, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC3])
sequences = st.tuples(LEADS, st.lists(FOLLOWING, max_size=3)).map(lambda s: bytes([s[0], *s[1]]))
documents = st.lists(st.binary(max_size=200) | sequences | st.text(max_size=90).map(str.encode), max_size=8)


def is_invalid(document):
    try:
        document.decode()
    except UnicodeDecodeError:
        return True
    return False


@settings(max_examples=300, deadline=None)
@given(documents, st.integers(0, 70))
def test_any_bytes(given_documents, ahead):
    padded = [b"a" * ahead + document for document in given_documents]
    assert invalid_utf8(TextBuffers.from_strings(padded)).tolist() == list(map(is_invalid, padded))


def test_text_of_python_is_fine_nulls_and_slices_too():
    documents = [*texts.AWKWARD, texts.long_document()]
    assert not invalid_utf8(texts.as_slice(documents)).any()


def test_a_character_does_not_go_on_in_the_next_document():
    assert invalid_utf8(TextBuffers.from_strings([b"\xc3", b"\xa9", "é"])).tolist() == [True, True, False]
