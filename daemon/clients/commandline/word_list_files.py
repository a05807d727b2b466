"""Words and phrases in the files of other programs: plain lists, hunspell's and LibreOffice's, espanso's matches.

The file may be anybody's. Nothing in it is run or followed: a match of espanso that runs a command, asks or puts
something in is left out.
"""

from __future__ import annotations

import io
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Final

import typer

from idiolect.daemon.clients.commandline.arguments import read_text_file

MAX_WORDS: Final = 200_000
"""Words and phrases that are read of one file."""
_MAX_FILE_CHARS: Final = 1 << 23
_MAX_CHARS: Final = 100  # of a word or phrase
_MAX_DEPTH: Final = 20  # of the lists and mappings in a file of matches, which has five
_DIC_FLAGS: Final = re.compile(r"(?<!\\)/.*|\t.*")
_OTHERS: Final = re.compile(r"\s*[<{\[]")  # XML, HTML, JSON
_MATCHES: Final = ["matches", False]  # the path of what espanso's list of matches holds
# What is read of a match: its phrase, and what says that it puts something else there.
_KEYS: Final = {"replace", "vars", "form", "form_fields", "regex"}
_MARKS: Final = ("{{", "$|$")


@dataclass(frozen=True)
class WordList:
    """The words and phrases of a file, and how many of its parts are left out, by the reason."""

    texts: list[str]
    left_out: dict[str, int]


def read_word_list(name: str) -> WordList:
    """Return what a file of one of the known kinds holds; `-` is stdin. Raises typer.BadParameter."""
    text = read_text_file(name, _MAX_FILE_CHARS, "give it in parts").removeprefix("\ufeff")
    texts, left_out = dict[str, None](), Counter[str]()
    is_yaml = name.endswith((".yml", ".yaml"))
    for found in _read_matches(text, name, left_out) if is_yaml else _read_lines(text, name):
        each = " ".join(found.split())
        if len(each) > _MAX_CHARS:
            left_out["too long"] += 1
        elif each and each not in texts:
            if len(texts) < MAX_WORDS:
                texts[each] = None
            else:
                left_out[f"after the first {MAX_WORDS:,}"] += 1
    if not texts:
        raise typer.BadParameter(f"{name} holds no word that can be taken")
    return WordList([*texts], dict(left_out))


def _read_lines(text: str, name: str) -> Iterator[str]:
    """Yield the words of a plain list, with or without counts, of hunspell or of LibreOffice."""
    lines = io.StringIO(text, newline=None)
    first = next(lines, "").strip()
    if first == "OOoUserDict1":
        head, end, _ = text.partition("\n---")
        if not end or "type: negative" in head:
            what = "lists words that are wrong" if end else "is cut off: its head has no end"
            raise typer.BadParameter(f"{name} {what}")
        words = io.StringIO(text[len(head) + len(end) :], newline=None)
        yield from (word.partition("==")[0].replace("=", "") for word in words)
    elif _OTHERS.match(text):
        raise typer.BadParameter(f"{name} is no list of words, one a line, and no file of matches (.yml)")
    elif first.isdigit():
        yield from (_DIC_FLAGS.sub("", word).replace(r"\/", "/") for word in lines)
    else:
        yield from (line.partition("\t")[0] for line in chain([first], lines) if not line.startswith("#"))


def _read_matches(text: str, name: str, left_out: Counter[str]) -> Iterator[str]:
    """Yield the phrases of espanso's matches, `{matches: [{replace: ...}]}`. Raises typer.BadParameter."""
    import yaml  # only this command needs it

    path = list[str | bool | None]()  # of what is open: a mapping's key, None before it; False for a list
    match = dict[str, str | None]()  # None for what is no text
    try:
        for event in yaml.parse(text, yaml.CBaseLoader):
            begins = isinstance(event, yaml.CollectionStartEvent)
            if isinstance(event, yaml.AliasEvent) or (
                begins and (len(path) == _MAX_DEPTH or path[-1:] == [None])
            ):
                raise typer.BadParameter(
                    f"{name} is nested too deeply, or repeats parts of itself by aliases"
                )
            if begins:
                path.append(None if isinstance(event, yaml.MappingStartEvent) else False)
                continue
            if isinstance(event, yaml.CollectionEndEvent):
                path.pop()
            elif not isinstance(event, yaml.ScalarEvent):
                continue
            elif path[-1:] == [None]:
                path[-1] = event.value
                continue
            if path == _MATCHES:
                yield from _read_match(match, left_out)
                match = {}
            elif path[:-1] == _MATCHES and path[-1] in _KEYS:
                match[str(path[-1])] = getattr(event, "value", None)
            if path and path[-1] is not False:
                path[-1] = None
    except yaml.YAMLError:
        raise typer.BadParameter(f"{name} is no whole YAML, as espanso writes its matches") from None


def _read_match(match: dict[str, str | None], left_out: Counter[str]) -> Iterator[str]:
    """Yield the phrase of a match that holds a text alone."""
    phrase = match.pop("replace", None)
    if phrase is None or match or any(mark in phrase for mark in _MARKS):
        left_out["runs or fills in something"] += 1
    elif "\n" in phrase.strip():
        left_out["of several lines"] += 1
    else:
        yield phrase
