"""Rounds that add up: what is served after each round, beside one long round over all text so far.

``python tests/bench/year.py [CORPUS...]`` has the service's own training process run round after round on the newest
text of each corpus (``../shared/corpora`` beside the checkout), as it comes:

- ``parts``: five parts of one size;
- ``days``: fifty messages a day, and a round whenever the service's own policy has one due;
- ``burst``: a little, half of all at once, and a little again;
- ``turn``: two parts of this person's, and then two of the next one's in the list.

After each round what serves, what served before and, after the rounds that ``--joint`` names, an adapter of one round
over all text so far predict the text written next, which nothing has learned from. Rows go into ``docs/year.json`` as
they come. Settings are the defaults but for the budget of a round, 60 seconds.
"""

import argparse
import base64
import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from common import BASE, CORPORA, PEOPLE, ROOT, entries

from idiolect.adapters.memory.corpus import RECENT_TOKENS, RecentText
from idiolect.adapters.memory.ngram_memory import FastMemory
from idiolect.adapters.prediction.mixture import Mixture
from idiolect.adapters.training.gate import Tally, decide, general_perplexity, judge
from idiolect.adapters.training.lora import Lora
from idiolect.adapters.training.round import TrainRequest
from idiolect.daemon.rounds.round_policy import MachineState, RoundFacts, RoundPolicy
from idiolect.daemon.rounds.round_runner import TRAINING, order_of
from idiolect.daemon.runtime.child_processes import ChildProcesses
from idiolect.daemon.settings import Settings
from idiolect.models.build import find_base
from idiolect.models.session import Model
from idiolect.models.tokenizer import Tokenizer

RESULT = ROOT / "docs" / "year.json"
TOKENS = 16_000  # of a person's newest text, and the slice behind it
BUDGET_S = 60.0
JOINT_BUDGET_S = 3600.0  # enough for one pass over everything
SLICE_TOKENS = 3_000  # written after a round, that it is judged by here
GENERAL_TOKENS = 1_500
MESSAGES_A_DAY = 50
SHARES = {"parts": (0.2,) * 5, "burst": (0.2, 0.1, 0.5, 0.1, 0.1), "turn": (0.25,) * 4}
SCENARIOS = ("parts", "days", "burst", "turn")


@dataclass(frozen=True)
class Made:
    """What a round left behind."""

    adapter: str  # base64, as all that goes to the process
    state: str
    seen: frozenset[int]
    mixture: list[Any]


@dataclass
class Life:
    """What a profile would hold."""

    served: Made | None = None
    newest: Made | None = None  # refused, and gone on from
    mixtures: dict[str, list[Any]] = field(default_factory=dict)
    refused: int = 0
    rounds: int = 0
    at_round: int = 0  # tokens there were at the last round


class Year:
    """One person's text in one scenario."""

    def __init__(self, name: str, scenario: str, home: Path, threads: int, tokens: int) -> None:
        self.base = find_base(BASE)
        self.tokenizer = Tokenizer(self.base.tokenizer)
        self.scenario = scenario
        self.entries = self._text(name, tokens)
        self.settings = Settings(home=home, threads=threads, keyring=False)
        self.policy = RoundPolicy(self.settings)
        self.breaks = self.tokenizer.encode("\n")
        self.model = Model(self.base.graph, self.base.config, threads=threads)
        self.general = self._general()
        self.general_base = general_perplexity(self.model, None, self.general, self.breaks)
        self.life = Life()

    def _text(self, name: str, tokens: int) -> list[list[int]]:
        if self.scenario != "turn":
            return self._newest(name, tokens + SLICE_TOKENS)
        other = PEOPLE[(PEOPLE.index(name) + 1) % len(PEOPLE)]
        return self._newest(name, tokens // 2) + self._newest(other, tokens // 2 + SLICE_TOKENS)

    def _newest(self, name: str, tokens: int) -> list[list[int]]:
        lines = sorted(entries(name), key=lambda line: datetime.fromisoformat(line["ts"]))
        chosen, total = list[list[int]](), 0
        while lines and total < tokens:
            if ids := self.tokenizer.encode(lines.pop()["text"]):
                chosen.append(ids)
                total += len(ids)
        return chosen[::-1]

    def _general(self) -> list[list[int]]:
        text = (CORPORA / "general_peps.txt").read_text("utf-8")
        long = [" ".join(passage.split()) for passage in text.split("\n\n") if len(passage) > 300]
        ids = [self.tokenizer.encode(passage) for passage in long[:: max(1, len(long) // 40)]]
        return ids[: int(np.searchsorted(np.cumsum([*map(len, ids)]), GENERAL_TOKENS)) + 1]

    def pieces(self) -> Iterator[int]:
        """How many entries there are at each round, the last text left for the slice."""
        so_far = np.cumsum([*map(len, self.entries)])
        end = int(np.searchsorted(so_far, so_far[-1] - SLICE_TOKENS))
        if self.scenario != "days":
            for share in np.cumsum(SHARES[self.scenario]):
                yield min(int(np.searchsorted(so_far, share * so_far[end - 1])) + 1, end)
            return
        for known in range(MESSAGES_A_DAY, end, MESSAGES_A_DAY):
            tokens = int(so_far[known - 1])
            facts = RoundFacts(tokens, tokens - self.life.at_round, refused=self.life.refused)
            idle = MachineState(quiet_s=1e6, load=0.0, free_mb=8_000)
            if self.policy.decide(facts, idle, datetime(2024, 1, 1, 12)).start:
                yield known

    def play(self, joint: str) -> Iterator[dict[str, Any]]:
        """All rounds, a row each."""
        for known in self.pieces():
            row = self.round(known)
            last = sum(map(len, self.entries[known:])) < 2 * SLICE_TOKENS
            beside = self.joint(known) if joint == "all" or (joint == "last" and last) else None
            yield row | self.worth(known, row.pop("before"), beside)

    def _run(self, known: int, order: TrainRequest, state: Sequence[str] = ()) -> dict[str, Any]:
        children, result = ChildProcesses(), dict[str, Any]()
        with children.claim(TRAINING):
            lines = [*state, *self.entries[:known]]
            for event in children.follow(TRAINING, order, iter(lines), len(lines)):
                if event["event"] == "result":
                    result = event
        return result

    def joint(self, known: int) -> Made:
        """One round over all text so far."""
        order = replace(order_of(self.settings, ("en",), JOINT_BUDGET_S, 0), base=str(BASE))
        result = self._run(known, order)
        return Made(result["adapter"], "", frozenset(result["learned"]), result["mixtures"]["candidate"])

    def round(self, known: int) -> dict[str, Any]:
        """One round on the first ``known`` entries, as the service would do it."""
        life = self.life
        before, parent = life.served, life.newest or life.served
        order = replace(
            order_of(self.settings, ("en",), BUDGET_S, life.rounds),
            base=str(BASE),
            serving=before and before.adapter,
            parent=life.newest and life.newest.adapter,
            has_state=parent is not None,
            seen=sorted(parent.seen) if parent else [],
            mixtures=life.mixtures,
        )
        result = self._run(known, order, [parent.state] if parent else [])
        promoted = result["status"] == "promoted"
        seen = frozenset(result["learned"]) | (parent.seen if parent else frozenset())
        made = Made(result["adapter"], result["state"], seen, result["mixtures"]["candidate"])
        life.mixtures["base"] = result["mixtures"]["base"]
        life.newest = made if result["promising"] else None
        life.rounds += 1
        life.at_round = sum(map(len, self.entries[:known]))
        if promoted:
            life.served, life.refused = made, 0
            life.mixtures["serving"] = made.mixture
        elif not result["promising"]:
            life.refused += 1
        metrics = result["metrics"]
        return {
            "before": before,
            "tokens": life.at_round,
            "status": result["status"],
            "reason": result["reason"],
            "gain_bits": metrics["gain_bits"],
            "trained_tokens": metrics["trained_tokens"],
            "seconds": result["seconds"],
            "peak_mb": metrics["peak_mb"],
            "state_mb": round(len(base64.b64decode(result["state"])) / 1e6, 1),
        }

    def worth(self, known: int, before: Made | None, joint: Made | None) -> dict[str, Any]:
        """Bits that what serves, what served and one round over everything gain on the text written next."""
        following = cut(self.entries[known:], SLICE_TOKENS)
        memory = FastMemory(self.base.config.vocab)
        memory.add_many([np.array(ids) for ids in self.entries[:known]])
        recent = RecentText(RECENT_TOKENS, self.breaks)
        for ids in self.entries[max(0, known - 200) : known]:
            recent.add(ids)
        made = {"now": self.life.served, "before": before, "joint": joint}
        if made["before"] is made["now"]:
            made.pop("before")
        adapters = {name: self._tensors(one) for name, one in made.items() if one is not None}
        mixtures = {name: Mixture.from_json(one.mixture) for name, one in made.items() if one is not None}
        found = judge(
            self.model,
            {"base": None, **adapters},
            following,
            recent=recent,
            memory=memory,
            mixtures={"base": Mixture.from_json(self.life.mixtures["base"]), **mixtures},
            report=lambda _done: None,
        )
        bits = {name: bits_of(scores.mixed) for name, scores in found.items()}
        row: dict[str, Any] = {
            "next_tokens": sum(map(len, following)),
            "memory_bits": bits["base"],
            "served_gain": round(bits["base"] - bits.get("now", bits["base"]), 4),
        }
        if joint is not None:
            row["joint_gain"] = round(bits["base"] - bits["joint"], 4)
        if "now" in adapters:
            general = general_perplexity(self.model, adapters["now"], self.general, self.breaks)
            row["general"] = round(general / self.general_base - 1, 4)
        if "now" in adapters and "before" in made:
            former = found["before" if "before" in found else "base"].mixed
            row["worse_p"] = worse_by_chance(found["now"].mixed, former)
        return row

    def _tensors(self, made: Made) -> Any:
        return Lora.from_bytes(base64.b64decode(made.adapter), self.base.config).tensors()


def cut(texts: Sequence[list[int]], tokens: int) -> list[list[int]]:
    """The first so many tokens."""
    chosen = list[list[int]]()
    for ids in texts:
        left = tokens - sum(map(len, chosen))
        if left <= 0:
            break
        chosen.append(ids[:left])
    return chosen


def bits_of(tally: Tally) -> float:
    return round(float(np.log2(tally.perplexity)), 4)


def worse_by_chance(now: Tally, before: Tally) -> float:
    """How often chance alone would make what serves now look as much worse than what served before."""
    return decide(before, now, general_before=1, general_after=1, seed=0).p_value


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("corpora", nargs="*", default=PEOPLE, help="names; default: all")
    parser.add_argument("--scenario", choices=SCENARIOS, action="append", help="default: all of them")
    parser.add_argument("--joint", choices=("all", "last"), default="all", help="after which rounds")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--tokens", type=int, default=TOKENS, help="of the newest text")
    parser.add_argument("--result", type=Path, default=RESULT)
    asked = parser.parse_args()
    if not PEOPLE:
        sys.exit(f"Skipped: {CORPORA} is absent.")
    for name in asked.corpora:
        for scenario in asked.scenario or SCENARIOS:
            rows = list[dict[str, Any]]()
            with tempfile.TemporaryDirectory(prefix="idiolect-year-") as home:
                for row in Year(name, scenario, Path(home), asked.threads, asked.tokens).play(asked.joint):
                    rows.append(row)
                    print(json.dumps({"corpus": name, "scenario": scenario, **row}), flush=True)
            result = json.loads(asked.result.read_text()) if asked.result.exists() else {}
            result.setdefault(name, {})[scenario] = rows
            asked.result.write_text(json.dumps(result, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
