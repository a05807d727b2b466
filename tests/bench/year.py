"""A year of learning, played through for real people's text: every round, its verdict, and what it was worth.

``python tests/bench/year.py [CORPUS...]`` lays the newest messages of each corpus (``../shared/corpora`` beside the
checkout) over a year. A simulated clock goes through it by the hour; the service's own schedule says when a round is
due, and the service's own training process runs it, from the adapter that serves. After each round what serves, and
what served before, predict the next slice of text, which nothing has learned from, and general text that is not the
program's own (``general_peps.txt``). Rows go into ``docs/year.json`` as they come.

Settings are the defaults but for the round's budget, shorter so that a year takes minutes, and for the text that makes
a round due: the same share of each year's, so that there are more of them.
"""

import argparse
import base64
import json
import sys
import tempfile
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from common import BASE, CORPORA, PEOPLE, ROOT, entries

from idiolect.adapters.memory.corpus import RECENT_TOKENS, RecentText
from idiolect.adapters.memory.ngram_memory import FastMemory
from idiolect.adapters.prediction.mixture import Mixture
from idiolect.adapters.training.gate import AdapterScores, decide, general_perplexity, judge
from idiolect.adapters.training.lora import Lora
from idiolect.daemon.rounds.round_policy import MachineState, RoundFacts, RoundPolicy
from idiolect.daemon.rounds.round_runner import TRAINING, order_of
from idiolect.daemon.rounds.round_tuning import RoundTuning
from idiolect.daemon.runtime.child_processes import ChildProcesses
from idiolect.daemon.settings import Settings
from idiolect.models.build import find_base
from idiolect.models.session import Model
from idiolect.models.tokenizer import Tokenizer

RESULT = ROOT / "docs" / "year.json"
YEAR = timedelta(days=365)
TOKENS = 80_000  # of the newest text
DUE_SHARE = 3_500 / 80_000  # of the year's text is new when a round is due
BUDGET_S = 60.0
SLICE_TOKENS = 900  # written after a round, that it is judged by here
GENERAL_TOKENS = 1_500


@dataclass
class Entry:
    at: datetime
    ids: list[int]


@dataclass
class Life:
    """What a profile would hold, and what its adapter makes of general text."""

    general: float
    adapter: Lora | None = None
    challenger: Lora | None = None  # refused, and gone on from
    seen: frozenset[int] = frozenset()  # places of the entries that the adapter was trained on
    challenger_seen: frozenset[int] = frozenset()
    mixtures: dict[str, list[Any]] = field(default_factory=dict)
    refused: int = 0
    at_round: int = 0  # tokens there were at the last round
    used: dict[str, float] = field(default_factory=dict)  # seconds by day


class Year:
    """One person's."""

    def __init__(self, name: str, home: Path, threads: int, tokens: int) -> None:
        self.name = name
        self.base = find_base(BASE)
        self.tokenizer = Tokenizer(self.base.tokenizer)
        self.entries = self._entries(tokens)
        due = round(DUE_SHARE * sum(len(entry.ids) for entry in self.entries))
        self.settings = Settings(home=home, threads=threads, keyring=False)
        self.tuning = RoundTuning(round_s=BUDGET_S, train_every_tokens=due)
        self.breaks = self.tokenizer.encode("\n")
        self.model = Model(self.base.graph, self.base.config, threads=threads)
        self.general = self._general()
        self.general_base = general_perplexity(self.model, None, self.general, self.breaks)
        self.life = Life(general=self.general_base)

    def _general(self) -> list[list[int]]:
        text = (CORPORA / "general_peps.txt").read_text("utf-8")
        long = [" ".join(passage.split()) for passage in text.split("\n\n") if len(passage) > 300]
        ids = [self.tokenizer.encode(passage) for passage in long[:: max(1, len(long) // 40)]]
        chosen: list[list[int]] = []
        while sum(map(len, chosen)) < GENERAL_TOKENS:
            chosen.append(ids[len(chosen)])
        return chosen

    def _entries(self, tokens: int) -> list[Entry]:
        """The newest so many tokens, or all that there are, laid over a year."""
        lines = sorted(entries(self.name), key=lambda line: line["ts"])
        coded = [(datetime.fromisoformat(line["ts"]), self.tokenizer.encode(line["text"])) for line in lines]
        first, total = len(coded), 0
        while first > 0 and total < tokens:
            first -= 1
            total += len(coded[first][1])
        coded = coded[first:]
        start, span = coded[0][0], coded[-1][0] - coded[0][0]
        return [Entry(start + (at - start) * (YEAR / span), ids) for at, ids in coded if ids]

    def play(self) -> list[dict]:
        """All rounds of the year."""
        schedule, rows = RoundPolicy(self.settings, self.tuning), list[dict]()
        now, known = self.entries[0].at, 0
        while now < self.entries[-1].at:
            now += timedelta(hours=1)
            while known < len(self.entries) and self.entries[known].at <= now:
                known += 1
            tokens = sum(len(entry.ids) for entry in self.entries[:known])
            day = now.date().isoformat()
            facts = RoundFacts(
                tokens=tokens,
                new_tokens=tokens - self.life.at_round,
                refused=self.life.refused,
                used_today_s=self.life.used.get(day, 0.0),
            )
            quiet_s = (now - self.entries[known - 1].at).total_seconds()
            if schedule.decide(facts, MachineState(quiet_s=quiet_s, load=0.0, free_mb=8_000), now).start:
                rows.append({"day": (now - self.entries[0].at).days} | self.round(known, tokens, day))
                print(json.dumps({"corpus": self.name} | rows[-1]), flush=True)
        return rows

    def round(self, known: int, tokens: int, day: str) -> dict:
        """One round on the first ``known`` entries, and what it is worth on the next slice."""
        life = self.life
        before, challenger = life.adapter, life.challenger
        seen = life.seen if challenger is None else life.challenger_seen
        order = replace(
            order_of(self.settings, ("en",), None, tokens, self.tuning),
            base=str(BASE),
            serving=_coded(before),
            challenger=_coded(challenger),
            seen=sorted(seen),
            mixtures=life.mixtures,
        )
        lines = (entry.ids for entry in self.entries[:known])
        children, result = ChildProcesses(), dict[str, Any]()
        with children.claim(TRAINING):
            for event in children.follow(TRAINING, order, lines, known):
                if event["event"] == "result":
                    result = event
        life.at_round = tokens
        life.used[day] = life.used.get(day, 0.0) + result["seconds"]
        life.mixtures["base"] = result["mixtures"]["base"]
        promoted = result["status"] == "promoted"
        if not result["promising"]:
            life.refused = 0 if promoted else life.refused + 1
        made = Lora.from_bytes(base64.b64decode(result["adapter"]), self.base.config)
        seen |= set(result["learned"])
        life.challenger, life.challenger_seen = (made, seen) if result["promising"] else (None, frozenset())
        if promoted:
            life.adapter, life.seen = made, seen
            life.mixtures["serving"] = result["mixtures"]["candidate"]
        metrics = result["metrics"]
        return {
            "tokens": tokens,
            "status": result["status"],
            "reason": result["reason"],
            "gain_bits": metrics["gain_bits"],
            "trained_tokens": metrics["trained_tokens"],
            "seconds": result["seconds"],
        } | self.worth(known, before, promoted=promoted)

    def worth(self, known: int, before: Lora | None, *, promoted: bool) -> dict:
        """Perplexity of the text written next, by base, memory, adapter and both, and of general text."""
        memory = FastMemory(self.base.config.vocab)
        memory.add_many([np.array(entry.ids) for entry in self.entries[:known]])
        recent = RecentText(RECENT_TOKENS, self.breaks)
        for entry in self.entries[max(0, known - 200) : known]:
            recent.add(entry.ids)
        following, count = [], 0
        for entry in self.entries[known:]:
            if count >= SLICE_TOKENS:
                break
            following.append(entry.ids[: SLICE_TOKENS - count])
            count += len(following[-1])
        now = self.life.adapter
        adapters = {"base": None} | ({"now": now.tensors()} if now else {})
        if promoted and before is not None:
            adapters["before"] = before.tensors()
        known_as = {"base": "base", "now": "serving", "before": "serving"}
        mixtures = {
            name: Mixture.from_json(self.life.mixtures[known_as[name]])
            if known_as[name] in self.life.mixtures
            else Mixture()
            for name in adapters
        }
        found = judge(
            self.model,
            adapters,
            following,
            recent=recent,
            memory=memory,
            mixtures=mixtures,
            report=lambda _done: None,
        )
        if now is not None and promoted:
            self.life.general = general_perplexity(self.model, now.tensors(), self.general, self.breaks)
        both = found.get("now", found["base"])
        row = {
            "next_tokens": count,
            "base": round(found["base"].alone.perplexity, 2),
            "memory": round(found["base"].mixed.perplexity, 2),
            "adapter": round(both.alone.perplexity, 2),
            "both": round(both.mixed.perplexity, 2),
            "general": round(self.life.general / self.general_base - 1, 4),
        }
        former = found.get("before", found["base"] if promoted else None)
        if former is not None:
            row |= {"before": round(former.mixed.perplexity, 2), "worse_p": self._worse(both, former)}
        return row

    @staticmethod
    def _worse(now: AdapterScores, before: AdapterScores) -> float:
        """How often chance alone would make what serves now look as much worse than what served before."""
        verdict = decide(before.mixed, now.mixed, general_before=1, general_after=1, tolerance=1)
        return verdict.p_value


def _coded(adapter: Lora | None) -> str | None:
    return None if adapter is None else base64.b64encode(adapter.to_bytes()).decode()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("corpora", nargs="*", default=PEOPLE, help="names; default: all")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--tokens", type=int, default=TOKENS, help="of the newest text")
    asked = parser.parse_args()
    if not PEOPLE:
        sys.exit(f"Skipped: {CORPORA} is absent.")
    for name in asked.corpora:
        with tempfile.TemporaryDirectory(prefix="idiolect-year-") as home:
            rows = Year(name, Path(home), asked.threads, asked.tokens).play()
        result = json.loads(RESULT.read_text()) if RESULT.exists() else {}
        result[name] = rows
        RESULT.write_text(json.dumps(result, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
