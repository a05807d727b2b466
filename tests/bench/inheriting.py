"""Whether a person's misspellings are inherited: how often the misspelt form of a favourite word is offered first.

``python tests/bench/inheriting.py [CORPUS...]`` misspells each of a person's twenty favourite words of five letters and
more, always in the same way, in 30 % of their occurrences in the history (``../shared/corpora`` beside the checkout).
What the person wrote later is then typed, as it was, after learning three histories: as it was, the misspelt one, and
that with the misspelt forms learned as they are typed. Counted are the places where a favourite word is due and both
forms could still be meant, and those at which the misspelt one stands first.
"""

from __future__ import annotations

import argparse
import base64
import random
import sys
import tempfile
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from worth import BASE, CORPORA, SEED, loaded, messages, trained

from idiolect.adapters.evaluation.eval_split import EvalMessage, EvalSplit, split_corpus
from idiolect.adapters.evaluation.mistyping import mistype
from idiolect.adapters.evaluation.typing_simulator import type_text
from idiolect.adapters.lora import Lora
from idiolect.adapters.prediction.keyboards import neighbours
from idiolect.adapters.prediction.mistakes import decisions
from idiolect.adapters.prediction.predictor import Predictor
from idiolect.adapters.prediction.preferences import WordPreferences
from idiolect.adapters.prediction.vocabulary import WORD
from idiolect.daemon.settings import Settings
from idiolect.models.build import find_base
from idiolect.models.dictionary import Spelling
from idiolect.models.lexicon import read_lexicon

FAVOURITES, LEAST_LETTERS, SHARE = 20, 5, 0.3
OFFERED = 3


def misspellings(history: list[EvalMessage], rng: random.Random) -> dict[str, str]:
    """The favourite words, those that this person uses most beside everybody, and how each is misspelt."""
    counted = Counter(word for message in history for word in WORD.findall(message.kept))
    lexicon, spelt, near = read_lexicon(find_base(BASE).lexicon), Spelling.english(), neighbours("qwerty")

    def ratio(word: str) -> float:
        place = lexicon.place(word)
        return 0.0 if place is None else counted[word] ** 2 / float(lexicon.frequency[place])

    plain = [
        word
        for word in counted
        if len(word) >= LEAST_LETTERS and word.isascii() and word.isalpha() and word.islower()
    ]
    favourites = sorted((word for word in plain if word in spelt), key=ratio, reverse=True)[:FAVOURITES]
    made = {}
    for word in favourites:
        wrong = word
        while wrong == word or wrong in spelt or wrong in lexicon:
            wrong = mistype(word, rng, near)
        made[word] = wrong
    return made


def misspelt(split: EvalSplit, habits: dict[str, str], rng: random.Random) -> EvalSplit:
    """The same with a history in which the favourite words are often misspelt."""

    def put(word: str) -> str:
        return habits[word] if word in habits and rng.random() < SHARE else word

    history = [
        replace(message, kept=WORD.sub(lambda match: put(match[0]), message.kept))
        for message in split.history
    ]
    return replace(split, history=history)


class Typing:
    """Types the test, learns each message after it, and counts what is asked for.

    ``due`` are the places where a favourite word is due, ``inherited`` those where its misspelt form stands first.
    """

    def __init__(self, habits: dict[str, str]) -> None:
        self.habits = habits
        self.characters = self.keys = self.due = self.inherited = 0

    def run(self, split: EvalSplit, predictor: Predictor, learn: Any) -> None:
        for message in split.test:
            typed = type_text(
                message.text,
                lambda prefix: predictor.suggest(prefix, candidates=OFFERED, ghost_words=0),
                ghosts=False,
            )
            self.characters += typed.characters
            self.keys += typed.keys[f"bar{OFFERED}"]
            for match in WORD.finditer(message.text):
                if match[0] in self.habits:
                    self._ask(predictor, message.text[: match.start()], match[0], self.habits[match[0]])
            learn(message.kept)

    def _ask(self, predictor: Predictor, before: str, right: str, wrong: str) -> None:
        for length in range(len(right)):
            typed = right[:length]
            if not wrong.startswith(typed):
                return
            offered = predictor.suggest(before + typed, candidates=OFFERED, ghost_words=0).words
            self.due += 1
            self.inherited += bool(offered) and typed + offered[0].text.strip() == wrong

    @property
    def savings(self) -> float:
        return 100 * (1 - self.keys / self.characters)


def learned_and_typed(
    split: EvalSplit, habits: dict[str, str], kept: tuple[str, ...], asked: argparse.Namespace
) -> Typing:
    """The test, typed after the history was read and, where there is a budget, trained on; words `kept` as they are."""
    with tempfile.TemporaryDirectory(prefix="idiolect-inheriting-") as home:
        settings = Settings(
            home=Path(home), budget_s=asked.budget or 240.0, threads=asked.threads, keyring=False
        )
        result = trained(split, settings, kept) if asked.budget else None
    serving = loaded(settings)
    encode, preferences = serving.tokenizer.encode, WordPreferences()
    preferences.set((), (), decisions(kept, ()))
    entries = [ids for message in split.history if (ids := encode(message.kept))]
    known = serving.build_user_model(entries, preferences=preferences)
    mixture, adapter = None, None
    if result is not None:
        mixture = result["mixtures"]["candidate"]
        adapter = Lora.from_bytes(base64.b64decode(result["adapter"]), find_base(BASE).config).tensors()
    predictor = serving.build_predictor(known, mixture, adapter=adapter, adapter_id=1 if adapter else None)
    found = Typing(habits)
    found.run(split, predictor, lambda text: known.learn(text, encode(text)))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    names = sorted(path.stem for path in CORPORA.glob("*.jsonl"))
    parser.add_argument("corpora", nargs="*", default=names, help="names; default: all")
    parser.add_argument("--chars", type=int, default=8_000, help="to type")
    parser.add_argument("--budget", type=float, default=240.0, help="seconds of a round; 0 trains none")
    parser.add_argument("--threads", type=int, default=1)
    asked = parser.parse_args()
    if not names:
        sys.exit(f"Skipped: {CORPORA} is absent.")
    arms = ("saved: as it was", "misspelt", "learned as typed")
    table = Table("text", "places", "misspelt first, of 100", "learned as typed", *arms)
    for name in asked.corpora:
        rng = random.Random(f"{SEED}:{name}")
        clean = split_corpus(messages(name), name=name, seed=SEED, chars=asked.chars)
        habits = misspellings(clean.history, rng)
        wrong = misspelt(clean, habits, rng)
        histories = ((clean, ()), (wrong, ()), (wrong, tuple(habits.values())))
        found = [learned_and_typed(split, habits, kept, asked) for split, kept in histories]
        told = [
            f"{found[0].due}",
            *(f"{100 * arm.inherited / max(arm.due, 1):.2f}" for arm in found[1:]),
            *(f"{arm.savings:.2f}" for arm in found),
        ]
        print(name, *told, flush=True)
        table.add_row(name, *told)
    Console().print(table)


if __name__ == "__main__":
    main()
