"""The questions to a generator and its answers: prompts, sampling parameters, pieces of text, and the end."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import regex

WINDOW = 2048
"""Tokens of a prompt and of what goes on from it, together, at the most."""


@dataclass(frozen=True)
class Prompt:
    """Text to continue, and other texts from around it, the nearest last."""

    text: str
    extra: tuple[str, ...] = ()


@dataclass(frozen=True)
class SamplingParams:
    """How to sample, and where to stop."""

    tokens: int  # the most to generate
    temperature: float = 1.0  # 0 always takes the likeliest token
    top_p: float = 1.0  # sample among the likeliest tokens that have this probability together
    top_k: int = 0  # sample among so many of the likeliest tokens; 0 for all
    seed: int | None = None  # None: another text each time
    stop: regex.Pattern[str] | None = None  # the text ends before what this matches
    seconds: float = math.inf  # the most time to take


@dataclass(frozen=True)
class Piece:
    """The next part of the text."""

    text: str


@dataclass(frozen=True)
class End:
    """Why a text ended, and what it cost."""

    reason: Literal["eos", "word", "limit"]  # the model's own end, a stop, or a limit
    word: str  # the stop
    prompt_tokens: int
    cached_tokens: int  # of the prompt, that were not read again
    tokens: int
    prompt_s: float
    seconds: float
    truncated: bool  # the beginning of the prompt was left out


def build_stop_pattern(
    words: tuple[str, ...], *, suffix: str = "", one_line: bool = False, indent: int = 0
) -> regex.Pattern[str] | None:
    """Return a pattern of what a text ends before, None if there is nothing.

    It ends before one of the ``words``, where it would repeat ``suffix``, which stands after the cursor, and with its
    first line (``one_line``) or the first that is not indented by ``indent`` columns.
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
