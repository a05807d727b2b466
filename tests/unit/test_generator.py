"""Texts that go on from a prompt: alike for the same question, in short steps, and without what must be hidden."""

import numpy as np
import pytest
from knowledge import trusting

from idiolect.adapters.generation.generated_text import GeneratedText
from idiolect.adapters.generation.generator import GenerationSource, Generator
from idiolect.adapters.generation.requests import (
    WINDOW,
    End,
    Piece,
    Prompt,
    SamplingParams,
    build_stop_pattern,
)
from idiolect.adapters.prediction.mixture import Mixture

ENTRY = "We met the Xylographers of Querfurt again, and Kwiaciarnia brought the old maps of the harbour."
CODE = "The shed opens with QX4829 today, as it has for years."


@pytest.fixture
def writer(tiny_model, tiny_tokenizer, knowing):
    """`writer(*texts)`: one that has learned these entries; `least`: how often rare strings must be typed."""

    def make(*texts, least=1, must_hide=lambda _before, _offered: False, adapter=None, limit=60):
        source = GenerationSource(adapter, trusting(2000), knowing(*texts, limit=limit, least=least))
        return Generator(tiny_model, tiny_tokenizer, source, must_hide)

    return make


def written(writer, prompt, tokens=30, **more):
    """The text and its end."""
    prompt = Prompt(prompt) if isinstance(prompt, str) else prompt
    more.setdefault("temperature", 0)
    *parts, end = writer.generate(prompt, SamplingParams(tokens, **more))
    assert isinstance(end, End)
    return "".join(part.text for part in parts if isinstance(part, Piece)), end


# What is written


@pytest.mark.parametrize("typed", ["We met the ", "We met the", "We met the Xylo", "We met the Xylographe"])
def test_text_goes_on_within_the_word_under_the_cursor(writer, typed):
    text, end = written(writer(ENTRY), typed, tokens=12)
    assert (typed + text).startswith("We met the Xylographers of")
    assert (end.reason, end.tokens) == ("limit", 12)


def test_nothing_is_known_to_the_base_alone(tiny_model, tiny_tokenizer, writer):
    base = Generator(
        tiny_model, tiny_tokenizer, GenerationSource(None, Mixture(), None), lambda _before, _offered: False
    )
    assert not written(base, "We met the ")[0].startswith("Xylo")
    assert written(base, "")[1].tokens == 30


def test_other_texts_come_before_the_prompt(writer):
    """They are no part of it, and change what follows: the memory knows how this one goes on."""
    ours = writer("One text. Zorvelin hums.")
    alone, behind = written(ours, ""), written(ours, Prompt("", ("One text.",)))
    assert alone[0] != behind[0]
    many = written(ours, Prompt("Hello", ("One text.",) * 500))[1]
    assert many.prompt_tokens == written(ours, "Hello")[1].prompt_tokens


# Alike


def test_the_same_question_is_answered_alike_whatever_came_before(writer):
    prompts = ["We met the ", "Kwiaciarnia brought the old maps of the har", "x" * 200, "One. " * 60]
    fresh = [written(writer(ENTRY), prompt) for prompt in prompts]
    ours = writer(ENTRY)
    for order in (prompts, prompts[::-1], prompts[1:], prompts):
        for prompt in order:
            assert written(ours, prompt)[0] == fresh[prompts.index(prompt)][0]
    text, end = written(ours, prompts[-1])
    assert end.cached_tokens > end.prompt_tokens / 2
    longer = prompts[-1] + text  # what was written is a part of the prompt now
    assert written(ours, longer)[0] == written(writer(ENTRY), longer)[0]


def test_a_seed_makes_chance_repeat_itself(writer):
    ours = writer()

    def sample(seed, **more):
        return written(ours, "Hello there ", temperature=1.0, seed=seed, **more)[0]

    assert sample(1) == sample(1) == sample(1)
    assert len({sample(seed) for seed in (1, 2, 3, -4, 2**63 - 1, None)}) > 3
    greedy = written(ours, "Hello there ")[0]
    assert sample(1, top_k=1) == sample(2, top_p=1e-6) == greedy
    assert sample(1) != greedy


def test_an_adapter_has_its_say(writer, make_lora, tiny):
    adapter = make_lora(tiny.config, size=1.0).tensors()
    assert written(writer(adapter=adapter), "Hello")[0] != written(writer(), "Hello")[0]


# Steps


def test_between_two_steps_one_pass_is_made_of_few_tokens(writer, passes):
    ours = writer(ENTRY)
    session = ours._session
    before = 0
    for _ in ours.generate(Prompt("One and two. " * 20), SamplingParams(10, temperature=0)):
        made, before = passes(session) - before, passes(session)
        assert made <= 2  # one reads the last group of the prompt, one the token that follows
    assert before > 20


def test_text_comes_as_it_is_written_and_pieces_make_the_whole(writer):
    ours = writer(ENTRY)
    parts = [*ours.generate(Prompt("We met the "), SamplingParams(20, temperature=0))]
    pieces = [part.text for part in parts if isinstance(part, Piece)]
    assert len(pieces) > 4
    assert "".join(pieces) == written(writer(ENTRY), "We met the ", tokens=20)[0]
    assert parts[-1].tokens == 20


def test_an_abandoned_text_leaves_the_generator_usable(writer):
    ours = writer(ENTRY)
    steps = ours.generate(Prompt("One and two. " * 20), SamplingParams(10, temperature=0))
    for _ in range(3):
        next(steps)
    steps.close()
    assert written(ours, "We met the ")[0] == written(writer(ENTRY), "We met the ")[0]


# Ends


@pytest.mark.parametrize("stop", ["Querfurt", "t", " of Quer", "s of Querfurt again, and K", "graphers o"])
def test_text_ends_before_a_stop_wherever_tokens_are_cut(writer, stop):
    text, end = written(
        writer(ENTRY), "We met the ", tokens=60, stop=build_stop_pattern((stop, "never said"))
    )
    whole = ENTRY.removeprefix("We met the ")
    assert text == whole[: whole.index(stop)]
    assert (end.reason, end.word) == ("word", stop)


def test_text_ends_where_it_reaches_what_stands_behind_the_cursor(writer):
    for suffix in (" again, and then we", " again,", " again, and"):
        text, _ = written(writer(ENTRY), "We met the ", tokens=60, stop=build_stop_pattern((), suffix=suffix))
        assert text == ("Xylographers of Querfurt" if "then" not in suffix else text)
        assert "then" in suffix or "again" not in text


@pytest.mark.parametrize(
    ("text", "rule", "kept"),
    [
        ("one\ntwo", {"one_line": True}, "one"),
        ("one\n    two\n  three", {"indent": 4}, "one\n    two"),
        ("one\n\n    two\nthree", {"indent": 2}, "one\n\n    two"),
        ("see you others", {"suffix": " other"}, "see you others"),
        ("see you other", {"suffix": " other."}, "see you other"),
        ("see you, other.", {"suffix": " other."}, "see you,"),
        ("some(thing) more", {"suffix": ")"}, "some(thing"),
        ("see you all", {"suffix": "\n\nall\nof it"}, "see you"),
    ],
)
def test_rules_by_which_a_text_ends(text, rule, kept):
    found = build_stop_pattern((), **rule).search(text)
    assert text[: found.start() if found else None] == kept


def test_no_stop_is_no_pattern():
    assert build_stop_pattern(("",), suffix=" \n ") is None


def test_time_and_tokens_are_limits(writer):
    ours = writer(ENTRY)
    for none in (written(ours, "We met the ", seconds=0.0), written(ours, "We met the ", tokens=0)):
        assert (none[0], none[1].reason, none[1].tokens) == ("", "limit", 0)
    assert written(ours, "We met the ", tokens=1)[1].tokens == 1


def test_of_a_text_that_is_too_long_the_end_is_read(writer):
    ours = writer(ENTRY)
    long = "One and two. " * 3000
    text, end = written(ours, f"{long}We met the ", tokens=12)
    assert end.truncated
    assert end.prompt_tokens + end.tokens <= WINDOW
    assert text.startswith("Xylographers")
    assert not written(ours, "We met the ")[1].truncated
    _, end = written(ours, long, tokens=10**6)
    assert WINDOW / 2 < end.prompt_tokens + end.tokens <= WINDOW


# What must be hidden


def test_a_word_that_would_show_too_much_is_taken_back_before_any_of_it_is_shown(writer):
    for secret in ("Querfurt", "Xylographers", "the Xylographers of"):

        def must_hide(before, offered, secret=secret):
            assert not offered or (before + offered).endswith(offered)
            return secret in (before + offered)[-len(offered) - len(secret) :]

        ours = writer(ENTRY, must_hide=must_hide)
        seen = ""
        for part in ours.generate(Prompt("We met "), SamplingParams(60, temperature=0)):
            if isinstance(part, Piece):
                seen += part.text
                words = seen.split()
                assert not any(word.startswith(secret[:4]) and secret.startswith(word) for word in words[-1:])
        assert secret not in "We met " + seen
        assert seen


def test_a_rare_string_is_not_written_unless_it_stands_in_the_prompt(writer):
    for least, shown in ((2, False), (1, True)):
        ours = writer(CODE, least=least)
        assert ("QX4829" in written(ours, "The shed opens ", tokens=20)[0]) == shown
    ours = writer(CODE, least=2)
    assert "QX4829" in written(ours, "I forgot QX4829, so where was it? The shed opens ", tokens=20)[0]
    assert "X4829" not in written(ours, "The shed opens with Q", tokens=20)[0]


def test_a_text_ends_where_nothing_may_follow(writer):
    text, end = written(writer(must_hide=lambda _before, offered: bool(offered)), "Hello ")
    assert (text, end.reason) == ("", "eos")


def test_a_long_string_without_spaces_is_shown_on_the_way(tiny_tokenizer):
    params = SamplingParams(1000, temperature=0)
    draft = GeneratedText(tiny_tokenizer, "", lambda _b, _o: False, ids=[], typed=b"", params=params)
    shown = ""
    for raw in [bytes([byte]) for byte in "漢字".encode() * 100]:
        [token] = [
            one for one in tiny_tokenizer.starting_with(raw) if tiny_tokenizer.token_bytes(int(one)) == raw
        ]
        assert draft.add(int(token))
        piece, _ = draft.ready()
        if piece is not None:
            assert piece.text.strip("漢字") == ""
            shown += piece.text
    assert len(shown) > 20
    assert shown + draft.rest().text == "漢字" * 100


def test_the_lowest_temperature_chooses_a_token(tiny_tokenizer):
    params = SamplingParams(10, temperature=1e-310)
    draft = GeneratedText(tiny_tokenizer, "", lambda _b, _o: False, ids=[], typed=b"", params=params)
    p = np.full(tiny_tokenizer.vocab_size, 1 / tiny_tokenizer.vocab_size, np.float32)
    assert draft.choose(p) is not None
