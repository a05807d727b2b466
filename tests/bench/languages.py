"""Who writes two languages: how many of the words on offer are of the wrong one, and what suggestions save.

    python tests/bench/languages.py de=anna.jsonl en=bob.jsonl

A file has a text a line, plain or as JSON with `text`, the oldest first. The last texts of each are typed, those before
are the history. Three profiles are typed: the texts of each language alone, those of both that take turns ("by
message"), and their sentences that take turns within each text ("within"). Without an adapter.

A word is of the wrong language if the other one's list uses it twenty times as often as the list of the language that
the sentence is in and the person never uses it there; or, where no list has it, if they use it in the other language
alone. It is counted where the sentence has two words already that the
two lists tell apart.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter as Tally
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, zip_longest
from pathlib import Path
from typing import TypeVar

import regex

from idiolect.adapters.evaluation.typing_simulator import type_text
from idiolect.adapters.prediction.loaded_model import LoadedModel
from idiolect.adapters.prediction.suggestion import Suggestion
from idiolect.adapters.vocabulary import WORD
from idiolect.models.build import BasePaths, find_base
from idiolect.models.languages import ensure_word_list
from idiolect.models.lexicon import Lexicon, read_lexicon

T = TypeVar("T")
_HISTORY_CHARS = 100_000
_OFTENER = 20.0
_SENTENCE = regex.compile(r"[^.!?…\n]+[.!?…\n]*\s*")


@dataclass(frozen=True)
class Sentence:
    """A sentence and the place of the language that it is in."""

    text: str
    language: int


class Lists:
    """What the lists of two languages say of words."""

    def __init__(self, lexicon: Lexicon, languages: Sequence[str], texts: Sequence[str]) -> None:
        self._lexicon = lexicon
        self.names = languages
        self._texts = [Tally(map(str.lower, WORD.findall(text))) for text in texts]
        self._rows = [lexicon.languages.index(language) for language in languages]

    def other(self, word: str, language: int) -> bool:
        """Whether a word is of the other language."""
        uses = [0.0, 0.0]
        for form in {word, word.lower()}:
            if (place := self._lexicon.place(form.replace("’", "'"))) is not None:
                uses = [
                    max(known, float(self._lexicon.by_language[row, place]))
                    for known, row in zip(uses, self._rows, strict=True)
                ]
        return uses[1 - language] > _OFTENER * uses[language]

    def is_wrong(self, word: str, language: int) -> bool:
        """Whether a word is of the other language by the lists, or by the texts where no list has it."""
        here, there = (self._texts[place][word.lower()] for place in (language, 1 - language))
        if self.other(word, language):
            return here == 0  # who uses it in this language means it
        return there > 1 and not here and not any(self.listed(word))

    def listed(self, word: str) -> list[bool]:
        """Whether the list of each language has a word."""
        place = self._lexicon.place(word.lower().replace("’", "'"))
        if place is None:
            return [False, False]
        return [bool(self._lexicon.by_language[row, place]) for row in self._rows]


class Counter:
    """Counts the words that are shown where the language is evident."""

    def __init__(self, lists: Lists) -> None:
        self._lists = lists
        self.shown = self.wrong = self.asked = 0

    def see(self, before: str, typed: str, found: Suggestion, language: int) -> None:
        """Count what is shown within a sentence."""
        told = [word for word in WORD.findall(before) if self._lists.other(word, 1 - language)]
        if len(told) < 2:
            return
        self.asked += 1
        for word in found.words[:3]:
            whole = typed[: len(typed) - word.replace] + word.text
            parts = WORD.findall(whole)
            self.shown += 1
            self.wrong += any(self._lists.is_wrong(part, language) for part in parts)


def main() -> None:
    """Print a table and a line of JSON."""
    options = _options()
    languages = [name for name, _ in options.texts]
    base = find_base(options.base)
    ensure_word_list(base, languages)
    read = [_read(path) for _, path in options.texts]
    lists = Lists(
        read_lexicon(ensure_word_list(base, languages).lexicon),
        languages,
        ["\n".join(texts) for texts in read],
    )
    halves = [_split(texts, options.characters) for texts in read]
    known = options.lists or languages
    ensure_word_list(base, known)
    figures = {}
    for place, language in enumerate(languages):
        texts = [[Sentence(part, place) for part in _SENTENCE.findall(text)] for text in halves[place][1]]
        figures[f"{language} alone"] = _type(base, known, halves[place][0], texts, lists)
    histories = _in_turns(halves[0][0], halves[1][0])
    by_message = _in_turns(
        *(
            [[Sentence(part, place) for part in _SENTENCE.findall(text)] for text in halves[place][1]]
            for place in (0, 1)
        )
    )
    figures["by message"] = _type(base, known, histories, by_message, lists)
    within = [
        _in_turns(*texts)
        for texts in zip(
            *(
                [[Sentence(part, place) for part in _SENTENCE.findall(text)] for text in halves[place][1]]
                for place in (0, 1)
            ),
            strict=False,
        )
    ]
    figures["within"] = _type(base, known, _mixed(*(halves[place][0] for place in (0, 1))), within, lists)
    print(f"{'profile':12} {'saved':>6} {'':14} {'words shown':>12} {'wrong language':>15}")
    for name, one in figures.items():
        saved = ", ".join(
            f"{language} {100 * share:.1f}" for language, share in one["saved_by_language"].items()
        )
        print(
            f"{name:12} {100 * one['saved']:5.1f} % ({saved}) {one['shown']:8,} {100 * one['wrong']:10.2f} %"
        )
    print(json.dumps(figures))


def _type(
    base: BasePaths,
    languages: Sequence[str],
    history: Sequence[str],
    texts: Sequence[Sequence[Sentence]],
    lists: Lists,
) -> dict[str, object]:
    loaded = LoadedModel(
        base, threads=2, context_tokens=384, recent_tokens=160, rare_min_count=3, languages=languages
    )
    encode = loaded.tokenizer.encode
    user_model = loaded.build_user_model([encode(text) for text in history])
    predictor = loaded.build_predictor(user_model, None)
    counter = Counter(lists)
    keys, characters = [0, 0], [0, 0]
    for sentences in texts:
        before = ""
        for sentence in sentences:

            def ask(prefix: str, before: str = before, sentence: Sentence = sentence) -> Suggestion:
                found = predictor.suggest(
                    (before + prefix)[-2000:], candidates=3, ghost_words=0, corrections=True
                )
                typed = regex.search(r"[\p{L}\p{N}'’]*\Z", prefix)
                counter.see(
                    prefix[: len(prefix) - len(typed[0])] if typed else prefix,
                    typed[0] if typed else "",
                    found,
                    sentence.language,
                )
                return found

            typed = type_text(sentence.text, ask, ghosts=False)
            keys[sentence.language] += typed.keys["bar3"]
            characters[sentence.language] += typed.characters
            before += sentence.text
        predictor.observe(before, encode(before))
        user_model.learn(before, encode(before))
    saved = [1 - used / there if there else 0.0 for used, there in zip(keys, characters, strict=True)]
    names = [name for place, name in enumerate(lists.names) if characters[place]]
    return {
        "saved": 1 - sum(keys) / sum(characters),
        "saved_by_language": {name: saved[lists.names.index(name)] for name in names},
        "shown": counter.shown,
        "wrong": counter.wrong / max(counter.shown, 1),
    }


def _in_turns(*several: Sequence[T]) -> list[T]:
    return [one for one in chain.from_iterable(zip_longest(*several)) if one is not None]


def _mixed(first: Sequence[str], second: Sequence[str]) -> list[str]:
    """Return texts whose sentences are of both languages in turns."""
    mixed = []
    for one, other in zip(first, second, strict=False):
        mixed.append("".join(_in_turns(_SENTENCE.findall(one + " "), _SENTENCE.findall(other + " "))))
    return mixed


def _read(path: Path) -> list[str]:
    lines = [line for line in path.read_text("utf-8").splitlines() if line.strip()]
    return [str(json.loads(line)["text"]) if line.startswith("{") else line for line in lines]


def _split(texts: list[str], characters: int) -> tuple[list[str], list[str]]:
    """Return the history and the texts to type: of the last ones, those that hold some sentences together."""
    typed, chars = list[str](), 0
    while texts and chars < characters:
        typed.insert(0, texts.pop())
        chars += len(typed[0])
    history, chars = list[str](), 0
    while texts and chars < _HISTORY_CHARS:
        history.insert(0, texts.pop())
        chars += len(history[0])
    return history, typed


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("texts", nargs=2, type=_named, metavar="LANGUAGE=FILE")
    parser.add_argument("--base", type=Path, default=Path(".cache/base"), help="the folder of the base model")
    parser.add_argument("--characters", type=int, default=2_500, help="to type of each language")
    parser.add_argument("--lists", nargs="+", help="the languages that the program knows, if not these two")
    return parser.parse_args()


def _named(given: str) -> tuple[str, Path]:
    language, _, path = given.partition("=")
    return language, Path(path)


if __name__ == "__main__":
    main()
