"""Trains and measures the tagger of secrets (daemon/text/redaction/tagger.py).

`python tests/bench/secret_tagger.py` writes its weights. It learns from the sentences of tests/bench/secrets
and, as text without secrets, from the corpora beside the project. With `--choose` it writes nothing: it learns
without the half `seen` and prints after each pass how much of that half is found; by this PASSES and the other
settings below were chosen. With `--further` it begins with the weights that are there. What the tagger finds,
`python tests/bench/redaction.py` prints. It needs the packages of `pip install '.[words]'`.

In each pass each secret gets another value: passwords and passphrases are swapped, digits drawn anew, plain words
replaced by other rare ones. So the network learns where secrets stand, and none by heart. The weights that are kept
are a moving average of those of all steps (Polyak and Juditsky 1992), which errs less from run to run. Each pass also
makes sentences that have a word for a secret and none in them, with words so rare that they are odd. With the same
texts it writes the same weights; our documents and the rules' examples are among them, and they go on.
"""

from __future__ import annotations

import argparse
import copy
import json
import random
import re
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from idiolect.daemon.text.redaction import tagger
from idiolect.daemon.text.redaction.word_features import BUCKETS, WIDTH, FormedWord, features, words

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[2]
SECRETS = ROOT / "tests" / "bench" / "secrets"
CORPORA = ROOT.parent / "shared" / "corpora"
ABROAD = CORPORA / "abroad"  # what people wrote in other languages, where there is something
KINDS = ("password", "passphrase", "pin", "code")
"""What the tagger is there for; the other kinds have rules of their own."""
TAUGHT = (*KINDS, "key", "id")
"""What it learns to find: of keys and numbers of persons, those that no rule knows."""

EMBEDDING, HIDDEN = 16, 64
SEED, PASSES, BATCH, RATE, DECAY, DROPPED = 0, 8, 16, 2e-3, 1e-2, 0.25
AVERAGED = 0.999  # of the average is kept in each step
SWAPPED = 0.6  # of the secrets get another value in each pass
WHOLE = 0.5  # of the passphrases that are swapped become another one, of the others one word
UNQUOTED = 0.4  # of the quotes around a secret are left out in each pass
LOWERED = 0.1  # of the texts are in small letters in each pass
JOINED = 0.15  # of the texts have another one, without a secret, before or behind them in each pass
RARE_ZIPF, ODD_ZIPF = 4.5, 2.8
LANGUAGES = ("en", "de", "fr", "es", "it", "pt", "nl")
DIGITS, UPPER = "0123456789", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
TAKEN_BEFORE = 0.1  # of the secrets are shown as rules leave them: gone
HELD_OUT = 0.3  # of what people wrote: by it the thresholds are set
TAKEN_PER_100_KB = (0.5, 1.5)  # plain words and others of texts without secrets
SHOWN = 9_000  # texts without secrets that are learned from in a pass
ORDINARY = 6_000  # sentences with a word for a secret and without one that a pass makes
FURTHER = {"passes": 2, "rate": 6e-4}
FROM_CORPORA = 0.35  # of these go on as somebody wrote, ...
REPLACED = (0, 0.2, 0.5)  # ... and such shares of their words are replaced by others ...
UNKNOWN = 0.6  # ... of which no table has the frequency
HARD = 0.05  # a text with a word of this probability is learned from again
SENTENCES = re.compile(r"(?<![^.!?\s])[^\W\d_][^.!?\d_@#/\\<>|{}\[\]=*]{25,140}[.!?](?= |\Z)")
QUOTES = (('"', '"'), ("'", "'"), ("“", "”"), ("„", "“"), ("«", "»"), ("« ", " »"), ("‘", "’"), ("`", "`"))
EXAMPLES = ("privacy.md", "files.md", "clients.md")  # they hold examples of secrets


@dataclass(frozen=True)
class Sentence:
    """A labelled text: `secrets` are parts of it, none where it holds none."""

    kind: str
    lang: str
    text: str
    secrets: tuple[str, ...] = ()

    def labels(self, found: list[FormedWord]) -> np.ndarray:
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
    for before, folder in (("", CORPORA), ("abroad_", ABROAD)):
        for path in sorted(folder.glob("*.jsonl")):
            entries = [json.loads(line)["text"] for line in path.read_text(encoding="utf-8").splitlines()]
            texts[before + path.stem] = [
                part for text in entries for part in text.split("\n\n") if part.strip()
            ]
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
        self.phrases: dict[str, list[str]] = {}
        for one in given:
            if one.kind == "passphrase":
                self.phrases.setdefault(one.lang, []).extend(s for s in one.secrets if " " in s)
        self.around: dict[str, list[str]] = {}
        for one in given:
            if not one.secrets:
                self.around.setdefault(one.lang, []).append(one.text)
        self.rare, self.odd = (
            {
                lang: [
                    word
                    for centibels, listed in enumerate(get_frequency_list(lang, size))
                    if 9 - centibels / 100 < most
                    for word in listed
                    if word.isalpha() and len(word) > 3
                ]
                for lang in LANGUAGES
            }
            for size, most in (("small", RARE_ZIPF), ("large", ODD_ZIPF))
        )

    def __call__(self, one: Sentence) -> Sentence:
        text, secrets = one.text, []
        for secret in one.secrets:
            if self.draw.random() < (TAKEN_BEFORE if one.kind in KINDS else 0.3):
                text = text.replace(secret, "[password]")  # as rules leave it
                continue
            other = self._other(one, secret) if self.draw.random() < SWAPPED else secret
            if other in text:
                other = secret
            text = text.replace(secret, other)
            secrets.append(other)
            if self.draw.random() < UNQUOTED:
                for opening, closing in QUOTES:
                    text = text.replace(f"{opening}{other}{closing}", other)
        return self._around(replace(one, text=text, secrets=tuple(secrets)))

    def _around(self, one: Sentence) -> Sentence:
        """The text as another hand has it: in small letters, or with more around it."""
        draw, text, secrets = self.draw, one.text, one.secrets
        if draw.random() < LOWERED and len(text.lower()) == len(text):
            text, secrets = text.lower(), tuple(secret.lower() for secret in secrets)
        if draw.random() < JOINED:
            other = draw.choice(self.around[one.lang])
            if not any(secret in other for secret in secrets):
                between = draw.choice((" ", " ", "\n"))
                text = draw.choice((f"{text}{between}{other}", f"{other}{between}{text}"))
        return replace(one, text=text, secrets=secrets)

    def _other(self, one: Sentence, secret: str) -> str:
        draw = self.draw
        if one.kind in ("pin", "code") and any(map(str.isdigit, secret)):
            return "".join(char if char.islower() else self._like(char) for char in secret)
        if one.kind in ("key", "id"):
            return "".join(self._like(char) for char in secret)
        if one.kind == "password" and secret.isalpha() and (secret.islower() or secret.istitle()):
            word = draw.choice(self.rare[one.lang])
            return word if secret.islower() else word.title()
        if one.kind == "password" and not secret.isalpha():
            return draw.choice(self.passwords)
        if one.kind == "passphrase":
            if " " in secret and draw.random() < WHOLE:
                return draw.choice(self.phrases[one.lang])
            parts = secret.split(" ")
            parts[draw.randrange(len(parts))] = draw.choice(self.rare[one.lang])
            return " ".join(parts)
        return secret

    def _like(self, char: str) -> str:
        """Another character of the same sort."""
        if not char.isascii() or not char.isalnum():
            return char
        return self.draw.choice(DIGITS if char.isdigit() else UPPER if char.isupper() else UPPER.lower())


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
    if one.kind in (*TAUGHT, "none"):
        return Example(vectors, buckets, labels, np.ones_like(labels))
    return Example(vectors, buckets, np.zeros_like(labels), 1 - labels)  # found by other rules: neither nor


class Ordinary:
    """Makes sentences without a secret that have a word for one: hard ones, for they go on with odd words."""

    def __init__(self, swap: Swap, texts: dict[str, list[str]]) -> None:
        self.swap, self.draw = swap, swap.draw
        self.parts: dict[str, tuple[list[str], list[str]]] = {}  # by language: how they begin, and go on
        for line in (SECRETS / "ordinary" / "learned.txt").read_text(encoding="utf-8").splitlines():
            if line.startswith("== "):
                begins, ends = self.parts[line[3:]] = [], []
            else:
                (begins if line.startswith("> ") else ends).append(line[2:])
        self.written = {
            lang: [sentence for text in those for sentence in SENTENCES.findall(text.replace("\n", " "))]
            for lang, those in texts.items()
        }

    def __call__(self, count: int) -> list[Sentence]:
        made = []
        for _ in range(count):
            lang, (begins, ends) = self.draw.choice([*self.parts.items()])
            written = self.written.get(lang)
            begin, end = self.draw.choice(begins), self.draw.choice(ends)
            if written and self.draw.random() < FROM_CORPORA:
                end = self.draw.choice(written)
                end = end if lang == "de" or self.draw.random() < 0.3 else end[:1].lower() + end[1:]
            odd = (self.swap.odd if self.draw.random() < UNKNOWN else self.swap.rare)[lang]
            end = re.sub(r"\{\}", lambda _, odd=odd: self.draw.choice(odd), end)
            share = self.draw.choice(REPLACED)
            end = re.sub(
                r"[^\W\d_]{5,}", lambda word, odd=odd, share=share: self._other(word[0], odd, share), end
            )
            text = f"{begin} {end}" if self.draw.random() > 0.1 else f"{end} {begin.rstrip(',:;')}"
            made.append(Sentence("none", lang, text.lower() if self.draw.random() < LOWERED else text))
        return made

    def _other(self, word: str, odd: list[str], share: float) -> str:
        if self.draw.random() >= share:
            return word
        other = self.draw.choice(odd)
        return other.title() if word.istitle() else other


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

        def restore(self, weights: dict[str, np.ndarray]) -> None:
            """Take over weights that were written by :meth:`weights`."""
            with torch.no_grad():
                for name, value in self._named().items():
                    value.copy_(torch.from_numpy(weights[name].astype(np.float32)))

        def weights(self) -> dict[str, np.ndarray]:
            """By the names that Tagger.probabilities knows, in half precision."""
            return {name: value.detach().numpy().astype(np.float16) for name, value in self._named().items()}

        def _named(self) -> dict[str, Any]:
            named = {
                "embedding": self.embedding.weight,
                "in": self.first.weight.T,
                "in_bias": self.first.bias,
                "text": self.whole.weight.T,
                "text_bias": self.whole.bias,
                "mix": self.mix.weight.T,
                "mix_bias": self.mix.bias,
                "out": self.out.weight[0],
                "out_bias": self.out.bias[0],
            }
            for layer, conv in enumerate(self.convs):
                named[f"conv{layer}"] = conv.weight.permute(2, 1, 0)
                named[f"conv{layer}_bias"] = conv.bias
            return named

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


def trained(
    given: list[Sentence],
    plain: list[str],
    *,
    always: list[str],
    texts: dict[str, list[str]],
    seed: int = SEED,
    passes: int = PASSES,
    rate: float = RATE,
    begin: dict[str, np.ndarray] | None = None,
    watch: Callable[[int, Any], None] | None = None,
) -> Any:
    """A network that was shown the sentences, and texts in which nothing is a secret.

    Each pass shows all of `always` and :data:`SHOWN` of `plain`, and of these all that the network took for one a pass
    before; of `texts`, by language, sentences are made. It begins with the weights `begin` where there are some.
    `watch` is called after each pass with its number and the network as it would be kept.
    """
    import torch
    from torch.nn import functional as F

    torch.manual_seed(seed)
    draw = random.Random(seed)
    swap = Swap(given, draw)
    ordinary = Ordinary(swap, texts)
    plain = [
        text for text in plain if tagger.may_hold_one(text, words(text))
    ]  # all others are never looked at
    nothing = [example(Sentence("none", "en", text)) for text in plain]
    known = [example(Sentence("none", "en", text)) for text in always if text.strip()]
    hard: list[int] = []
    net, average = network(), network()
    if begin is not None:
        net.restore(begin)
    average.load_state_dict(net.state_dict())
    average.eval()
    optimizer = torch.optim.AdamW(net.parameters(), lr=rate, weight_decay=DECAY)
    a_pass = (len(given) + len(known) + ORDINARY + min(SHOWN, len(nothing))) // BATCH
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min(1, (step + 1) / a_pass, max(0.02, 2 * (1 - step / (passes * a_pass))))
    )
    step = 0
    for number in range(passes):
        net.train()
        drawn = draw.sample(range(len(nothing)), min(SHOWN, len(nothing)))
        shown = [nothing[place] for place in {*drawn[: SHOWN - len(hard)], *hard}]
        made = ordinary(ORDINARY)
        examples = [example(swap(one) if number else one) for one in given] + known + shown
        examples += map(example, made)
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
            step += 1
            kept = min(AVERAGED, step / (step + 10))
            with torch.no_grad():
                for mean, value in zip(average.parameters(), net.parameters(), strict=True):
                    mean.lerp_(value, 1 - kept)
        print(f"pass {number + 1} of {passes}: loss {total * BATCH / len(examples):.4f}", flush=True)
        present = tagger.Tagger({**average.weights(), "thresholds": np.ones(2)})
        hard = [
            place for place, text in enumerate(plain) if any(p > HARD for _, p in present.candidates(text))
        ]
        if watch:
            watch(number + 1, copy.deepcopy(average))
    return average


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

    sys.path.append(str(ROOT / "tests"))
    from redaction_examples import left

    misses = [text for _, text in left()]
    pages = sorted(page for page in (ROOT / "docs").glob("*.md") if page.name not in EXAMPLES)
    parts = [part for page in pages for part in page.read_text(encoding="utf-8").split("\n\n")]
    paragraphs = [part for part in parts if len(part) < 1500]
    return misses + [case.text for case in negatives()] + paragraphs


def plain_texts() -> tuple[dict[str, list[str]], list[str]]:
    """What people wrote without secrets: what is learned from, by language, and what sets the thresholds."""
    draw = random.Random(SEED)
    shown, quiet = dict[str, list[str]](), list[str]()
    for name, texts in corpora().items():
        lang = name[-2:] if name.startswith("abroad_") else "en"  # such as abroad_notes_de
        short = [text for text in texts if len(text) < 1500]
        draw.shuffle(short)
        for text in short:
            (quiet if draw.random() < HELD_OUT else shown.setdefault(lang, [])).append(text)
    return shown, quiet


def main() -> None:
    """Train and write the weights, or print what each pass finds of the half that can be seen."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--choose", action="store_true", help="learn without `seen`, and print what is found of it"
    )
    parser.add_argument("--further", action="store_true", help="begin with the weights that are there")
    asked = parser.parse_args()
    import torch

    torch.set_num_threads(1)  # sums in one order: the same weights each time
    texts, quiet = plain_texts()
    shown = [text for those in texts.values() for text in those]
    if asked.choose:
        trained(
            sentences("train"),
            shown,
            always=look_alikes(),
            texts=texts,
            watch=lambda number, net: report(number, net, quiet),
        )
        return
    begin = dict(np.load(tagger.WEIGHTS)) if asked.further else None
    further = FURTHER if asked.further else {}
    given = sentences("train") + sentences("seen")
    net = trained(given, shown, always=look_alikes(), texts=texts, begin=begin, **further)
    np.savez_compressed(tagger.WEIGHTS, **with_thresholds(net.weights(), quiet, *TAKEN_PER_100_KB))


def report(number: int, net: Any, quiet: list[str]) -> None:
    """Print how much of the half `seen` a network finds beside the rules, by kind, and what it takes of look-alikes."""
    from redaction import remains

    from idiolect.daemon.text.redaction import redact

    chosen = tagger.Tagger(with_thresholds(net.weights(), quiet, *TAKEN_PER_100_KB))
    given = sentences("seen")
    found: dict[str, list[bool]] = {}
    for one in given:
        left, count = redact.redact(one.text, tagger=chosen)
        found.setdefault(one.kind, []).append(not remains(one.secrets, left) if one.secrets else bool(count))
    prose = [hit for kind in KINDS for hit in found[kind]]
    kinds = ", ".join(f"{kind} {sum(found[kind])}/{len(found[kind])}" for kind in (*KINDS, "none"))
    print(f"  after {number}: {sum(prose)} of {len(prose)}: {kinds}", flush=True)


if __name__ == "__main__":
    main()
