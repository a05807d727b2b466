"""Whether learning from one person harms common English: acceptable words among three, before and after.

``python tests/bench/everyday.py [CORPUS...]`` asks for the next word behind the beginnings of everyday sentences in
``everyday.txt``, as a fresh install and after each person's history (``../shared/corpora`` beside the checkout), with
the memory alone and with an adapter that one round has trained. A beginning counts if one of three words is acceptable.
"""

from __future__ import annotations

import argparse
import base64
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from worth import BASE, CORPORA, SEED, loaded, messages, trained

from idiolect.adapters.evaluation.eval_split import EvalSplit, split_corpus
from idiolect.adapters.lora import Lora
from idiolect.adapters.prediction.loaded_model import LoadedModel
from idiolect.adapters.prediction.predictor import Predictor
from idiolect.daemon.settings import Settings
from idiolect.models.build import find_base

BEGINNINGS = Path(__file__).with_name("everyday.txt")
OFFERED = 3


@dataclass(frozen=True)
class Beginning:
    """What stands before the cursor, and what may come: words in small letters, the part that is typed included."""

    prefix: str
    typed: str
    acceptable: frozenset[str]

    def is_met_by(self, offered: Sequence[str]) -> bool:
        return any((self.typed + text.strip()).casefold() in self.acceptable for text in offered)


def beginnings() -> list[Beginning]:
    found = []
    for line in BEGINNINGS.read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            before, _, words = (part.strip() for part in line.partition("|"))
            acceptable = frozenset(words.replace(",", " ").casefold().split())
            begun = before.endswith("~")
            prefix = before.removesuffix("~") if begun else f"{before} "
            found.append(Beginning(prefix, prefix.rpartition(" ")[2] if begun else "", acceptable))
    return found


def met(predictor: Predictor, asked: Sequence[Beginning]) -> list[bool]:
    """Whether one of three words is acceptable, for each beginning."""
    return [
        one.is_met_by(
            [word.text for word in predictor.suggest(one.prefix, candidates=OFFERED, ghost_words=0).words]
        )
        for one in asked
    ]


def predictors(serving: LoadedModel, split: EvalSplit, result: dict[str, Any] | None) -> dict[str, Predictor]:
    """What serves a new user, and after this history: the memory alone, and with the adapter of the round's result."""
    ids = [found for message in split.history if (found := serving.tokenizer.encode(message.kept))]
    known = serving.build_user_model(ids)
    made = {
        "fresh": serving.build_predictor(serving.build_user_model([]), None),
        "memory": serving.build_predictor(known, result and result["mixtures"]["base"]),
    }
    if result is not None:
        lora = Lora.from_bytes(base64.b64decode(result["adapter"]), find_base(BASE).config)
        mixture = result["mixtures"]["candidate"]
        made["both"] = serving.build_predictor(known, mixture, adapter=lora.tensors(), adapter_id=1)
    return made


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    names = sorted(path.stem for path in CORPORA.glob("*.jsonl"))
    parser.add_argument("corpora", nargs="*", default=names, help="names; default: all")
    parser.add_argument("--budget", type=float, default=480.0, help="seconds of a round; 0 trains none")
    parser.add_argument("--threads", type=int, default=1)
    asked = parser.parse_args()
    if not names:
        sys.exit(f"Skipped: {CORPORA} is absent.")
    cases = beginnings()
    table = Table("text", "fresh", "memory", "memory and adapter")
    for name in asked.corpora:
        split = split_corpus(messages(name), name=name, seed=SEED, chars=8_000)
        with tempfile.TemporaryDirectory(prefix="idiolect-everyday-") as home:
            settings = Settings(
                home=Path(home), budget_s=asked.budget or 480.0, threads=asked.threads, keyring=False
            )
            serving = loaded(settings)
            result = trained(split, settings) if asked.budget else None
        shares = [
            100 * sum(met(made, cases)) / len(cases) for made in predictors(serving, split, result).values()
        ]
        table.add_row(name, *(f"{share:.1f}" for share in shares))
    Console().print(table)
    print(f"Acceptable among {OFFERED}, of 100; {len(cases)} beginnings.")


if __name__ == "__main__":
    main()
