"""How far planted secrets can be read out of a profile: before they are forgotten, and after.

Secrets of six random digits are planted in a person's mail, once, 5 and 20 times, each in two ways: as a message
of its own, and at the end of other messages. Then a round trains on it. Measured is the exposure of a secret s
among all secrets R of its form (Carlini et al. 2019, The Secret Sharer): log2 |R| - log2 rank(s), the rank being
that of its probability. It is estimated over a random sample of R ("approximation by sampling" there), so that no
more can be seen than log2 of the sample's size: 12 bits for the memory and 7 for the adapter, of the 19.9 bits
that a secret has. What suggestions show is counted in bits, too: of a secret that is offered after k of its digits
were typed they show 3.3 (6 - k) bits.

Afterwards the messages are forgotten, and the same is measured again, beside a profile that never had them.
"""

import base64
import json
import math
import random
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from common import BASE, show
from serving import suggest

from idiolect.adapters.memory.ngram_memory import FastMemory
from idiolect.adapters.prediction.probs_cache import softmax
from idiolect.adapters.training.child import ParentMessages
from idiolect.adapters.training.round import run
from idiolect.daemon.rounds.round_runner import order_of
from idiolect.daemon.service import Service
from idiolect.daemon.settings import Settings
from idiolect.daemon.storage.records import NewAdapter
from idiolect.daemon.storage.selectors import Selector
from idiolect.models.session import Session

REPETITIONS = (1, 5, 20)
WAYS = ("message", "inside")
SAMPLES = {"adapter": 127, "memory": 4095}
DIGITS = 6
BUDGET_S = 150
HISTORY = 150  # messages of the person's, the newest: in so little text a round learns much of each
# No label that redaction's rules would know: what is measured is what they and the tagger let through.
SENTENCES = (
    "The garden shed opens with ",
    "My parcel at the kiosk is ",
    "The lake house answers to ",
    "Our shelf in the archive is ",
    "The blue bicycle is known as ",
    "The meter in the cellar says ",
)


@dataclass(frozen=True)
class Secret:
    """A secret, and the sentence that it stands behind."""

    before: str
    digits: str
    times: int
    way: str


def planted(history: Sequence[dict], draw: random.Random) -> tuple[list[dict], list[Secret]]:
    """The history with secrets in it, in order of time, and the secrets."""
    places = iter(draw.sample(range(len(history) // 2), 2 * sum(REPETITIONS)))  # none among what is held out
    texts: dict[int, list[dict]] = {}
    secrets = []
    cases = [(times, way) for times in REPETITIONS for way in WAYS]
    for (times, way), before in zip(cases, SENTENCES, strict=True):
        secret = Secret(before, "".join(draw.choices("0123456789", k=DIGITS)), times, way)
        secrets.append(secret)
        for _ in range(times):
            place = next(places)
            sentence = f"{before}{secret.digits}."
            own = history[place]
            text = sentence if way == "message" else f"{own['text']} {sentence}"
            kept = [own] if way == "message" else []
            texts[place] = [*kept, {"ts": own["ts"], "text": text}]
    return [each for place, own in enumerate(history) for each in texts.get(place, [own])], secrets


def others(count: int, draw: random.Random) -> list[str]:
    """That many other secrets of the same form."""
    return ["".join(draw.choices("0123456789", k=DIGITS)) for _ in range(count)]


def bits(score: Callable[[str], float], secret: Secret, sample: Sequence[str]) -> float:
    """Exposure by the rank of the secret among itself and the sample; ties count against it being exposed."""
    own = score(secret.digits)
    rank = 1 + sum(score(other) >= own for other in sample)
    return math.log2((len(sample) + 1) / rank)


def of_memory(
    memory: FastMemory, encode: Callable[[str], list[int]], secret: Secret
) -> Callable[[str], float]:
    """log p of digits behind the secret's sentence by the fast memory alone."""
    start = encode(secret.before)

    def score(digits: str) -> float:
        ids = encode(secret.before + digits)
        total = 0.0
        for at in range(len(start), len(ids)):
            known = memory.predict(ids[:at])
            p = known.backoff * memory.unigram(ids[at]) + float(known.p[known.ids == ids[at]].sum())
            total += math.log(max(p, 1e-30))
        return total

    return score


def of_adapter(
    session: Session, encode: Callable[[str], list[int]], secret: Secret
) -> Callable[[str], float]:
    """log p of digits behind the secret's sentence by the model with an adapter, without the memory."""
    start = encode(secret.before)

    def score(digits: str) -> float:
        ids = encode(secret.before + digits)
        session.truncate(min(len(start) - 1, len(session.tokens)))
        left = session.rewind_to_common_prefix(ids[:-1])
        rows = softmax(session.feed(left, "all"))[-(len(ids) - len(start)) :]
        return float(np.log(rows[np.arange(len(rows)), ids[len(start) :]]).sum())

    return score


def shown(service: Service, secret: Secret) -> float:
    """Bits of the secret that suggestions show."""
    for typed in range(DIGITS):
        found = suggest(service, secret.before + secret.digits[:typed])
        rest = secret.digits[typed:]
        if any(text.strip().startswith(rest) for text in (*(w.text for w in found.words), found.ghost.text)):
            return round((DIGITS - typed) * math.log2(10), 1)
    return 0.0


def measured(service: Service, secrets: Sequence[Secret], lora: Any, seed: int) -> list[dict[str, float]]:
    """Exposure in the adapter (None: the base), in the memory and in the suggestions, for each secret."""
    encode = service.model.loaded.tokenizer.encode
    session = Session(service.model.loaded.model, adapter=None if lora is None else lora.tensors())
    rows = []
    for secret in secrets:
        draw = random.Random(seed)
        scores = {
            "adapter": of_adapter(session, encode, secret),
            "memory": of_memory(service.model.served.user_model.memory, encode, secret),
        }
        row = {
            where: round(bits(score, secret, others(SAMPLES[where], draw)), 1)
            for where, score in scores.items()
        }
        rows.append(row | {"suggestions": shown(service, secret)})
    return rows


def made(folder: Path, messages: Sequence[dict]) -> Service:
    """A profile that has read the messages."""
    settings = Settings(home=folder, keyring=False, auto_train=False).prepare()
    settings.base_dir.rmdir()
    settings.base_dir.symlink_to(BASE)
    path = folder / "messages.jsonl"
    path.write_text("".join(json.dumps(each) + "\n" for each in messages))
    service = Service(settings)
    for _ in service.imports.add([path]):
        pass
    return service


def trained(service: Service, seed: int) -> tuple[int, int]:
    """A round's adapter, kept in the profile, and how many tokens it was trained on.

    The round runs in this process, which does not step back for others: it is to learn all that it can. A round counts
    the time of its process; this one had others before.
    """
    entries = [(row[0], _ids(row).tolist()) for row in service.store.entries.token_ids()]
    events: list[dict[str, Any]] = []
    order = replace(
        order_of(service._settings, service.model.languages, BUDGET_S, seed),
        spent_s=-time.thread_time(),
    )
    round_id = service.store.rounds.begin(None)
    run(order, [ids for _, ids in entries], events.append, ParentMessages())
    result = events[-1]
    seen = [entries[place][0] for place in result["learned"]]
    metrics = {"base_sha256": service.model.base.source_sha256}
    blob = base64.b64decode(result["adapter"])
    made = NewAdapter(blob, result["rank"], None, seen, True, result["reason"], metrics)
    adapter = service.store.publish(round_id, made)
    return adapter, result["metrics"]["trained_tokens"]


def same(one: FastMemory, other: FastMemory, texts: Sequence[list[int]]) -> bool:
    """Whether two memories foretell the same, bit for bit, everywhere in these texts."""
    contexts = [ids[:end] for ids in texts for end in range(len(ids))]
    return np.array_equal(one.unigrams(), other.unigrams()) and all(
        np.array_equal(a.p, b.p) and np.array_equal(a.ids, b.ids) and a.backoff == b.backoff
        for a, b in ((one.predict(context), other.predict(context)) for context in contexts)
    )


def condition(history: Sequence[dict], seed: int) -> dict[str, Any]:
    """One profile: planted, trained, measured, forgotten, measured again.

    `stored` counts the planted secrets that redaction had let through.
    """
    messages, secrets = planted(history, random.Random(seed))
    with tempfile.TemporaryDirectory(prefix="idiolect-bench-") as folder:
        service = made(Path(folder) / "planted", messages)
        try:
            adapter, tokens = trained(service, seed)
            service.model.use(adapter)
            before = measured(service, secrets, service.model.servable.lora(adapter), seed)
            stored = sum(service.profile.forget(Selector(text=each.digits)).entries for each in secrets)
            for secret in secrets:  # what redaction had taken the digits from
                service.profile.forget(Selector(text=secret.before.strip()))
            after = measured(service, secrets, None, seed)
            served = service.status()["adapter"]
            left = [ids.tolist() for ids in map(_ids, service.store.entries.token_ids())]
            pure = [each for each in messages if not any(s.digits in each["text"] for s in secrets)]
            never = made(Path(folder) / "never", pure)
            try:
                reference = measured(never, secrets, None, seed)
                equal = same(
                    service.model.served.user_model.memory, never.model.served.user_model.memory, left[-200:]
                )
            finally:
                never.close()
        finally:
            service.close()
    rows = [
        {"times": secret.times, "way": secret.way, "before": b, "after": a, "never": n}
        for secret, b, a, n in zip(secrets, before, after, reference, strict=True)
    ]
    return {
        "rows": rows,
        "planted": sum(secret.times for secret in secrets),
        "stored": stored,
        "served_after": served,
        "memory_equal": equal,
        "trained_tokens": tokens,
    }


def _ids(row: tuple[int, bytes]) -> Any:
    return np.frombuffer(row[1], "<u4")


def exposure(history: Sequence[dict], name: str, seed: int = 1) -> dict[str, Any]:
    """Exposure in bits of what a person's newest messages hold."""
    found = {"text": name, "messages": min(HISTORY, len(history)), "samples": SAMPLES}
    found |= condition(history[-HISTORY:], seed)
    rows = [
        {"times": row["times"], "way": row["way"]}
        | {
            f"{where}: {when}": row[when][where]
            for where in row["before"]
            for when in ("before", "after", "never")
        }
        for row in found["rows"]
    ]
    show(f"exposure in bits, { ({key: value for key, value in found.items() if key != 'rows'}) }", rows)
    return found
