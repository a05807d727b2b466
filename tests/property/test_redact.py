"""Redaction on any text: idempotent, secrets gone, the rest kept."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from redaction_examples import taken

from idiolect.daemon.text.normalise import normalise, pieces
from idiolect.daemon.text.redaction.labels import WORDS, WORDS_ALONE
from idiolect.daemon.text.redaction.patterns import RULES
from idiolect.daemon.text.redaction.redact import hides, placeholders, redact

EXAMPLES = [text for _, text, _ in taken()]
SECRETS = ["hunter2x", "AKIA" + "IOSFODNN7EXAMPLE", "4111 1111 1111 1111", "GB82WEST12345698765432"]
LABELS = [
    "password: ",
    "token=",
    "PIN: ",
    "https://a:",
    "@",
    "--token ",
    "the password is ",
    "Bearer ",
    '"',
    "\n",
]

words = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=12)
fragments = st.one_of(
    words,
    st.sampled_from(EXAMPLES),
    st.sampled_from(SECRETS),
    st.sampled_from(LABELS),
    st.sampled_from([rule.placeholder for rule in RULES]),
    st.sampled_from([" ", ".", ", ", "\n\n", "]", "[", "-", "4", "x"]),
)
texts = st.lists(fragments, max_size=12).map("".join)


@given(texts)
def test_redacting_twice_changes_nothing(text):
    once, count = redact(text)
    assert redact(once) == (once, 0)
    assert (count == 0) == (once == text)
    assert placeholders(once) >= min(count, 1)


@given(st.lists(st.sampled_from(["we", "met", "all", "at", "noon", "in", "Rome."]), max_size=20), st.data())
def test_a_secret_goes_and_all_else_stays(prose, data):
    secret = data.draw(st.sampled_from(SECRETS[1:]))
    place = data.draw(st.integers(0, len(prose)))
    redacted, count = redact(" ".join([*prose[:place], secret, *prose[place:]]))
    assert count == 1
    assert secret not in redacted
    assert [word for word in redacted.split() if not word.startswith("[")] == prose


@pytest.mark.parametrize("word", [*WORDS, *WORDS_ALONE])
@settings(max_examples=20)
@given(st.data(), st.sampled_from(["{}", "{}s", '"{}"', "our {}"]), st.sampled_from([str.lower, str.upper]))
def test_each_word_for_a_password_is_known(word, data, around, case):
    label = around.format(case(data.draw(st.from_regex(word, fullmatch=True))))
    sign = data.draw(st.sampled_from([": ", "=", " -> ", "->", "：", "\t= ", " for the cellar: "]))
    assert redact(f"{label}{sign}hunter2") == (f"{label}{sign}[password]", 1)


@given(st.text())
def test_normalising_twice_changes_nothing(text):
    once = normalise(text)
    assert normalise(once) == once
    once.encode()


@given(st.text(alphabet="ab .!\n", max_size=400), st.integers(10, 60))
def test_pieces_are_short_and_lose_no_word(text, longest):
    cut = list(pieces(text, longest))
    assert all(piece and len(piece) <= longest for piece in cut)
    assert "".join("".join(cut).split()) == "".join(text.split())


# What is offered


@given(st.sampled_from(EXAMPLES), st.data())
def test_no_secret_is_completed(example, data):
    redacted, count = redact(example, prose=False)
    place = data.draw(st.integers(0, len(example) - 1))
    before, offered = example[:place], example[place:]
    # Only what reaches into the secret is at stake; what is offered behind it may be.
    assert hides(before, offered) == (bool(count) and not redacted.endswith(offered))


@given(
    st.lists(st.sampled_from(["we", "met", "all", "at", "noon,", "in", "Rome."]), min_size=2, max_size=20),
    st.data(),
)
def test_prose_is_offered(prose, data):
    text = " ".join(prose)
    place = data.draw(st.integers(0, len(text) - 1))
    assert not hides(text[:place], text[place:])
    secret = data.draw(st.sampled_from(SECRETS[1:]))
    assert not hides(f"{secret} {text[:place]}", text[place:]), (
        "a secret that stands there already is no reason"
    )


@given(st.sampled_from([rule.placeholder for rule in RULES]), words)
def test_what_stands_for_a_secret_is_never_offered(placeholder, around):
    assert hides("", f"{around}{placeholder}")
    assert hides("", f"{around}{placeholder[:-1]}"), "a ghost may end before the bracket"
    assert hides(around + placeholder[:1], placeholder[1:-1]), "or begin behind the other"
