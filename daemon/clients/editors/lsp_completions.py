"""Suggestions as completions of the Language Server Protocol, and feedback on the taken ones."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, Final

from lsprotocol import types

from idiolect.daemon.session.suggest_answer import Offer, OfferedGhost
from idiolect.daemon.text.typed_text import begun

#: An editor runs this command once a suggestion was taken. Its argument holds figures, no text.
ACCEPTED: Final = "idiolect.accepted"
#: An editor runs this command once a decision was chosen. Its argument is the request's body.
DECIDED: Final = "idiolect.decided"

_MAX_CHARS: Final = 100  # of a word or phrase that can be decided about
_WORD: Final = re.compile(r"[^\W_][\w'’-]*")


def completions(
    offer: Offer, before: str, line: int, column: Callable[[int], int]
) -> list[types.CompletionItem]:
    """Return the words of an offer as items, the likeliest first; each replaces the part that was typed.

    `before` is the line up to the cursor; `column(n)` is where its `n`-th character begins in the editor's units.
    """
    typed, place = begun(before), column(len(before))
    items = []
    for rank, word in enumerate(offer.words):
        begin = len(before) - (word.replace or len(typed))
        whole = word.text if word.replace else typed + word.text
        others = [other.p for other in offer.words if other is not word]
        figures = {"kind": "word", "p": word.p, "characters": len(word.text), "keystrokes": rank + 1}
        replaced = types.Range(types.Position(line, column(begin)), types.Position(line, place))
        items.append(
            types.CompletionItem(
                label=offer.label(word),
                kind=types.CompletionItemKind.Text,
                sort_text=f"{rank:02}",
                filter_text=before[begin:] if word.replace else whole,
                text_edit=types.TextEdit(replaced, whole),
                command=types.Command("Accepted", ACCEPTED, arguments=[{**figures, "others": others}]),
            )
        )
    return items


def inline_completion(
    ghost: OfferedGhost, place: types.Position, *, show: bool
) -> types.InlineCompletionItem:
    """Return a ghost text at a place; `show`: the service would have it shown by itself."""
    figures = {
        "kind": "ghost",
        "p": ghost.p,
        "show": show,
        "characters": len(ghost.text),
        "words": len(ghost.text.split()),
    }
    return types.InlineCompletionItem(
        insert_text=ghost.text,
        range=types.Range(place, place),
        command=types.Command("Accepted", ACCEPTED, arguments=[figures]),
    )


def decisions(line: str, start: int, end: int, offered: Sequence[str]) -> list[types.CodeAction]:
    """Return the code actions *never* and *always suggest*: for the selection or the word, and the words offered last.

    `start` and `end` are the selection in `line`, in characters; equal where there is none.
    """
    chosen = line[start:end].strip()
    if not chosen:
        words = (match[0] for match in _WORD.finditer(line) if match.start() <= start <= match.end())
        chosen = next(words, "")
    here = [chosen] if chosen else []
    never = [("never", text) for text in dict.fromkeys([*here, *offered]) if len(text) <= _MAX_CHARS]
    mine = [("mine", text) for text in here if len(text) <= _MAX_CHARS]
    titles = {"never": "Never suggest “{}”", "mine": "Always suggest “{}”"}
    return [
        types.CodeAction(
            title=titles[kind].format(text),
            command=types.Command(
                titles[kind].format(text), DECIDED, arguments=[{"kind": kind, "text": text}]
            ),
        )
        for kind, text in (*never, *mine)
    ]


def feedback(figures: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the bodies for `/v1/feedback`: this suggestion was taken, the suggestions beside it were not."""
    taken = {name: value for name, value in figures.items() if name != "others"}
    dismissed = [{"kind": figures["kind"], "outcome": "dismissed", "p": p} for p in figures.get("others", ())]
    return [{**taken, "outcome": "accepted"}, *dismissed]
