"""Trains and measures the tagger of secrets (daemon/redaction/tagger.py).

`python tests/bench/secret_tagger.py` writes its weights. It learns from the sentences of tests/bench/secrets
and, as text
without secrets, from the corpora beside the project. It takes a quarter of an hour. What the tagger finds,
`python tests/bench/redaction.py` prints.

In each pass each secret gets another value: passwords are swapped, digits drawn anew, plain words replaced by
other rare ones. So the network learns where secrets stand, and none by heart.
"""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from idiolect.daemon.redaction import tagger
from idiolect.daemon.redaction.patterns import RULES
from idiolect.daemon.redaction.word_features import BUCKETS, WIDTH, Word, features, words

ROOT = Path(__file__).parents[2]
SECRETS = ROOT / "tests" / "bench" / "secrets"
CORPORA = ROOT.parent / "shared" / "corpora"
KINDS = ("password", "passphrase", "pin", "code")
"""What the tagger is there for; the other kinds have rules of their own."""

EMBEDDING, HIDDEN = 16, 64
PASSES, BATCH, RATE, DECAY, DROPPED = 10, 16, 2e-3, 1e-3, 0.25
SWAPPED = 0.6  # of the secrets get another value in each pass
RARE_ZIPF = 4.5
TAKEN_BEFORE = 0.1  # of the secrets are shown as rules leave them: gone
HELD_OUT = 0.3  # of what people wrote: by it the thresholds are set
TAKEN_PER_100_KB = (0.35, 1.0)  # plain words and others of texts without secrets
SHOWN = 9_000  # texts without secrets that are learned from, besides those that look like one
HARD = 0.05
EXAMPLES = ("privacy.md", "files.md", "clients.md")  # they hold examples of secrets


@dataclass(frozen=True)
class Sentence:
    """A labelled text: `secrets` are parts of it, none where it holds none."""

    kind: str
    lang: str
    text: str
    secrets: tuple[str, ...] = ()

    def labels(self, found: list[Word]) -> np.ndarray:
        """1 for each word that belongs to a secret, (N,) float32."""
        marked = np.zeros(len(found), np.float32)
        for secret in self.secrets:
            start = self.text.find(secret)
            while start >= 0:
                end = start + len(secret)
                marked += [word.start < end and word.end > start for word in found]
                start = self.text.find(secret, start + 1)
        return np.minimum(marked, 1)


def sentences(part: str) -> list[Sentence]:
    """The labelled sentences of a part: train, seen or unseen. A `¦` in them keeps scanners from crying leak."""
    found = []
    for path in sorted((SECRETS / part).glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            one = json.loads(line.replace("¦", ""))
            found.append(Sentence(one["kind"], one["lang"], one["text"], tuple(one["secrets"])))
    return found


def corpora() -> dict[str, list[str]]:
    """What people wrote, by who wrote it."""
    texts = {}
    for path in sorted(CORPORA.glob("*.jsonl")):
        entries = [json.loads(line)["text"] for line in path.read_text(encoding="utf-8").splitlines()]
        texts[path.stem] = [part for entry in entries for part in entry.split("\n\n") if part.strip()]
    general = (CORPORA / "general_peps.txt").read_text(encoding="utf-8")
    texts["general_peps"] = [part for part in general.split("\n\n") if part.strip()]
    return texts


# --- training ------------------------------------------------------------------------------------------------------


class Swap:
    """Gives a sentence's secrets other values of the same sort."""

    def __init__(self, given: list[Sentence], draw: random.Random) -> None:
        from wordfreq import get_frequency_list

        self.draw = draw
        self.passwords = [
            s for one in given if one.kind == "password" for s in one.secrets if not s.isalpha()
        ]
        self.rare = {
            lang: [
                word
                for centibels, listed in enumerate(get_frequency_list(lang, "small"))
                if 9 - centibels / 100 < RARE_ZIPF
                for word in listed
                if word.isalpha() and len(word) > 3
            ]
            for lang in ("en", "de", "fr", "es", "it", "pt", "nl")
        }

    def __call__(self, one: Sentence) -> Sentence:
        text, secrets = one.text, []
        for secret in one.secrets:
            if self.draw.random() < (TAKEN_BEFORE if one.kind in KINDS else 0.5):
                text = text.replace(secret, "[password]")  # as rules leave it
                continue
            other = self._other(one, secret) if self.draw.random() < SWAPPED else secret
            if other in text:
                other = secret
            text = text.replace(secret, other)
            secrets.append(other)
        return replace(one, text=text, secrets=tuple(secrets))

    def _other(self, one: Sentence, secret: str) -> str:
        draw = self.draw
        if one.kind in ("pin", "code") and any(map(str.isdigit, secret)):
            return "".join(
                draw.choice("0123456789") if char.isdigit()
                else draw.choice("ABCDEFGHJKLMNPQRSTUVWXYZ") if char.isupper()
                else char
                for char in secret
            )  # fmt: skip
        if one.kind == "password" and secret.isalpha() and (secret.islower() or secret.istitle()):
            word = draw.choice(self.rare[one.lang])
            return word if secret.islower() else word.title()
        if one.kind == "password" and not secret.isalpha():
            return draw.choice(self.passwords)
        if one.kind == "passphrase":
            parts = secret.split(" ")
            parts[draw.randrange(len(parts))] = draw.choice(self.rare[one.lang])
            return " ".join(parts)
        return secret


@dataclass(frozen=True)
class Example:
    """A text as the network is given it: features (N, width), buckets (N, 2), labels (N,), which of them count (N,)."""

    vectors: np.ndarray
    buckets: np.ndarray
    labels: np.ndarray
    counts: np.ndarray


def example(one: Sentence) -> Example:
    found = words(one.text)
    vectors, buckets = features(one.text, found)
    labels = one.labels(found)
    if one.kind in (*KINDS, "none"):
        return Example(vectors, buckets, labels, np.ones_like(labels))
    return Example(vectors, buckets, np.zeros_like(labels), 1 - labels)  # found by other rules: neither nor


def network() -> Any:
    import torch
    from torch import nn
    from torch.nn import functional as F

    class Tagger(nn.Module):
        """As Tagger.probabilities, but logits; with dropout (Srivastava et al. 2014) while it is trained."""

        def __init__(self) -> None:
            super().__init__()
            self.embedding = nn.Embedding(BUCKETS, EMBEDDING)
            self.embedding.weight.data *= 0.1
            self.first = nn.Linear(WIDTH + 2 * EMBEDDING, HIDDEN)
            self.convs = nn.ModuleList(
                nn.Conv1d(HIDDEN, HIDDEN, tagger.KERNEL, padding=far * (tagger.KERNEL // 2), dilation=far)
                for far in tagger.DILATIONS
            )
            self.whole = nn.Linear(HIDDEN, HIDDEN)
            self.mix = nn.Linear(3 * HIDDEN, HIDDEN)
            self.out = nn.Linear(HIDDEN, 1)
            self.drop = nn.Dropout(DROPPED)

        def forward(self, vectors: Any, buckets: Any, there: Any) -> Any:
            embedded = self.embedding(buckets).flatten(2)
            if self.training:  # words that were never seen are the rule
                embedded = embedded * (torch.rand((*embedded.shape[:2], 1)) > 0.15)
            alone = (
                F.gelu(self.first(torch.cat([vectors, embedded], 2)), approximate="tanh") * there[..., None]
            )
            seen = alone.transpose(1, 2)
            for conv in self.convs:
                seen = seen + F.gelu(conv(self.drop(seen)), approximate="tanh") * there[:, None]
            seen = seen.transpose(1, 2)
            most = seen.masked_fill(there[..., None] == 0, -1e9).amax(1)
            whole = F.gelu(self.whole(most), approximate="tanh")[:, None].expand_as(seen)
            both = self.mix(self.drop(torch.cat([seen, alone, whole], 2)))
            return self.out(self.drop(F.gelu(both, approximate="tanh")))[..., 0]

        def weights(self) -> dict[str, np.ndarray]:
            """By the names that Tagger.probabilities knows, in half precision."""
            named = {
                "embedding": self.embedding.weight, "in": self.first.weight.T, "in_bias": self.first.bias,
                "text": self.whole.weight.T, "text_bias": self.whole.bias, "mix": self.mix.weight.T,
                "mix_bias": self.mix.bias, "out": self.out.weight[0], "out_bias": self.out.bias[0],
            }  # fmt: skip
            for layer, conv in enumerate(self.convs):
                named[f"conv{layer}"] = conv.weight.permute(2, 1, 0)
                named[f"conv{layer}_bias"] = conv.bias
            return {name: value.detach().numpy().astype(np.float16) for name, value in named.items()}

    return Tagger()


def collated(examples: list[Example]) -> list[Any]:
    import torch

    longest = max(len(one.labels) for one in examples)

    def padded(arrays: list[np.ndarray]) -> Any:
        whole = np.zeros((len(arrays), longest, *arrays[0].shape[1:]), arrays[0].dtype)
        for row, array in enumerate(arrays):
            whole[row, : len(array)] = array
        return torch.from_numpy(whole)

    return [
        padded([one.vectors for one in examples]),
        padded([one.buckets for one in examples]),
        padded([np.ones_like(one.labels) for one in examples]),
        padded([one.labels for one in examples]),
        padded([one.counts for one in examples]),
    ]


def trained(given: list[Sentence], plain: list[str], *, seed: int = 0, passes: int = PASSES) -> Any:
    """A network that was shown the sentences, and texts in which nothing is a secret."""
    import torch
    from torch.nn import functional as F

    torch.manual_seed(seed)
    draw = random.Random(seed)
    swap = Swap(given, draw)
    nothing = [example(Sentence("none", "en", text)) for text in plain if text.strip()]
    net = network()
    optimizer = torch.optim.AdamW(net.parameters(), lr=RATE, weight_decay=DECAY)
    steps = passes * ((len(given) + len(nothing)) // BATCH + 2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=steps)
    net.train()
    for number in range(passes):
        examples = [example(swap(one) if number else one) for one in given] + nothing
        total = 0.0
        for batch in _batches(examples, draw):
            vectors, buckets, there, labels, counts = collated(batch)
            logits = net(vectors, buckets, there)
            losses = F.binary_cross_entropy_with_logits(logits, labels, reduction="none")
            loss = (losses * there * counts * (1 + labels)).sum() / there.sum()
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            total += float(loss.detach())
        print(f"pass {number + 1} of {passes}: loss {total * BATCH / len(examples):.4f}", flush=True)
    net.eval()
    return net


def _batches(examples: list[Example], draw: random.Random) -> list[list[Example]]:
    """Shuffled, texts of about one length together."""
    order = draw.sample(examples, len(examples))
    batches = []
    for start in range(0, len(order), 16 * BATCH):
        near = sorted(order[start : start + 16 * BATCH], key=lambda one: len(one.labels))
        batches += [near[at : at + BATCH] for at in range(0, len(near), BATCH)]
    draw.shuffle(batches)
    return batches


# --- thresholds and figures ----------------------------------------------------------------------------------------


def with_thresholds(
    weights: dict[str, np.ndarray], quiet: list[str], plain: float, other: float
) -> dict[str, np.ndarray]:
    """The weights, with thresholds that take so many plain and other words in 100 KB of texts without secrets."""
    net = tagger.Tagger({**weights, "thresholds": np.ones(2)})
    surest: dict[bool, list[float]] = {True: [], False: []}
    for text in quiet:
        most = {True: 0.0, False: 0.0}
        for is_plain, p in net.candidates(text):
            most[is_plain] = max(most[is_plain], p)
        for is_plain, p in most.items():
            surest[is_plain].append(p)
    size = sum(map(len, quiet)) / 1e5
    found = [
        sorted(surest[kind], reverse=True)[int(rate * size)] for kind, rate in ((True, plain), (False, other))
    ]
    return {**weights, "thresholds": np.float32(found) + np.float32(1e-6)}


def look_alikes() -> list[str]:
    """What other tests say is no secret; and our documents, which speak of passwords, keys and codes all the time."""
    from redaction import negatives

    misses = [text for rule in RULES for text in rule.misses]
    pages = sorted(page for page in (ROOT / "docs").glob("*.md") if page.name not in EXAMPLES)
    parts = [part for page in pages for part in page.read_text(encoding="utf-8").split("\n\n")]
    paragraphs = [part for part in parts if len(part) < 1500]
    return misses + [case.text for case in negatives()] + paragraphs


def main() -> None:
    """Train, or print the figures."""
    given = sentences("train") + sentences("seen")
    draw = random.Random(0)
    shown, quiet = [], []
    for texts in corpora().values():
        short = [text for text in texts if len(text) < 1500]
        draw.shuffle(short)
        for text in short:
            (quiet if draw.random() < HELD_OUT else shown).append(text)
    net = trained(given, look_alikes() + chosen(shown, draw))
    np.savez_compressed(tagger.WEIGHTS, **with_thresholds(net.weights(), quiet, *TAKEN_PER_100_KB))


def chosen(texts: list[str], draw: random.Random) -> list[str]:
    """Texts without secrets to learn from: some of each sort, and all that the present tagger half takes for one."""
    net = tagger.Tagger.load()
    hard = [text for text in texts if any(p > HARD for _, p in net.candidates(text))]
    return hard + draw.sample(texts, SHOWN)


if __name__ == "__main__":
    main()
