"""What each key does: it passes on or takes a suggestion, and what is asked and shown after it.

A key that takes nothing is passed on, and the program handles it as if there were no keyboard. So no key is lost where
the service is slow or gone: there is nothing to take then.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import Final

from idiolect.daemon.clients.keyboard import keysyms
from idiolect.daemon.clients.keyboard.corrections import FieldCorrections, Made
from idiolect.daemon.clients.keyboard.field_authorship import FieldAuthorship
from idiolect.daemon.clients.keyboard.key_outcomes import (
    AskService,
    FieldEmptied,
    InsertText,
    KeyEffect,
    ShowSuggestions,
    SuggestionOutcome,
)
from idiolect.daemon.clients.keyboard.keys import (
    ALT,
    ASK,
    BACKSPACE,
    DELETE,
    HELD,
    HIDE,
    RETURN,
    TAB,
    TAKE,
    TAKE_WORD,
)
from idiolect.daemon.clients.keyboard.suggest_answer import Offer, OfferedWord
from idiolect.daemon.clients.keyboard.text_before_cursor import TextBeforeCursor
from idiolect.daemon.text.typed_text import begun

#: With a modifier, these select all, and cut or undo.
_SELECT_ALL: Final = frozenset(map(ord, "aA"))
_CUT: Final = frozenset((*map(ord, "xXzZ"), BACKSPACE, DELETE))
#: The take key pressed again within this time is a slip: in a form it would lead to the next field.
_TOO_MANY_S: Final = 0.3
#: Nobody reads grey text within this time after a letter, or after it appears: until then Tab is the program's.
_UNREAD_S: Final = 0.15
#: Alt with a digit within this time after the words went was meant for them: it switches no tab of a browser.
_CLOSED_S: Final = 1.0
_UNDO: Final = frozenset(map(ord, "zZ"))
#: Besides letters and figures, what begins something new behind a word that was taken: a space comes before it. Not
#: `@`, which goes on with an address.
_OPENING: Final = frozenset("([{<“‘„«¿¡#")


@dataclass
class _Seen:
    """What the service offered last and the user saw: probabilities, by whole word, until they have their fate."""

    words: dict[str, float] = field(default_factory=dict)
    ghost: float | None = None


class KeyHandler:
    """One field: what stands before its cursor, and what is offered there.

    Args:
        written: keeps what is written there, to be learned; None: nothing is.
        many_lines: the field is known to have room for several lines.
    """

    def __init__(self, written: FieldAuthorship | None = None, *, many_lines: bool = False) -> None:
        """Begin in a field of which nothing else is known yet."""
        self.before = TextBeforeCursor(many_lines=many_lines)
        self.written = written
        self.corrections = FieldCorrections(self.before)
        self.characters = 0  # that were typed or taken here, less those that were taken back
        self._answer = Offer("", (), None)  # the service's last one, with words that are not shown, too
        self._offer = Offer("", (), None)  # what of it is shown
        self._open = False  # the words are, until the next word
        self._shown = False
        self._note = ""  # shown until the next key
        self._hidden = False  # until the next word
        self._space_owed = False
        self._taken_in_part = False  # the ghost text that is shown is the rest of one
        self._asked: str | None = None
        self._typed_last = self._returned = False  # the last key typed a character; was Return
        self._with_alt = False  # the last key was used up with Alt held
        self._took_s = float("-inf")  # when the last key took something, if it did
        self._typed_s = self._closed_s = float("-inf")  # when a character was typed; when words went
        self._grey, self._grey_s = (
            "",
            float("-inf"),
        )  # the text with the ghost that is shown, and when that came
        self._seen = _Seen()

    # What comes in

    def report(self, text: str, cursor: int, anchor: int) -> list[KeyEffect]:
        """The program says what stands around the cursor."""
        self.before.report(text, cursor, anchor)
        self.corrections.report(text[:cursor])
        emptied = self.written is not None and self.written.report(text, cursor)
        return [*([FieldEmptied()] if emptied else []), *self._ask(), *self._correct_due()]

    def answered(self, offer: Offer) -> list[KeyEffect]:
        """The service has answered; of use only if what it was asked about still stands there."""
        offer = self.corrections.allowed(offer)
        self.corrections.answered(offer)
        if corrected := self._correct_due():
            return corrected
        if self._hidden or offer.prefix != self._prefix():
            return []
        self._answer = offer = self._without_stray_ghost(offer)
        self._open = self._open or offer.listed
        offer = offer if self._open else replace(offer, words=())
        going_on = self._offer.ghost if self._taken_in_part and self._offer.prefix == offer.prefix else None
        if going_on is not None and offer.ghost is None:  # who takes it word by word wants the rest of it
            self._offer = Offer(offer.prefix, offer.words, going_on)
        else:
            self._offer, self._taken_in_part = offer, False
        self._see_words()
        if offer.ghost is not None:
            self._seen.ghost = offer.ghost.p
        return self._show()

    def interrupted(self) -> list[KeyEffect]:
        """Something happened that cannot be followed: a click, another field, a program that resets."""
        self._lose()
        self._space_owed = False
        return self._end_word()

    def ask_again(self) -> list[KeyEffect]:
        """From now on words are offered here: ask about what stands there."""
        self._asked = None
        return self._ask()

    def moved_on(self, *, down: bool) -> list[KeyEffect]:
        """The cursor stands further down than when Return was pressed, or at the left in the same place."""
        if self._returned:
            self.before.many_lines = self.before.many_lines or down
            self.before.on_new_line(down=down)
            return self._ask()
        return []

    def wrapped(self) -> None:
        """A letter stands at the left of the next line, since its own was full."""
        self.before.many_lines = self.before.many_lines or self._typed_last

    def reset(self) -> list[KeyEffect]:
        """The program reset its input."""
        self.before.reset()
        if self.written is not None and not self.before.reported:
            self.written.lose()
        self._space_owed = False
        return self._end_word() if self.before.text is None else []

    def key(self, value: int, state: int) -> tuple[bool, list[KeyEffect]]:
        """A key was pressed or released: whether it was used up, and what is to be done."""
        if state & keysyms.RELEASE and keysyms.is_alt(value) and self._with_alt:
            # Programs open their menu for an Alt that comes and goes without a key that they see.
            self._with_alt = False
            return True, []
        if state & keysyms.RELEASE or keysyms.is_modifier(value):
            return False, []
        made, self.corrections.made = self.corrections.made, None
        note, self._note = self._note, ""
        self._typed_last = self._returned = False
        if made is not None and value == BACKSPACE and not state & HELD and self._stands(made):
            return True, self._take_back_correction(made)
        noted = self._show() if note and self._shown else []  # without the note
        took_s, self._took_s = self._took_s, float("-inf")
        again = not self._offer and TAKE.fits(value, state)
        if again and time.monotonic() - took_s < _TOO_MANY_S:
            return True, noted
        used, actions = self._press(value, state)
        self._with_alt = used and state & HELD == ALT
        if made is not None and keysyms.is_shortcut(state) and value in _UNDO:
            actions = [*actions, self.corrections.keep(made)]
        return used, [*noted, *actions]

    def _press(self, value: int, state: int) -> tuple[bool, list[KeyEffect]]:
        if self._offer and (taken := self._take_by(value, state)) is not None:
            self.corrections.leave_ended()
            return True, taken
        if ASK.fits(value, state) and (asked := self._ask_for_words()) is not None:
            return True, asked
        if self._is_slip(value, state):
            return True, []
        if keysyms.is_shortcut(state):
            return False, self._shortcut(value)
        char = keysyms.character(value)
        if char is not None and char.isprintable():
            return self._type(char)
        return False, self._edit(value)

    def click(self, index: int) -> list[KeyEffect]:
        """A word was clicked, or the ghost text behind the words."""
        words = self._offer.words
        self.corrections.leave_ended()
        if index == len(words):
            return self._take_ghost(whole=True)
        if index > len(words) or (words[index].replace and not self.corrections.certain):
            return []
        return self._take_word(index)

    def show_note(self, note: str) -> list[KeyEffect]:
        """Tell the user something, until the next key."""
        self._note = note
        return self._show()

    def _ask_for_words(self) -> list[KeyEffect] | None:
        """Show the words that stand hidden, or the next answer's; None where none can stand."""
        prefix = self._prefix()
        if prefix is None or not prefix.strip():
            return None
        self._open = True
        if self._hidden:
            self._hidden, self._asked = False, None
            return self._ask()
        if self._answer.prefix != prefix:  # they are under way
            return []
        self._offer = replace(self._answer, ghost=self._offer.ghost)
        self._see_words()
        return self._show()

    def _see_words(self) -> None:
        """Note the words that are shown, but for corrections: one that is seen and not taken says nothing."""
        offer = self._offer
        self._seen.words = {offer.label(word): word.p for word in offer.words if not word.replace}

    # Keys that take something

    def _take_by(self, value: int, state: int) -> list[KeyEffect] | None:
        """What a key takes of what is shown; None if it takes nothing."""
        offer = self._offer
        if HIDE.fits(value, state):
            self._hidden = True
            return self._end_word()
        ghost = offer.ghost is not None and not (value == TAB and self._is_unread)
        if TAKE.fits(value, state) and ghost:
            self._took_s = time.monotonic()
            return self._take_ghost(whole=True)
        if TAKE_WORD.fits(value, state) and ghost:
            return self._take_ghost(whole=False)
        number = keysyms.digit(value) if state & HELD == ALT else None
        if number == 0 and offer.ghost is not None:
            return self._take_ghost(whole=True)
        return self._take_word(number - 1) if number and number <= len(offer.words) else None

    @property
    def _is_unread(self) -> bool:
        """Whether the grey text, or the letter before it, is too new for its user to have read it."""
        return time.monotonic() - max(self._typed_s, self._grey_s) < _UNREAD_S

    def _is_slip(self, value: int, state: int) -> bool:
        """Whether a key was meant for words that have just gone, or that are fewer."""
        if keysyms.digit(value) is None or state & HELD != ALT:
            return False
        return bool(self._offer.words) or time.monotonic() - self._closed_s < _CLOSED_S

    def _take_word(self, index: int) -> list[KeyEffect]:
        word = self._offer.words[index]
        if word.replace:
            return self._correct(word, Made(self._offer.removed(word), word.text))
        commit = self._put(word.text, 0)
        self._seen.words.pop(self._offer.label(word), None)
        fate = SuggestionOutcome("word", "accepted", word.p, len(commit.text))
        self._space_owed = True
        return [commit, fate, *self._end_word(), *self._ask()]

    def _take_ghost(self, *, whole: bool) -> list[KeyEffect]:
        ghost = self._offer.ghost
        if ghost is None:
            return []
        text = ghost.text if whole else ghost.first_word
        commit = self._put(text, 0)
        words = max(len(text.split()), 1)
        fate = SuggestionOutcome("ghost", "accepted", ghost.p, len(commit.text), 1, words)
        self._seen.ghost = None
        rest = Offer(self._offer.prefix + text, (), ghost.without(len(text)))
        dismissed = self._dismiss()
        self._offer, self._hidden, self._open = rest, False, False
        self._taken_in_part = bool(rest)
        # The rest of a ghost text is no suggestion of its own: it is seen, and has had its fate.
        return [commit, fate, *dismissed, *self._show(), *self._ask()]

    def _put(self, text: str, replace: int) -> InsertText:
        text = f" {text}" if self._space_owed else text
        self._space_owed = False
        if replace:
            self._take_back(replace)
        self._add(text)
        return InsertText(text, replace)

    # Corrections

    def _correct_due(self) -> list[KeyEffect]:
        """Make a correction that needs no asking, once it is certain that what it was offered for stands there."""
        due = self.corrections.take_due()
        return [] if due is None else self._correct(*due)

    def _correct(self, word: OfferedWord, made: Made) -> list[KeyEffect]:
        commit = self._replace(made.removed + made.typed_after, made.put + made.typed_after)
        self._space_owed, self._typed_last = not word.ended, False
        done = [commit, made.accepted(word.p), *self._end_word(), *self._ask()]
        self.corrections.made, self._note = made, made.note
        return [*done, *self._show()]

    def _replace(self, removed: str, put: str) -> InsertText:
        self.corrections.replaces(put)
        return self._put(put, len(removed))

    def _stands(self, made: Made) -> bool:
        text = self.before.text
        return self.corrections.certain and text is not None and text.endswith(made.put + made.typed_after)

    def _take_back_correction(self, made: Made) -> list[KeyEffect]:
        self._space_owed = False
        commit = self._replace(made.put + made.typed_after, made.removed + made.typed_after)
        return [commit, self.corrections.keep(made), *self._end_word(), *self._ask()]

    def refused(self) -> list[KeyEffect]:
        """What was to be replaced could not be: nobody knows what stands there."""
        self.corrections.made = None
        return self.interrupted()

    # Keys that are passed on

    def _type(self, char: str) -> tuple[bool, list[KeyEffect]]:
        """A character is typed. The space behind a word that was taken comes with the first letter of the next."""
        spaced = self._space_owed and (char.isalnum() or char in _OPENING)
        self._space_owed, self._typed_last, self._typed_s = False, True, time.monotonic()
        self._add(f" {char}" if spaced else char)
        self.corrections.typed(char)
        done: list[KeyEffect] = [InsertText(f" {char}")] if spaced else []
        if char.isspace():
            done += self._end_word()
            self._hidden = False
        else:
            done += self._go_along(char)
        return spaced, [*done, *self._ask()]

    def _go_along(self, char: str) -> list[KeyEffect]:
        """What is on offer and goes on with this character stays; the rest goes."""
        if not self._shown:
            return []
        left = self._offer.after(char)
        if not begun(left.prefix):
            return self._end_word()
        ghost = [] if left.ghost is not None else self._dismiss_ghost()
        self._offer = left
        return [*ghost, *(self._show() if left else self._hide())]

    def _shortcut(self, value: int) -> list[KeyEffect]:
        done = self.interrupted()
        if self.written is not None and value in _SELECT_ALL:
            self.written.select_all()
        elif self.written is not None and value in _CUT:
            self.written.delete()
        return done

    def _edit(self, value: int) -> list[KeyEffect]:
        self._space_owed = False
        self.corrections.leave_ended()
        if value == BACKSPACE:
            self._take_back(1)
            return [*self._hide(), *self._ask()]
        if value in (RETURN, keysyms.KEYPAD_ENTER):
            self.before.new_line()
            if self.written is not None:
                self.written.new_line()
            self._hidden, self._returned = False, True
            return self._end_word()
        if value == TAB:  # into the next field, or a tabulator in a text
            return self.interrupted()
        if keysyms.is_composing(value):
            self._lose()
            return self._hide()
        if value == DELETE and self.written is not None:
            self.before.lose()
            self.written.delete()
            return self._end_word()
        return self.interrupted()

    # What was written there

    def _add(self, text: str) -> None:
        self.characters += len(text)
        self.before.add(text)
        if self.written is not None:
            self.written.add(text)

    def _take_back(self, characters: int) -> None:
        self.characters -= characters
        self.before.take_back(characters)
        if self.written is not None:
            self.written.take_back(characters)

    def _lose(self) -> None:
        self.before.lose()
        self.corrections.leave_ended()
        if self.written is not None:
            self.written.lose()

    # What goes out

    def _prefix(self) -> str | None:
        text = None if self.before.within_word else self.before.text
        return f"{text} " if text is not None and self._space_owed else text

    def _ask(self) -> list[KeyEffect]:
        """Ask about what stands there now, if that is certain and was not asked yet."""
        prefix = self._prefix()
        if prefix is None:
            self._asked = None
            return self._hide()
        if prefix == self._asked:
            return []
        stale = self._hide() if self._shown and self._offer.prefix != prefix else []
        self._asked = prefix
        # In an empty field nothing is offered before the first key, except right behind Return.
        if self._hidden or not (prefix.strip() or (self._returned and self.before.reported)):
            return stale
        # A space that is owed does not stand there yet, so nothing behind it can be replaced.
        corrections = self.corrections.possible and not self._space_owed
        ended = corrections and self._typed_last and not begun(prefix)
        if ended:
            self.corrections.word_ended(prefix)
        return [*stale, AskService(prefix, corrections, ended, self.before.behind)]

    def _without_stray_ghost(self, offer: Offer) -> Offer:
        """An offer without grey text where Tab is to leave the field: on a line of its own, behind a whole word."""
        ghost = offer.ghost
        if ghost is None or self.before.many_lines or (begun(offer.prefix) and not ghost.text[0].isspace()):
            return offer
        return replace(offer, ghost=None)

    def _show(self) -> list[KeyEffect]:
        offer = self._offer
        if not offer and not self._note:
            return self._hide()
        self._shown = True
        ghost = offer.ghost.text if offer.ghost is not None else ""
        grey = offer.prefix + ghost if ghost else ""
        if not self._grey.startswith(grey):
            self._grey_s = time.monotonic()
        self._grey = grey
        labels = tuple(offer.label(word) for word in offer.words)
        if ghost and self._space_owed:  # it comes with what is taken
            ghost = f" {ghost}"
        return [ShowSuggestions(labels, ghost, self._note, not begun(offer.prefix))]

    def _hide(self) -> list[KeyEffect]:
        if self._offer.words:
            self._closed_s = time.monotonic()
        self._taken_in_part, self._grey = False, ""
        self._offer = Offer("", (), None)
        if not self._shown:
            return []
        self._shown = False
        return [ShowSuggestions()]

    def _end_word(self) -> list[KeyEffect]:
        """The word is over, by whatever way: what was seen and not taken is dismissed."""
        dismissed = self._dismiss()
        self._asked, self._open = None, False
        return [*self._hide(), *dismissed]

    def _dismiss(self) -> list[KeyEffect]:
        """What was seen last and not taken."""
        ghost = self._dismiss_ghost()
        words = [SuggestionOutcome("word", "dismissed", p) for p in self._seen.words.values()]
        self._seen.words = {}
        return [*words, *ghost]

    def _dismiss_ghost(self) -> list[KeyEffect]:
        p, self._seen.ghost = self._seen.ghost, None
        return [] if p is None else [SuggestionOutcome("ghost", "dismissed", p)]
