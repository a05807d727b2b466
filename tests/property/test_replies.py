"""What its user writes and what they answer, whatever stands around a cursor: nothing of one is in the other."""

from hypothesis import given
from hypothesis import strategies as st

from idiolect.daemon.text.replies import MAX_CHARS, MAX_TEXTS, split

MINE = st.lists(st.sampled_from(["mine", "mine too"]), min_size=1, max_size=3)
THEIRS = st.tuples(
    st.sampled_from(["> ", ">", ">> ", "> > ", " > ", "\u200e> "]),
    st.lists(st.sampled_from(["theirs", "-- ", "theirs wrote:", ""]), min_size=1, max_size=3),
    st.sampled_from(["", "On Monday, B <b@a.example> wrote:"]),
)


def written(part):
    if isinstance(part, list):
        return ["", *part, ""]
    mark, lines, said = part
    return [*filter(None, [said]), *(f"{mark}{line}" for line in lines)]


@given(st.lists(st.one_of(MINE, THEIRS), max_size=8), st.lists(st.one_of(MINE, THEIRS), max_size=8))
def test_the_words_of_both_are_told_apart(above, below):
    """The cursor stands behind a line of its user's, and the rest may come in any order."""
    before = "\n".join([line for part in above for line in written(part)] + ["", "the last"])
    reply = split(before, "\n\n" + "\n".join(line for part in below for line in written(part)))
    mine = [line for part in above if isinstance(part, list) for line in part]
    assert reply.prefix is not None
    assert [line for line in reply.prefix.split("\n") if line] == [*mine, "the last"]
    texts = reply.context()
    assert not [text for text in texts if "mine" in text or "last" in text]
    theirs = sum(
        lines.count("theirs") for _, lines, _ in filter(lambda part: isinstance(part, tuple), above + below)
    )
    assert sum(line.strip() == "theirs" for text in texts for line in text.split("\n")) == theirs


@given(
    st.text(st.sampled_from(">\n -aO:\r\u202e"), max_size=60),
    st.text(st.sampled_from(">\n -a:"), max_size=60),
)
def test_any_text_is_taken(before, behind):
    reply = split(before, behind)
    assert reply.prefix is None or reply.prefix.endswith(before.rpartition("\n")[2])
    texts = reply.context()
    assert len(texts) <= MAX_TEXTS
    assert sum(map(len, texts)) <= MAX_CHARS
    if ">" not in before + behind and ":" not in before + behind:
        assert (reply.prefix, texts) == (before, [])
