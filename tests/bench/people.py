"""What a base model saves people who write in any language, before it has learned anything and after.

``make bench ARGS="people letters.jsonl diary.jsonl"``, or ``python tests/bench/people.py FILE...``. Each file is one
person's text, in a form that ``idiolect add`` reads; the first 80 % of it is learned, of the rest are typed as many
characters as are asked for, with one and with three words on offer (:mod:`idiolect.adapters.evaluation.eval_split`
says which). ``--base`` is a folder with another base model than the default one, ``--train`` the seconds of a
training round on the history.
"""

import argparse
import base64
import json
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from common import BASE, show

from idiolect.adapters.evaluation.eval_split import EvalMessage, EvalSplit, split_corpus
from idiolect.adapters.evaluation.run import savings
from idiolect.adapters.evaluation.typing_simulator import BARS, TypedText, type_text
from idiolect.adapters.prediction.loaded_model import LoadedModel
from idiolect.adapters.prediction.look_value import USUAL_KEY_MS
from idiolect.adapters.prediction.question import Question
from idiolect.adapters.training.lora import Lora
from idiolect.daemon.evaluation.evals import read_messages
from idiolect.daemon.rounds.round_runner import TRAINING, order_of
from idiolect.daemon.runtime.child_processes import ChildProcesses
from idiolect.daemon.serving.user_languages import found_languages, sample
from idiolect.daemon.settings import Settings
from idiolect.daemon.sources.reader import Reader
from idiolect.models.build import BasePaths, find_base

SEED = 1


def measure(base: BasePaths, split: EvalSplit, settings: Settings, train_s: int) -> dict[str, Any]:
    """Savings before any learning, with the memory, and after a round of so many seconds if there is to be one."""
    texts = [message.kept for message in split.history]
    languages = settings.languages or found_languages(texts[place] for place in sample(len(texts), 150))
    loaded = LoadedModel(
        base,
        languages=languages,
        threads=settings.threads,
    )
    history = [ids for message in split.history if (ids := loaded.tokenizer.encode(message.kept))]
    found = {
        "before": savings_of(loaded, split.test, None),
        "memory": savings_of(loaded, split.test, history),
    }
    if train_s:
        order = order_of(settings, languages, train_s, SEED)
        events = ChildProcesses().follow(TRAINING, order, history, len(history))
        made = next(event for event in events if event["event"] == "result")
        found["adapter"] = savings_of(loaded, split.test, history, made) | {"status": made["status"]}
    return found


def savings_of(
    loaded: LoadedModel,
    test: Sequence[EvalMessage],
    history: Sequence[list[int]] | None,
    made: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Type the messages, each learned once it was typed; without a history nothing is learned."""
    known = loaded.build_user_model(history or ())
    adapter = mixture = None
    if made is not None:
        adapter = Lora.from_bytes(base64.b64decode(made["adapter"]), loaded.model.config).tensors()
        mixture = made["mixtures"]["candidate"]
    predictor = loaded.build_predictor(known, mixture, adapter=adapter)

    def ask(prefix: str) -> Any:
        return predictor.suggest(Question(prefix, candidates=max(BARS), ghost_words=0, key_ms=USUAL_KEY_MS))

    typed: list[TypedText] = []
    started = time.process_time()
    for message in test:
        predictor.forget_texts()
        predictor.precompute(message.text)
        typed.append(type_text(message.text, ask, ghosts=False))
        if history is not None and (ids := loaded.tokenizer.encode(message.kept)):
            predictor.observe(message.kept, ids)
            known.learn(message.kept, ids)
    return {
        **{str(most): savings(typed, f"bar{most}", SEED) for most in BARS},
        "processor_s": round(time.process_time() - started, 1),
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="one person's text each")
    parser.add_argument("--base", type=Path, default=BASE, help="folder of the base model")
    parser.add_argument("--languages", default="", help="that they write: de,en (default: found in the text)")
    parser.add_argument("--chars", type=int, default=4000, help="about how many characters to type (4000)")
    parser.add_argument("--train", type=int, default=0, metavar="SECONDS", help="of a training round (none)")
    parser.add_argument("--json", type=Path, help="also write all figures to this file")
    wanted = parser.parse_args(arguments)
    reader, rows = Reader(), dict[str, dict[str, Any]]()
    with tempfile.TemporaryDirectory(prefix="idiolect-bench-") as home:
        settings = Settings(home=Path(home), languages=wanted.languages)
        settings.base_dir.symlink_to(wanted.base.resolve())
        base = find_base(settings.base_dir)
        for file in wanted.files:
            messages = read_messages(reader, file.resolve(), ())
            split = split_corpus(messages, name=file.stem, seed=SEED, chars=wanted.chars)
            sizes = {
                name: sum(len(message.text) for message in part)
                for name, part in (("history", split.history), ("typed", split.test))
            }
            rows[file.stem] = sizes | measure(base, split, settings, wanted.train)
            if wanted.json is not None:
                wanted.json.write_text(json.dumps(rows, indent=1) + "\n")
    reader.close()
    show(
        "keystrokes saved of 100",
        (
            {"text": name, "history": row["history"], "typed": row["typed"]}
            | {
                f"{way}, {most}": f"{100 * row[way][str(most)]['value']:.1f}"
                for way in ("before", "memory", "adapter")
                if way in row
                for most in (1, 3)
            }
            for name, row in rows.items()
        ),
    )


if __name__ == "__main__":
    main()
