"""Words and phrases in the files of other programs: plain lists, hunspell's and LibreOffice's, espanso's matches.

The file may be anybody's. Nothing in it is run or followed: a match of espanso that runs a command, asks or puts
something in is left out.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import typer

from idiolect.daemon.clients.commandline.arguments import read_text_file

MAX_WORDS: Final = 10_000
"""Words and phrases that the service takes from one file."""
_MAX_FILE_CHARS: Final = 1 << 19
_MAX_CHARS: Final = 100  # of a word or phrase
_MAX_DEPTH: Final = 20  # of the lists and mappings in a file of matches, which has five
_TOO_LARGE: Final = "a list of words of one's own is shorter"
_DIC_FLAGS: Final = re.compile(r"(?<!\\)/.*|\t.*")
_OTHERS: Final = re.compile(r"\s*[<{\[]")  # XML, HTML, JSON
_FILLED_IN: Final = ("vars", "form", "form_fields", "regex")  # what makes a match another than its text
_MARKS: Final = ("{{", "$|$")


@dataclass(frozen=True)
class WordList:
    """The words and phrases of a file, and how many of its parts are left out, by the reason."""

    texts: list[str]
    left_out: dict[str, int]


def read_word_list(name: str) -> WordList:
    """Return what a file of one of the known kinds holds; `-` is stdin. Raises typer.BadParameter."""
    text = read_text_file(name, _MAX_FILE_CHARS, _TOO_LARGE).removeprefix("\ufeff")
    left_out = Counter[str]()
    if name.endswith((".yml", ".yaml")):
        found = list(_read_matches(_parse_yaml(text, name), left_out))
    else:
        found = _read_lines(text.splitlines(), name)
    texts = [text for each in dict.fromkeys(found) if (text := " ".join(each.split()))]
    short = [text for text in texts if len(text) <= _MAX_CHARS]
    left_out["too long"] += len(texts) - len(short)
    if len(short) > MAX_WORDS:
        raise typer.BadParameter(f"{name} holds more than {MAX_WORDS:,} words; {_TOO_LARGE}")
    if not short:
        raise typer.BadParameter(f"{name} holds no word that can be taken")
    return WordList(short, dict(+left_out))


def _read_lines(lines: list[str], name: str) -> list[str]:
    """Return the words of a plain list, with or without counts, of hunspell or of LibreOffice."""
    first = lines[0].strip() if lines else ""
    if first == "OOoUserDict1":
        if "---" not in lines or "type: negative" in lines:
            what = "lists words that are wrong" if "---" in lines else "is cut off: its head has no end"
            raise typer.BadParameter(f"{name} {what}")
        words = lines[lines.index("---") + 1 :]
        return [word.partition("==")[0].replace("=", "") for word in words]
    if _OTHERS.match(first):
        raise typer.BadParameter(f"{name} is no list of words, one a line, and no file of matches (.yml)")
    if first.isdigit():
        return [_DIC_FLAGS.sub("", word).replace(r"\/", "/") for word in lines[1:]]
    return [line.partition("\t")[0] for line in lines if not line.startswith("#")]


def _parse_yaml(text: str, name: str) -> Any:
    """Return what a YAML text holds, all of it strings, lists and dicts. Raises typer.BadParameter."""
    import yaml  # only this command needs it

    depth = 0
    try:
        for event in yaml.parse(text, yaml.CBaseLoader):
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > _MAX_DEPTH or isinstance(event, yaml.AliasEvent):
                raise typer.BadParameter(
                    f"{name} is nested too deeply, or repeats parts of itself by aliases"
                )
        return yaml.CBaseLoader(text).get_single_data()
    except yaml.YAMLError:
        raise typer.BadParameter(f"{name} is no whole YAML, as espanso writes its matches") from None


def _read_matches(content: Any, left_out: Counter[str]) -> Iterator[str]:
    """Yield the phrases of espanso's matches."""
    matches = content.get("matches") if isinstance(content, dict) else None
    for match in matches if isinstance(matches, list) else ():
        phrase = match.get("replace") if isinstance(match, dict) else None
        if (
            not isinstance(phrase, str)
            or any(key in match for key in _FILLED_IN)
            or any(mark in phrase for mark in _MARKS)
        ):
            left_out["runs or fills in something"] += 1
        elif "\n" in phrase.strip():
            left_out["of several lines"] += 1
        else:
            yield phrase
