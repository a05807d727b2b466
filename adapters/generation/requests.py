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
    """How to sample, and where to stop.

    Args:
        tokens: the most to generate.
        temperature: 0 always takes the likeliest token.
        top_p: sample among the likeliest tokens that have this probability together.
        top_k: sample among so many of the likeliest tokens; 0 for all.
        seed: of the samples, or None for another text each time.
        stop: the text ends before what this matches.
        seconds: the most time to take.
    """

    tokens: int
    temperature: float = 1.0
    top_p: float = 1.0
    top_k: int = 0
    seed: int | None = None
    stop: regex.Pattern[str] | None = None
    seconds: float = math.inf


@dataclass(frozen=True)
class Piece:
    """The next part of the text."""

    text: str


@dataclass(frozen=True)
class End:
    """Why a text ended, and what it cost.

    ``reason`` is the model's own end ("eos"), a stop ("word", with the ``word``) or a "limit". ``cached_tokens`` of
    the prompt were not read again; ``truncated`` is True if the beginning of the prompt was left out.
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
    """Return a pattern of what a text ends before, None if there is nothing.

    Args:
        words: taken literally.
        suffix: what stands after the cursor; the text ends where it would repeat that.
        one_line: True if the text ends with its first line.
        indent: columns by which each further line must be indented; 0 for no such rule.
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
