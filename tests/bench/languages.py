"""Who writes two languages: how many of the words on offer are of the wrong one, and what suggestions save.

    python tests/bench/languages.py de=anna.jsonl en=bob.jsonl

A file has a text a line, plain or as JSON with `text`, the oldest first. The last texts of each are typed, those before
are the history. Three profiles are typed: the texts of each language alone, those of both that take turns ("by
message"), and their sentences that take turns within each text ("within"). Without an adapter.

A word is of the wrong language if the dictionary of the other one has it and that of the language of the sentence lacks
it. It is counted where the sentence has two words already that only its own dictionary has. The judges are hunspell's
dictionaries, of which the program knows nothing: `apt install hunspell hunspell-de-de hunspell-en-us`. Without them the
share is not measured.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
from collections import Counter as Tally
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, zip_longest
from pathlib import Path
from typing import Any, TypeVar

import regex

from idiolect.adapters.evaluation.typing_simulator import type_text
from idiolect.adapters.memory.vocabulary import WORD
from idiolect.adapters.prediction.loaded_model import LoadedModel
from idiolect.adapters.prediction.suggestion import Suggestion
from idiolect.models.build import BasePaths, find_base
from idiolect.models.languages import ensure_word_list

T = TypeVar("T")
_HISTORY_CHARS = 100_000
_DICTIONARIES = {
    "de": "de_DE",
    "en": "en_US",
    "fr": "fr_FR",
    "es": "es_ES",
    "it": "it_IT",
    "pt": "pt_PT",
    "nl": "nl_NL",
}
_SENTENCE = regex.compile(r"[^.!?…\n]+[.!?…\n]*\s*")


@dataclass(frozen=True)
class Sentence:
    """A sentence and the place of the language that it is in."""

    text: str
    language: int


class Dictionary:
    """Says whether a language has a word, as a running hunspell tells."""

    def __init__(self, language: str) -> None:
        command = ["hunspell", "-a", "-i", "utf-8", "-d", _DICTIONARIES[language]]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._known = dict[str, bool]()
        if not self._read_line():
            raise FileNotFoundError(f"hunspell has no dictionary {_DICTIONARIES[language]}.")

    def has(self, word: str) -> bool:
        """Whether a word is spelt right as it is or with a capital, and all parts of one with apostrophes."""
        if word not in self._known:
            self._known[word] = self._ask(word) or self._ask(word[:1].upper() + word[1:])
        return self._known[word]

    def _ask(self, word: str) -> bool:
        assert self._process.stdin is not None
        self._process.stdin.write(f"^{word}\n")
        self._process.stdin.flush()
        answers = [*iter(self._read_line, "")]
        return all(answer[0] in "*+-" for answer in answers)

    def _read_line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def close(self) -> None:
        """End hunspell."""
        self._process.communicate()


class Counter:
    """Counts the words that are shown where the language is evident."""

    def __init__(self, dictionaries: Sequence[Dictionary]) -> None:
        self._dictionaries = dictionaries
        self.shown = self.wrong = 0
        self.wrong_words = Tally[str]()

    def see(self, before: str, typed: str, found: Suggestion, language: int) -> None:
        """Count what is shown within a sentence."""
        if not self._dictionaries:
            return
        here, there = self._dictionaries[language], self._dictionaries[1 - language]
        if sum(here.has(word) and not there.has(word) for word in WORD.findall(before)) < 2:
            return
        for word in found.words[:3]:
            whole = typed[: len(typed) - word.replace] + word.text
            self.shown += 1
            wrong = [part for part in WORD.findall(whole) if there.has(part) and not here.has(part)]
            self.wrong += bool(wrong)
            self.wrong_words.update(wrong)


def main() -> None:
    """Print a table and a line of JSON."""
    options = _options()
    languages = [name for name, _ in options.texts]
    base = find_base(options.base)
    judges = [Dictionary(language) for language in languages] if shutil.which("hunspell") else []
    halves = [_split(_read(path), options.characters) for _, path in options.texts]
    known = options.lists or languages
    ensure_word_list(base, known)
    figures = {}
    for place, language in enumerate(languages):
        texts = [[Sentence(part, place) for part in _SENTENCE.findall(text)] for text in halves[place][1]]
        figures[f"{language} alone"] = _type(base, known, halves[place][0], texts, judges)
    histories = _in_turns(halves[0][0], halves[1][0])
    by_message = _in_turns(
        *(
            [[Sentence(part, place) for part in _SENTENCE.findall(text)] for text in halves[place][1]]
            for place in (0, 1)
        )
    )
    figures["by message"] = _type(base, known, histories, by_message, judges)
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
    figures["within"] = _type(base, known, _mixed(*(halves[place][0] for place in (0, 1))), within, judges)
    for judge in judges:
        judge.close()
    print(f"{'profile':12} {'saved':>8} {'words shown':>12} {'wrong language':>15}")
    for name, one in figures.items():
        wrong = "not measured" if one["wrong"] is None else f"{100 * one['wrong']:.2f} %"
        print(f"{name:12} {100 * one['saved']:6.1f} % {one['shown']:12,} {wrong:>15}")
    print(json.dumps(figures))


def _type(
    base: BasePaths,
    languages: Sequence[str],
    history: Sequence[str],
    texts: Sequence[Sequence[Sentence]],
    judges: Sequence[Dictionary],
) -> dict[str, Any]:
    loaded = LoadedModel(base, threads=2, languages=languages)
    encode = loaded.tokenizer.encode
    user_model = loaded.build_user_model([encode(text) for text in history])
    predictor = loaded.build_predictor(user_model, None)
    counter = Counter(judges)
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
    return {
        "saved": 1 - sum(keys) / sum(characters),
        "saved_by_language": [share for share, typed in zip(saved, characters, strict=True) if typed],
        "shown": counter.shown,
        "wrong": counter.wrong / counter.shown if counter.shown else None,
        "wrong_words": counter.wrong_words.most_common(20),
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
