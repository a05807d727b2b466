"""What grey text and mending are worth together, in seconds: a hand types that slips, takes grey text, and is mended.

``python tests/bench/slips.py``, or with the names of people. The newest fifth of a person's text is typed behind the
rest of it, at three speeds, by a typist who reads in the usual way or with care
(:mod:`idiolect.adapters.evaluation.slipping_typist`). Each row says what of the time by hand is saved by grey text
alone, by mending alone, by both, and what the sum of the two would be.
"""

import argparse

from common import BASE, PEOPLE, entries, show

from idiolect.adapters.evaluation.eval_split import EvalMessage, split_corpus
from idiolect.adapters.evaluation.slipping_typist import answer_pages, share_saved
from idiolect.adapters.prediction.loaded_model import LoadedModel
from idiolect.models.build import find_base

SEED = 1
WORDS_A_MINUTE = (30, 60, 100)
#: Seconds to see new grey text, and for each further word of it.
READERS = {"usual": (0.17, 0.10), "careful": (0.30, 0.15)}


def measure(loaded: LoadedModel, person: str, chars: int) -> list[dict[str, float | str]]:
    """The rows of one person: memory and recent text, no adapter."""
    texts = [(entry["text"].strip(), entry["ts"]) for entry in entries(person) if entry["text"].strip()]
    split = split_corpus(
        [EvalMessage(text, at, text) for text, at in texts], name=person, seed=SEED, chars=chars
    )
    encode = loaded.tokenizer.encode
    known = loaded.build_user_model([encode(message.kept) for message in split.history])
    predictor = loaded.build_predictor(known, None)

    def learn(message: EvalMessage) -> None:
        ids = encode(message.kept)
        predictor.observe(message.kept, ids)
        known.learn(message.kept, ids)

    keys_s = [12 / wpm for wpm in WORDS_A_MINUTE]
    pages = answer_pages(predictor, split.test, loaded.channel.layout, person, keys_s, learn)
    rows = list[dict[str, float | str]]()
    for reader, looks_s in READERS.items():
        for wpm, key_s in zip(WORDS_A_MINUTE, keys_s, strict=True):
            saved = {way: 100 * share for way, share in share_saved(pages, key_s, *looks_s).items()}
            rows.append({"reader": reader, "wpm": wpm, **saved, "sum": saved["grey"] + saved["mending"]})
    return rows


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("people", nargs="*", default=PEOPLE, metavar="PERSON", help=f"of {', '.join(PEOPLE)}")
    parser.add_argument("--chars", type=int, default=900, help="about how many characters to type (900)")
    wanted = parser.parse_args()
    loaded = LoadedModel(find_base(BASE), threads=1)
    found = {person: measure(loaded, person, wanted.chars) for person in wanted.people}
    if len(found) > 1:
        found["mean"] = [
            {
                name: value if name in ("reader", "wpm") else sum(one[name] for one in rows) / len(rows)
                for name, value in rows[0].items()
            }
            for rows in zip(*found.values(), strict=True)
        ]
    show(
        "of 100 seconds by hand, saved",
        (
            {
                "text": person,
                **{name: f"{it:.1f}" if isinstance(it, float) else it for name, it in row.items()},
            }
            for person, rows in found.items()
            for row in rows
        ),
    )


if __name__ == "__main__":
    main()
