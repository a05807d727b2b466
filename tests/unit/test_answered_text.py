"""What the user answers stands in front of what they type, for one suggestion alone; nothing of it is left behind."""

import numpy as np
import pytest
from serving import suggest

from idiolect.adapters.memory.steps import in_one_step
from idiolect.adapters.prediction.answered import NOTHING, Answered, AnsweredText, sender_share
from idiolect.adapters.prediction.question import Question
from idiolect.daemon.service import Service
from idiolect.daemon.serving.answered_text import read_answered
from idiolect.daemon.serving.model_queue import Priority

CLOSE = 1e-3
"""Keys and values of about 1: the same products in batches of another size."""

MESSAGE = "The Xylographers of Querfurt meet on Thursday at the Kwiaciarnia, says Wolframiusz."
HISTORY = "Please send the quarterly figures to the harbour office before noon, thank you."


@pytest.fixture
def make(tiny_profile, tmp_path):
    made: list[Service] = []

    def make(name):
        service = Service(tiny_profile(tmp_path / name))
        made.append(service)
        service.ingest.add_text(HISTORY, source="test")
        return service

    yield make
    for service in made:
        service.close()


def words(service, prefix, *context):
    return [word.text for word in suggest(service, prefix, candidates=9, context=context).words]


def read_for(service, prefix, *context):
    """The tokens and their keys and values once a question is answered, before anything reads on."""

    def ask():
        for _ in service.suggestions.suggest_in_steps(Question(prefix), context=context):
            pass
        session = service.model.served.predictor.next_token.session
        return [*session.tokens], session._cache[..., : len(session.tokens), :].copy()

    return service.model.queue.run(Priority.TYPING, in_one_step(ask))


def test_its_words_are_offered_and_then_they_are_not(make):
    service = make("one")
    before = suggest(service, "I met Wol")
    assert "framiusz" not in words(service, "I met Wol")
    assert "framiusz" in words(service, "I met Wol", "Hello", MESSAGE)
    assert "framiusz" not in words(service, "I met Wol")
    after = suggest(service, "I met Wol")
    assert (after.words, after.ghost) == (before.words, before.ghost)


@pytest.mark.parametrize("then", [(), ("Something else.",)])
def test_nothing_is_left_in_the_cache_when_another_text_is_answered(make, then):
    service, never = make("one"), make("never")
    for prefix in ("We ", "We will be ", "We will be there"):
        words(service, prefix, MESSAGE)
    session = service.model.served.predictor.next_token.session
    assert len(session.tokens) > len(service.model.loaded.tokenizer.encode(MESSAGE))
    other_text = AnsweredText(then[0]) if then else NOTHING

    def answer_another():  # in one step with the look, since what is ahead is read behind it
        service.model.served.predictor.set_answered(other_text)
        return session._cache[..., len(session.tokens) :, :].any()

    assert not service.model.queue.run(Priority.TYPING, in_one_step(answer_another))
    assert len([*session.active_texts(3600)]) <= 1, "no text is set aside"
    (tokens, cache), (other_tokens, other_cache) = (
        read_for(one, "We will be there ", *then) for one in (service, never)
    )
    assert tokens == other_tokens
    assert np.allclose(cache, other_cache, atol=CLOSE)


def test_its_time_ends_though_another_question_came_between_two_pieces_of_a_long_one(make):
    service = make("one")
    long = service.suggestions.suggest_in_steps(Question("We will be there. " * 40), context=(MESSAGE,))
    service.model.queue.run(Priority.TYPING, in_one_step(lambda: next(long)))
    words(service, "We ")
    service.model.queue.run(Priority.TYPING, in_one_step(lambda: next(long)))
    assert service.model.served.predictor.answered.text
    long.close()
    service.model.queue.run(Priority.REST, in_one_step(service.suggestions.forget_answered))
    assert not service.model.served.predictor.answered.text
    session = service.model.served.predictor.next_token.session
    assert not session._cache[..., len(session.tokens) :, :].any()


@pytest.mark.parametrize(
    ("prefix", "asked"),
    [
        ("", {"candidates": 0, "ghost_words": 0, "corrections": True}),
        ("We", {"candidates": 0, "ghost_words": 0}),
    ],
)
def test_a_question_that_asks_nothing_of_it_leaves_it_where_it_is(make, prefix, asked):
    service = make("one")
    words(service, "We will ", MESSAGE)
    suggest(service, prefix, **asked)
    assert service.model.served.predictor.answered.text == MESSAGE


WRITTEN = "Please send the quarterly maps to the harbour office."


def evidence(service):
    service.model.queue.run(Priority.LEARNING, in_one_step(service.model.learning.learn_postponed))
    stats = service.model.stats
    learned = service.model.served.predictor.mixture, stats.calibration, stats.word_calibration
    return tuple(one.to_json() for one in learned)


def typed(service, *, among=(), **asked):
    """What is learned of a text that was typed while questions with these contexts came in between."""
    for end in range(1, len(WRITTEN)):
        suggest(service, WRITTEN[:end], **asked)
        for text in among:
            suggest(service, "Dear ", context=[text])
    service.ingest.add_text(WRITTEN, source="test")
    return evidence(service)


def test_what_is_answered_elsewhere_leaves_what_other_texts_are_judged_by(make):
    service, never = make("one"), make("never")
    before = evidence(never)
    alone = typed(never)
    assert all(one != other for one, other in zip(before, alone, strict=True))
    mixture, *calibrations = typed(service, among=(MESSAGE, "Something else."))
    assert calibrations == [*alone[1:]]
    # What is read ahead tells something, too, and differs from one time to the next.
    tokens, tokens_alone, prior = (float(np.sum(of)) for of in (mixture, alone[0], before[0]))
    assert tokens - prior > 0.8 * (tokens_alone - prior)


def test_what_is_written_beside_an_answered_text_is_judged_and_forgotten_with_it(make):
    service, late = make("one"), make("late")
    before = evidence(late)
    assert all(one != other for one, other in zip(before, typed(service, context=[MESSAGE]), strict=True))
    for end in range(1, len(WRITTEN)):
        words(late, WRITTEN[:end], MESSAGE)
    words(late, "We ")
    late.ingest.add_text(WRITTEN, source="test")
    assert evidence(late)[1:] == before[1:]  # of the mixture a text's beginning tells, which is always read


def test_the_newest_characters_count_and_secrets_are_taken_out():
    assert read_answered(["a" * 5_000, "the end"]).text == "the end"
    lines = [f"This is line {number}." for number in range(1_000)]
    assert read_answered(["\n".join(lines)]).text.split("\n") == lines[-222:]
    read = read_answered(["Hi", "The password is hunter2-Xq9. See you on Thursday."]).text
    assert "hunter2" not in read
    assert "[" not in read
    assert "See you on Thursday." in read


@pytest.mark.parametrize("kept", ["sunflower", "flower"])
def test_a_secret_is_taken_out_though_its_cue_is_cut_off(kept):
    behind = "\n" + "See you then. " * 400
    told = "The password is: sunflower" + behind[: 4_000 - len(kept)]
    assert "flower" not in read_answered([told.rstrip() + "." * (len(told) - len(told.rstrip()))]).text


QUOTED = "From: Brombel Witzmann\nTicket PQX-48213 is at Thursday 14:37, ask quilfram@zyxinder.org."


def test_numbers_are_offered_in_the_form_in_which_they_stand_there(make):
    service = make("one")
    assert "-48213" in words(service, "It is Ticket PQX", QUOTED)
    assert "4:37" in words(service, "We come on Thursday 1", QUOTED)
    assert "-48213" not in words(service, "It is Ticket PQX")
    assert "4:37" not in words(service, "We come on Thursday 1")
    told = "We meet on 12.05.2024, at 14.30. Version 3.11.2 is out, e.g. for J. Smith...and you"
    assert "2.05.2024" in words(service, "It is 1", told)
    assert "4.30" in words(service, "It is 1", told)


@pytest.mark.parametrize("written", ["Hi ", "Dear ", "Thank you.\nDear ", "Good morning ", "@", "We ask @"])
def test_a_salutation_names_who_wrote_the_newest_message(make, written):
    service = make("one")
    assert words(service, "We say ", QUOTED)[0] != "Brombel"
    thread = ["From: Tolvan\nWho comes?", "From: Brombel Witzmann\nI come.", "So do I."]
    assert words(service, written, *thread)[0] == "Brombel"
    assert words(service, f"{written}Br", *thread)[0] == "ombel"


@pytest.mark.parametrize(
    ("written", "share"),
    [
        *(
            (f"Gut.\n{greeting}", 1.0)
            for greeting in ("Liebe", "Chère", "Buenos días", "Gentile", "Olá", "Beste", "@")
        ),
        *(
            (thank, 0.25)
            for thank in ("Vielen Dank", "Merci", "Muchas gracias", "Grazie", "Obrigada", "Dank je wel")
        ),
        *((other, 0.0) for other in ("Das ist liebe", "it is a dear", "Beste Lösung")),
    ],
)
def test_in_each_language_a_salutation_is_one(written, share):
    assert sender_share(written) == share


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ("To: Ann Smith <ann.smith@b.example>\nSubject: Boats", "Ann"),
        ("to: Ann <a@b.example>", "Ann"),
        ("Von: Élodie Maçon\nDatum: 3. März", "Élodie"),
        ("To: Ann Smith, Tom Bonn", "Ann"),
        ("To: info@b.example\nSubject: Dear Tom", ""),
        ("To: Harbour developers <d@b.example>", ""),
        ("Cc: Ann Smith <a@b.example>", ""),
        ("We go to: Ann", ""),
    ],
)
def test_the_header_of_a_mail_names_who_is_greeted(header, name):
    assert read_answered([header]).sender == name


@pytest.mark.parametrize("written", ["Thanks ", "Thank you "])
def test_a_thank_may_name_who_wrote(make, written):
    service = make("one")
    assert "Brombel" in words(service, written, QUOTED)[:3]
    assert "Brombel" not in words(service, "Mail ", QUOTED)[:3]


def test_an_address_is_neither_read_nor_offered(make):
    service = make("one")
    told = "@brombel.witz (and @zyx_inder), ask xandr.olin or @noone@xylo.example, @xylo.example/login."
    assert "bel.witz" in words(service, "We ask @brom", told), "but a handle is"
    assert "x_inder" in words(service, "We ask @zy", told)
    assert not {"o", "lo.example"} & {*words(service, "We ask @xy", told)}
    assert "olin" not in words(service, "We ask xandr.", told)
    assert "ne" not in words(service, "We ask @noo", told)
    assert "fram" not in words(service, "ask quil", QUOTED)
    assert "inder" not in words(service, "ask quilfram@zyx", QUOTED)
    address = "quilfram@zyxinder.org"
    served = service.model.served
    for end in range(address.index("@") + 1, len(address)):  # nor spelled on by the model, for who types it
        guard = served.user_model.guard(f"ask {address[:end]}", served.predictor.next_token.answered.units)
        assert guard(address[end:])


@pytest.mark.parametrize(
    ("told", "begun", "rest"),
    [
        ("Sign in at paypa1.com/login today.", "It is pay", "pa1.com/login"),
        ("Sign in at paypa1.com/login today.", "It is paypa1.com/lo", "gin"),
        ("See (micros0ft.co.uk:8443), please.", "It is micros0ft.co", ".uk:8443"),
        ("It moved to g00gle.xn--p1ai", "It is g0", "0gle.xn--p1ai"),
        ("The new one is 10.9.8.7/login", "It is 10.9.8.", "7/login"),
        ("It is v2.exe-9 now", "It is v2", ".exe-9"),
    ],
)
def test_what_looks_like_a_host_is_not_offered(make, told, begun, rest):
    assert rest not in words(make("one"), begun, told)


def test_a_secret_is_not_offered(make):
    told = (
        "The password is hunter2-Xq9Lm, and your code is 483920. Please enter the code A7X-92K on 12.05.2031."
    )
    service = make("one")
    for prefix, rest in (("It is hunt", "er2"), ("It is hunter2-X", "q9Lm"), ("It is 48", "3920")):
        assert rest not in words(service, prefix, told)
    for prefix in ("It is A7", "It is A7X-", "It is A7X-92"):
        assert not {"X", "X-92K", "92K", "K"} & {*words(service, prefix, told)}
    assert "2.05.2031" in words(service, "It is 1", told)


def test_a_secret_is_offered_to_who_has_called_it_a_word_of_theirs(make):
    told = "The password is: sunflowerlamp"
    service = make("one")
    assert "lowerlamp" not in words(service, "It is sunf", told)
    service.store.words.add("mine", "sunflowerlamp")
    service.model.read_preferences()
    assert "lowerlamp" in words(service, "It is sunf", told)


def test_a_word_that_is_repeated_counts_as_little_as_one_that_is_there_twice(make):
    service = make("one")
    often = suggest(service, "We met ", candidates=20, context=["Zylinderkopfrot " * 5_000])
    twice = suggest(service, "We met ", candidates=20, context=["Zylinderkopfrot " * 2])
    assert often.words == twice.words


def test_a_sentence_is_not_recited(make):
    loaded = make("one").model.loaded
    words_known = make("two").model.served.user_model.words
    whole = "one two three four five six seven eight nine"
    answered = Answered(
        AnsweredText(whole), loaded.tokenizer.encode, loaded.tokenizer.vocab_size, words_known
    )
    assert not answered.recites(whole.split()[:6])
    assert answered.recites(whole.split()[:7])
    assert answered.recites([*whole.upper().split()[1:8]])
    assert not answered.recites(["zero", *whole.split()[:6]])
