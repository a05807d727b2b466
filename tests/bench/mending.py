"""What is mended unasked of people's slips, and what is spoilt of what was meant; and the weights that decide it.

``python tests/bench/mending.py`` types the newest fifth of six people's text behind the rest of it, each slip alone,
and prints what the present weights make of them, one row a person, kind of slip and kind of word that stands. With
``--fit`` it fits the weights (:mod:`idiolect.adapters.prediction.mending_evidence`) on people who are not set apart,
prints what each of them loses where the others alone are fitted on, what words of other languages and terms cost,
and writes the weights' file. A right word that no list has, and its writer wrote once or twice, may be a slip of
theirs: such words are counted apart, and not fitted on. Words that nobody means otherwise come from wordfreq's lists
and the files beside this one; names of people, from Faker where it is installed. They are typed where nothing is
learned, and a share of them behind each person's text, which makes the person's own words likelier.
"""

from __future__ import annotations

import argparse
import random
import sys
import zlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import Final

import numpy as np
from common import BASE, PEOPLE, entries, show
from wordfreq import available_languages, top_n_list, zipf_frequency

from idiolect.adapters.evaluation.eval_split import EvalMessage, split_corpus
from idiolect.adapters.evaluation.mistyping import mistype
from idiolect.adapters.memory.vocabulary import WORD
from idiolect.adapters.mending.keyboards import ROWS, neighbours
from idiolect.adapters.prediction.loaded_model import LoadedModel
from idiolect.adapters.prediction.mending_evidence import FILE
from idiolect.adapters.prediction.predictor import Predictor
from idiolect.adapters.prediction.question import Question
from idiolect.models.build import find_base

SEED = 1
CHARS: Final = 40_000  # of a person's newest text, that is typed
APART: Final = ("email_mills", "notes_willison")
"""People whom ``--fit`` leaves out."""
PLACES: Final = (
    ("starts", "", " "),
    ("within", "I think that ", " "),
    ("within", "Please ask ", " "),
    ("ends", "We talked about the ", ". "),
)
"""Where a word stands in its sentence, with what stands before it and behind it."""
PRODUCTS: Final = Path(__file__).with_name("product_names.txt")
TERMS: Final = Path(__file__).with_name("term_names.txt")
"""Commands, and modules of Python."""
SHARE: Final = 3  # of how many words that stand one is typed behind each person's text
# Words of chats; people draw out their last letter.
DRAWN_OUT: Final = """
    so no hey hi yes yeah please way love you me omg lol wow aww hmm ugh nice good great really very happy baby girl
    man bro dude cute haha thanks bye night sorry miss wait what why who okay cool sweet yum yay boo true fun soon
    much big long hot
"""
LANGUAGES: Final = ("de", "fr", "es", "it", "pt", "nl", "sv", "pl", "fi", "tr")
LOCALES: Final = (
    "en_US", "en_GB", "de_DE", "fr_FR", "es_ES", "it_IT", "pt_BR", "nl_NL", "sv_SE", "no_NO", "da_DK", "fi_FI",
    "pl_PL", "cs_CZ", "tr_TR", "en_IN", "ga_IE",
)  # fmt: skip # several to a line
COMMON_IN_ENGLISH: Final = 4.0  # on Zipf's scale, from which on a word is no foreign one
RARE: Final = 3.0  # below which the program has no word in its list
RIGHT_WORDS: Final = 20  # for each slip: near to what people type
SLIP_TIMES: Final = 2  # that a person wrote a word in no list, which may be a slip
# What a case weighs in the fit beside a slip that is mended: one mended wrongly, a right word, a term, and a word that
# is drawn out.
WRONG, RIGHT, TERM, DRAWN = 2.0, 4.0, 1.75, 2.0
RIDGE: Final = 1.0
STEPS: Final = 50


@dataclass(frozen=True)
class Case:
    """What was typed behind a text, and what was meant by it."""

    kind: str
    before: str
    typed: str
    meant: str
    behind: str = " "


@dataclass(frozen=True)
class Outcome:
    """What became of a case: what was put there unasked, and what the regression weighed, where it decided.

    ``likeliest`` is what the regression weighed, else what was put there.
    """

    case: Case
    put: str
    likeliest: str
    found: dict[str, float] | None


def slips(texts: Sequence[str], count: int, rng: random.Random) -> list[Case]:
    """Slips of the hand in words drawn by their length, spaces not hit, and apostrophes left out; in order."""
    near, lowest = neighbours("qwerty"), ROWS["qwerty"][2]
    spots = [(number, match) for number, text in enumerate(texts) for match in WORD.finditer(text)]
    words = [it for it in spots if len(it[1][0]) > 1 and it[1][0].replace("’", "").replace("'", "").isalpha()]
    made = list[tuple[tuple[int, int], Case]]()

    def add(kind: str, number: int, start: int, typed: str, meant: str) -> None:
        if typed != meant:
            made.append(((number, start), Case(kind, texts[number][:start], typed, meant)))

    for number, match in rng.choices(words, [len(it[1][0]) for it in words], k=count):
        typed = mistype(match[0], rng.randrange(len(match[0])), rng, near)
        if typed.strip("'’"):
            add("hand", number, match.start(), typed, match[0])
    pairs = [
        (number, one, other)
        for (number, one), (same, other) in pairwise(spots)
        if number == same and texts[number][one.end() : other.start()] == " "
        and (one[0] + other[0]).replace("’", "").replace("'", "").isalpha()
    ]  # fmt: skip
    for number, one, other in rng.choices(pairs, k=count // 3):
        meant, letter = f"{one[0]} {other[0]}", rng.choice(lowest)
        if rng.random() < 1 / 2:
            add("space left out", number, one.start(), one[0] + other[0], meant)
        else:
            add("letter for a space", number, one.start(), one[0] + letter + other[0], meant)
        add("letter beside a space", number, one.start(), one[0] + letter, one[0])
    marked = [it for it in words if "'" in it[1][0] or "’" in it[1][0]]
    for number, match in rng.choices(marked, k=count // 6):
        typed = match[0].replace("'", "").replace("’", "")
        add("apostrophe left out", number, match.start(), typed, match[0])
    return [case for _, case in sorted(made, key=lambda it: it[0])]


def right_words(texts: Sequence[str], count: int, times: Counter[str]) -> Iterator[Case]:
    """The first words as they were written; ``times`` says how often its writer wrote one, in small letters."""
    spots = ((text, match) for text in texts for match in WORD.finditer(text))
    for (text, match), _ in zip(spots, range(count), strict=False):
        may_slip = zipf_frequency(match[0], "en") < RARE and times[match[0].lower()] <= SLIP_TIMES
        yield Case("right, or a slip" if may_slip else "right", text[: match.start()], match[0], match[0])


def standing_words(count: int) -> dict[str, list[str]]:
    """Words that nobody means otherwise, by kind.

    They are in other languages, of programs, rare compounds, drawn out, products, and names of people.
    """
    found = defaultdict[str, list[str]](list)
    found["drawn out"] = [word + times * word[-1] for word in DRAWN_OUT.split() for times in (1, 2, 3)]
    found["products"] = PRODUCTS.read_text("utf-8").split()
    for language in LANGUAGES:
        some = [word for word in top_n_list(language, 2 * count) if len(word) > 2 and word.isalpha()]
        found["foreign"] += [word for word in some if zipf_frequency(word, "en") < COMMON_IN_ENGLISH][:count]
    found["terms"] = TERMS.read_text("utf-8").split()
    rare = (
        word for word in top_n_list("en", 200_000) if word.isalpha() and zipf_frequency(word, "en") < RARE
    )
    compounds = [
        word for word in rare if any(_is_part(word[:at], word[at:]) for at in range(3, len(word) - 2))
    ]
    found["compounds"] = random.Random(SEED).sample(compounds, 4 * count)
    if find_spec("faker") is None:
        print("Faker is not installed: names are left out.", file=sys.stderr)
        return found
    for locale in LOCALES:
        found["names"] += [
            name for name in names_of(locale, count) if zipf_frequency(name, "en") < COMMON_IN_ENGLISH
        ]
    return found


def _is_part(first: str, second: str) -> bool:
    return all(3.7 <= zipf_frequency(it, "en") < 5.2 for it in (first, second))


def names_of(locale: str, count: int) -> list[str]:
    """The commonest first and last names of people of a country, as far as a list of words tells."""
    person = import_module(f"faker.providers.person.{locale}").Provider
    language = locale[:2] if locale[:2] in available_languages() else "en"
    return [
        name
        for kind in ("first_names", "last_names")
        for name in sorted(
            {it for it in getattr(person, kind, ()) if it.isalpha()},
            key=lambda it: (-zipf_frequency(it, language), it),
        )[:count]
    ]


def ask(predictor: Predictor, cases: Iterable[Case]) -> Iterator[Outcome]:
    """Type each case and a space."""
    for case in cases:
        prefix = f"{case.before}{case.typed}{case.behind}"
        made = predictor.suggest(Question(prefix, "", 0, 0, corrections=True, remember=False)).correction
        put = made.text[: -len(case.behind)] if made is not None and made.sure else case.typed
        weighed = predictor.mender.autocorrection.weigh(prefix) if predictor.mender else None
        likeliest, found = weighed or (put, None)
        yield Outcome(case, put, likeliest, found)


def of_person(
    loaded: LoadedModel, person: str, count: int, standing: Iterable[Case]
) -> tuple[list[Outcome], list[Outcome]]:
    """What becomes of slips and right words behind a person's history, and of a quarter of the slips without it.

    Then, what becomes of some words that stand, behind the history.
    """
    texts = [(entry["text"].strip(), entry["ts"]) for entry in entries(person) if entry["text"].strip()]
    messages = [EvalMessage(text, at, text) for text, at in texts]
    split = split_corpus(messages, name=person, seed=SEED, chars=CHARS)
    rng, test = random.Random(f"{SEED}:{person}"), [message.text for message in split.test]
    times = Counter(word[0].lower() for text, _ in texts for word in WORD.finditer(text))
    made = slips(test, count, rng)
    encode = loaded.tokenizer.encode
    known = loaded.build_predictor(
        loaded.build_user_model([encode(message.kept) for message in split.history]), None
    )
    new = loaded.build_predictor(loaded.build_user_model([]), None)
    fresh = [Case(f"{case.kind}, nothing learned", *_rest(case)) for case in made[::4]]
    some = (it for it in standing if zlib.crc32((person + it.typed).encode()) % SHARE == 0)
    outcomes = [
        *ask(known, made),
        *ask(known, right_words(test, RIGHT_WORDS * count, times)),
        *ask(new, fresh),
    ]
    return outcomes, [*ask(known, some)]


def _rest(case: Case) -> tuple[str, str, str]:
    return case.before, case.typed, case.meant


def standing_cases(count: int) -> list[Case]:
    """Words that nobody means otherwise, in each place of a sentence."""
    return [
        Case(f"{kind}, {place}", before, word, word, behind)
        for kind, words in standing_words(count).items()
        for place, before, behind in PLACES
        for word in words
    ]


def rows(outcomes: Iterable[Outcome], person: str) -> list[dict[str, object]]:
    """Count outcomes, one row a kind: slips by what is mended, words that stand by what is spoilt."""
    kinds = defaultdict[str, list[Outcome]](list)
    for it in outcomes:
        kinds[it.case.kind].append(it)
    return [
        {
            "text": person,
            "kind": kind,
            "cases": len(some),
            "mended %": _percent(some, lambda it: it.case.typed != it.case.meant == it.put),
            "wrongly %": _percent(some, lambda it: it.put not in (it.case.typed, it.case.meant)),
            "right likeliest %": _percent(some, lambda it: it.likeliest == it.case.meant),
        }
        for kind, some in kinds.items()
    ]


def _percent(some: Sequence[Outcome], is_so: Callable[[Outcome], bool]) -> str:
    return f"{100 * sum(map(is_so, some)) / max(len(some), 1):.1f}"


def weight_of(outcome: Outcome) -> float:
    """What a case counts for in the fit."""
    case = outcome.case
    if case.typed != case.meant:
        return 1.0 if outcome.likeliest == case.meant else WRONG
    if case.kind.startswith("drawn out"):  # few people do
        return DRAWN
    return {"right": RIGHT, "right, or a slip": 0.0}.get(case.kind, TERM)


def fit(outcomes: Iterable[Outcome]) -> dict[str, float]:
    """Fit a logistic regression, with a ridge, on the outcomes that it decides; by Newton's method."""
    decided = [it for it in outcomes if it.found is not None]
    names = [*(decided[0].found or ())]
    values = np.array([[*(it.found or {}).values()] for it in decided])
    right = np.array([it.likeliest == it.case.meant != it.case.typed for it in decided], float)
    counts, scale = np.array([*map(weight_of, decided)]), np.maximum(values.std(axis=0), 1e-9)
    scale[0] = 1.0  # the constant
    ridge = RIDGE * np.eye(len(names))
    ridge[0, 0] = 0.0
    scaled, weights = values / scale, np.zeros(len(names))
    for _ in range(STEPS):
        probs = 1 / (1 + np.exp(-np.clip(scaled @ weights, -30, 30)))
        slope = scaled.T @ (counts * (right - probs)) - ridge @ weights
        curve = (
            (scaled * (counts * probs * (1 - probs))[:, None]).T @ scaled + ridge + 1e-6 * np.eye(len(names))
        )
        weights += np.linalg.solve(curve, slope)
    return dict(zip(names, (weights / scale).round(3).tolist(), strict=True))


def decide(outcomes: Iterable[Outcome], weights: Mapping[str, float], least: float = 0.0) -> list[Outcome]:
    """What these weights would make of outcomes; those that rules decide stay."""
    return [
        it
        if it.found is None
        else replace(
            it,
            put=it.likeliest
            if sum(weights[name] * value for name, value in it.found.items()) >= least
            else it.case.typed,
        )
        for it in outcomes
    ]


def halves(outcomes: Iterable[Outcome]) -> tuple[list[Outcome], list[Outcome]]:
    """Words that stand, to fit on and to judge by; each word is in one half, and products are judged only."""
    found: tuple[list[Outcome], list[Outcome]] = ([], [])
    for it in outcomes:
        is_product = it.case.kind.startswith("products")
        found[is_product or zlib.crc32(it.case.typed.encode()) % 2].append(it)
    return found


def curve(people: Sequence[Outcome], stand: Sequence[Outcome], weights: Mapping[str, float]) -> None:
    """Print where mended and spoilt conflict, by the log odds that are asked for."""
    found = []
    for least in np.arange(-1.0, 3.1, 0.5):
        hand = [it for it in decide(people, weights, least) if it.case.kind == "hand"]
        right = [it for it in decide(people, weights, least) if it.case.kind == "right"]
        meant = [it for it in stand if not it.case.kind.startswith(("compounds", "drawn out"))]
        stood = decide(meant, weights, least)
        found.append(
            {
                "from log odds": f"{least:.1f}",
                "mended %": _percent(hand, lambda it: it.put == it.case.meant),
                "wrongly %": _percent(hand, lambda it: it.put not in (it.case.typed, it.case.meant)),
                "right spoilt of 1,000": _thousand(right),
                "names, terms, foreign of 1,000": _thousand(stood),
                "of them, terms": _thousand([it for it in stood if it.case.kind.startswith("terms")]),
            }
        )
    show("where mended and spoilt conflict", found)


def _thousand(some: Sequence[Outcome]) -> str:
    return f"{1000 * sum(it.put != it.case.typed for it in some) / max(len(some), 1):.1f}"


def report(title: str, by_text: Mapping[str, Sequence[Outcome]]) -> None:
    """Print one row a text and kind."""
    show(title, [row for text, some in by_text.items() for row in rows(some, text)])


def main() -> None:
    """Measure, and fit if asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("people", nargs="*", default=PEOPLE, metavar="PERSON", help=f"of {', '.join(PEOPLE)}")
    parser.add_argument("--slips", type=int, default=300, help="of each person's hand (300)")
    parser.add_argument("--words", type=int, default=40, help="that stand, of each language and country (40)")
    parser.add_argument("--fit", action="store_true", help=f"fit the weights, and write {FILE.name}")
    wanted = parser.parse_args()
    loaded = LoadedModel(find_base(BASE), threads=1)
    cases = standing_cases(wanted.words)
    asked = {person: of_person(loaded, person, wanted.slips, cases) for person in wanted.people}
    people = {person: outcomes for person, (outcomes, _) in asked.items()}
    new = [*ask(loaded.build_predictor(loaded.build_user_model([]), None), cases)]
    report(
        "the present weights",
        {person: [*some, *behind] for person, (some, behind) in asked.items()} | {"nothing learned": new},
    )
    if not wanted.fit:
        return
    fitted_on = [person for person in people if person not in APART]
    stand = {person: halves(asked[person][1]) for person in people}
    some, others = halves(new)

    def fit_on(persons: Iterable[str]) -> dict[str, float]:
        return fit([*some, *(it for person in persons for it in (*people[person], *stand[person][0]))])

    held_out = dict[str, list[Outcome]]()
    for person in fitted_on:
        rest = fit_on(other for other in fitted_on if other != person)
        held_out[person] = decide([*people[person], *stand[person][1]], rest)
    weights = fit_on(fitted_on)
    report("held out", held_out | {"nothing learned": decide(others, weights)})
    curve(
        [it for person in fitted_on for it in people[person]],
        [it for person in fitted_on for it in stand[person][1]],
        weights,
    )
    apart = {
        person: decide([*people[person], *asked[person][1]], weights) for person in people if person in APART
    }
    if apart:
        report("set apart", apart)
    FILE.write_text("".join(f"{name} {weight}\n" for name, weight in weights.items()), "utf-8")


if __name__ == "__main__":
    main()
