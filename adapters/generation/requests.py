"""What is asked of a generator, and what it gives: prompts, how to go on from them, pieces of text, and the end."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import regex

WINDOW = 2048
"""Tokens of a prompt and of what goes on from it, together, at the most."""


@dataclass(frozen=True)
class Prompt:
    """Text to go on from, and other texts from around it, the nearest last."""

    text: str
    extra: tuple[str, ...] = ()


@dataclass(frozen=True)
class Chat:
    """A conversation to answer in: (role, content), the role "system", "user" or "assistant"."""

    messages: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class SamplingParams:
    """How to go on.

    ``temperature`` 0 always takes the likeliest token; ``top_k`` 0 chooses among all. ``alternatives`` is how many
    of the likeliest tokens to tell of. The text ends before ``stop``, and in any case after ``tokens`` or ``seconds``.
    """

    tokens: int
    temperature: float = 1.0
    top_p: float = 1.0
    top_k: int = 0
    frequency_penalty: float = 0.0
    presence_penalty: float = 0.0
    seed: int | None = None
    alternatives: int = 0
    stop: regex.Pattern[str] | None = None
    seconds: float = math.inf


@dataclass(frozen=True)
class Token:
    """A token's bytes, less what stood before the cursor; its log probability, and the likeliest tokens with theirs."""

    raw: bytes
    logprob: float
    likeliest: tuple[tuple[bytes, float], ...]


@dataclass(frozen=True)
class Piece:
    """The next part of the text, and the tokens that it came in."""

    text: str
    tokens: tuple[Token, ...]


@dataclass(frozen=True)
class End:
    """Why and at what cost a text ended: the model's own end, a stop (``word``: which one), or a limit.

    ``cached_tokens`` of the prompt were not read anew; ``truncated`` is whether its beginning was left out.
    """

    reason: Literal["eos", "word", "limit"]
    word: str
    prompt_tokens: int
    cached_tokens: int
    tokens: int
    prompt_s: float
    seconds: float
    truncated: bool


def build_stop_pattern(
    words: tuple[str, ...], *, suffix: str = "", one_line: bool = False, indent: int = 0
) -> regex.Pattern[str] | None:
    """What a text ends before: any of some words, a line's end, a line that is indented less, what comes behind it.

    Args:
        words: taken literally.
        suffix: what stands behind the cursor; the text ends where it would begin to say that, too.
        one_line: whether the text ends with its first line.
        indent: columns by which each further line must be indented.
    """
    ways = [regex.escape(word) for word in words if word]
    if behind := suffix.lstrip().partition("\n")[0].split()[:3]:
        before = r"\s+" if suffix[0].isspace() else ""
        ways.append(before + r"\s+".join(map(regex.escape, behind)) + r"(?!\w)" * behind[-1][-1].isalnum())
    if one_line:
        ways.append(r"\n")
    elif indent:
        ways.append(rf"\n(?=[ \t]{{0,{indent - 1}}}\S)")
    return regex.compile("|".join(ways)) if ways else None
