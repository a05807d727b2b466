"""What becomes of the 200 commonest slips of people who type English: mended, offered or left.

The slips are those of codespell's list (from Wikipedia's lists of common misspellings; CC BY-SA 3.0) that wordfreq
(Speer 2022) counts most often, with one meaning, which people use ten times as often at least.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import codespell_lib
from wordfreq import word_frequency

from idiolect.adapters.prediction.loaded_model import LoadedModel
from idiolect.adapters.prediction.predictor import Predictor
from idiolect.adapters.prediction.question import Question
from idiolect.models.build import find_base

COUNT, TIMES, MIN_LETTERS = 200, 10, 3
CONTEXTS = ("I think that ", "We talked about the ", "Please ask ")


def common_slips() -> dict[str, str]:
    """Return what was meant by each slip, the commonest first."""
    lines = (Path(codespell_lib.__file__).parent / "data" / "dictionary.txt").read_text("utf-8").splitlines()
    pairs = [line.split("->") for line in lines if "," not in line]
    counted = [
        (word_frequency(typed, "en"), typed, meant)
        for typed, meant in pairs
        if len(typed) >= MIN_LETTERS and typed.isascii() and typed.isalpha()
    ]
    usual = (
        (often, typed, meant)
        for often, typed, meant in sorted(counted, reverse=True)
        if word_frequency(meant, "en") >= TIMES * often
    )
    return {typed: meant for _, (_, typed, meant) in zip(range(COUNT), usual, strict=False)}


def outcome(predictor: Predictor, before: str, typed: str, meant: str) -> str:
    """Return what becomes of a slip behind a text: "mended", "wrongly mended", "offered" or "left"."""
    found = predictor.suggest(Question(f"{before}{typed} ", "", 0, 0, corrections=True)).correction
    if found is not None and found.sure:
        return "mended" if found.text.strip().lower() == meant.lower() else "wrongly mended"
    words = predictor.suggest(Question(f"{before}{typed}", "", 3, 0, corrections=True)).words
    offers = [typed[: len(typed) - word.replace] + word.text for word in words]
    return "offered" if meant.lower() in map(str.lower, offers) or found is not None else "left"


def main() -> None:
    """Print the table and each slip that is not mended behind every text."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("base", type=Path, help="the folder with the base model")
    base = find_base(parser.parse_args().base)
    loaded = LoadedModel(base, threads=1, context_tokens=512, recent_tokens=60, rare_min_count=3)
    predictor = loaded.build_predictor(loaded.build_user_model([]), None)
    rows = {
        f"{typed} → {meant}": [outcome(predictor, before, typed, meant) for before in CONTEXTS]
        for typed, meant in common_slips().items()
    }
    for slip, outcomes in rows.items():
        if set(outcomes) != {"mended"}:
            print(f"{slip:32}", ", ".join(outcomes))
    every = [it for outcomes in rows.values() for it in outcomes]
    kinds = ("mended", "wrongly mended", "offered", "left")
    print(json.dumps({kind: round(100 * every.count(kind) / len(every), 1) for kind in kinds}))


if __name__ == "__main__":
    main()
