"""What a key does: passed on, or a word taken; what is asked and shown after it. Nothing here knows of D-Bus or HTTP.

A key that takes nothing is passed on, and the program handles it as if there were no keyboard. So no key is lost where
the service is slow or gone: there is nothing to take then.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from idiolect.daemon.key_names import ALT, BACKSPACE, DELETE, DOWN, HELD, RETURN, TAB, UP
from idiolect.daemon.keyboard import keys
from idiolect.daemon.keyboard.actions import Ask, Commit, Emptied, Fate, Show
from idiolect.daemon.keyboard.before import Before
from idiolect.daemon.keyboard.corrections import Corrections, Made
from idiolect.daemon.keyboard.offers import Offer, begins_line, begun

if TYPE_CHECKING:
    from idiolect.daemon.keyboard.actions import Action
    from idiolect.daemon.keyboard.bindings import Bindings
    from idiolect.daemon.keyboard.offers import Word
    from idiolect.daemon.keyboard.written import Written

#: With a modifier, these select all, and cut or undo.
_SELECT_ALL: Final = frozenset(map(ord, "aA"))
_CUT: Final = frozenset((*map(ord, "xXzZ"), BACKSPACE, DELETE))
#: The key that takes, pressed again so soon, is one too many: in a form it would lead to the next field.
_TOO_MANY_S: Final = 0.3
_UNDO: Final = frozenset(map(ord, "zZ"))
#: Besides letters and figures, what begins something new behind a word that was taken: a space comes before it. Not
#: `@`, which goes on with an address.
_OPENING: Final = frozenset("([{<“‘„«¿¡#")


@dataclass
class _Seen:
    """What the service offered last and the user saw: probabilities, by whole word, until they have their fate."""

    words: dict[str, float] = field(default_factory=dict)
    ghost: float | None = None


class Typing:
    """One field: what stands before its cursor, and what is offered there."""

    def __init__(self, bindings: Bindings, written: Written | None = None) -> None:
        """Begin in a field of which nothing is known yet; `written` keeps what is written there, to be learned."""
        self._bindings = bindings
        self.before = Before()
        self.written = written
        self.corrections = Corrections(self.before)
        self._offer = Offer("", (), None)
        self._shown = False
        self._selected: int | None = None
        self._hidden = False  # until the next word
        self._space_owed = False
        self._taken_in_part = False  # the ghost text that is shown is the rest of one
        self._asked: str | None = None
        self._typed_last = self._returned = False  # the last key typed a character; was Return
        self._took_s = float("-inf")  # when the last key took something, if it did
        self._seen = _Seen()

    # What comes in

    def told(self, text: str, cursor: int, anchor: int) -> list[Action]:
        """The program says what stands around the cursor."""
        self.before.tell(text, cursor, anchor)
        self.corrections.told(text[:cursor])
        emptied = self.written is not None and self.written.tell(text, cursor)
        return [*([Emptied()] if emptied else []), *self._look(), *self._correct_due()]

    def answered(self, offer: Offer) -> list[Action]:
        """The service has answered; of use only if what it was asked about still stands there."""
        if self._hidden or offer.prefix != self._prefix():
            return []
        offer = self.corrections.allowed(offer)
        going_on = self._offer.ghost if self._taken_in_part and self._offer.prefix == offer.prefix else None
        if going_on is not None and offer.ghost is None:  # who takes it word by word wants the rest of it
            self._offer = Offer(offer.prefix, offer.words, going_on)
        else:
            self._offer, self._taken_in_part = offer, False
        self._selected = None
        if self._typed_last:
            self.corrections.due = next((word for word in offer.words if word.apply), None)
        if corrected := self._correct_due():
            return corrected
        # A correction that is seen and not taken says nothing: it counts only when it is made or taken back.
        self._seen.words = {offer.label(word): word.p for word in offer.words if not word.replace}
        if offer.ghost is not None:
            self._seen.ghost = offer.ghost.p
        return self._show()

    def interrupted(self) -> list[Action]:
        """Something happened that cannot be followed: a click, another field, a program that resets."""
        self._lose()
        self._space_owed = False
        return self._end_word()

    def look_again(self) -> list[Action]:
        """From now on words are offered here: ask about what stands there."""
        self._asked = None
        return self._look()

    def moved_on(self, *, down: bool) -> list[Action]:
        """The cursor stands further down than when Return was pressed, or at the left in the same place."""
        if self._returned:
            self.before.on_new_line(down=down)
            return self._look()
        return []

    def reset(self) -> list[Action]:
        """The program reset its input."""
        self.before.reset()
        if self.written is not None and not self.before.told:
            self.written.lose()
        self._space_owed = False
        return self._end_word() if self.before.text is None else []

    def key(self, value: int, state: int) -> tuple[bool, list[Action]]:
        """A key was pressed: whether it was used up, and what is to be done. Releases are always passed on."""
        if state & keys.RELEASE or keys.is_modifier(value):
            return False, []
        made, self.corrections.made, self.corrections.due = self.corrections.made, None, None
        self._typed_last = self._returned = False
        if made is not None and value == BACKSPACE and not state & HELD and self._stands(made):
            return True, self._take_back_correction(made)
        noted = self._show() if made is not None and self._shown else []  # without the note
        took_s, self._took_s = self._took_s, float("-inf")
        again = not self._offer and self._bindings.take.fits(value, state)
        if again and time.monotonic() - took_s < _TOO_MANY_S:
            return True, noted
        used, actions = self._press(value, state)
        if made is not None and keys.is_shortcut(state) and value in _UNDO:
            actions = [*actions, self.corrections.keep(made)]
        return used, [*noted, *actions]

    def _press(self, value: int, state: int) -> tuple[bool, list[Action]]:
        if self._offer and (taken := self._take_by(value, state)) is not None:
            return True, taken
        if keys.is_shortcut(state):
            return False, self._shortcut(value)
        char = keys.character(value)
        if char is not None and char.isprintable():
            return self._type(char)
        return False, self._edit(value)

    def clicked(self, index: int) -> list[Action]:
        """A word was clicked."""
        words = self._offer.words
        if index >= len(words) or (words[index].replace and not self.corrections.certain):
            return []
        return self._take_word(index, keystrokes=1)

    # Keys that take something

    def _take_by(self, value: int, state: int) -> list[Action] | None:
        """What a key takes of what is shown; None if it takes nothing."""
        bindings, offer = self._bindings, self._offer
        if bindings.hide.fits(value, state):
            self._hidden = True
            return self._end_word()
        if bindings.take.fits(value, state):
            if value == TAB and self._selected is None and offer.ghost is None and begins_line(offer.prefix):
                return None  # it indents
            self._took_s = time.monotonic()
            if self._selected is not None or offer.ghost is None:
                return self._take_word(self._selected or 0, keystrokes=1 + (self._selected or 0))
            return self._take_ghost(whole=True)
        if bindings.take_word.fits(value, state) and offer.ghost is not None:
            return self._take_ghost(whole=False)
        if (number := keys.digit(value)) is not None and number <= len(offer.words) and self._digit(state):
            return self._take_word(number - 1, keystrokes=1)
        if state & HELD or not offer.words:
            return None
        # Down goes into the list only where a word is begun; Up leaves the line unless the list was entered.
        if value == DOWN and bindings.arrows and (begun(offer.prefix) or self._selected is not None):
            return self._move(1)
        if value == UP and self._selected is not None:
            return self._move(-1)
        if value in (RETURN, keys.KEYPAD_ENTER) and self._selected is not None:
            return self._take_word(self._selected, keystrokes=2 + self._selected)
        return None

    def _digit(self, state: int) -> bool:
        held = state & HELD
        if held == ALT:
            return True
        if held or self._bindings.digits == "alt":
            return False
        word = begun(self._offer.prefix)
        if self._bindings.digits == "always":
            return not begins_line(self._offer.prefix)
        return bool(word) and not word[-1].isdigit()  # behind another digit it goes on with a number

    def _move(self, step: int) -> list[Action]:
        count = len(self._offer.words)
        self._selected = 0 if self._selected is None else (self._selected + step) % count
        return self._show()

    def _take_word(self, index: int, *, keystrokes: int) -> list[Action]:
        if index >= len(self._offer.words):
            return self._hide()
        word = self._offer.words[index]
        if word.replace:
            return self._correct(word)
        commit = self._put(word.text, 0)
        self._seen.words.pop(self._offer.label(word), None)
        fate = Fate("word", "accepted", word.p, len(commit.text), keystrokes)
        self._space_owed = True
        return [commit, fate, *self._end_word(), *self._look()]

    def _take_ghost(self, *, whole: bool) -> list[Action]:
        ghost = self._offer.ghost
        if ghost is None:
            return []
        text = ghost.text if whole else ghost.first_word
        commit = self._put(text, 0)
        words = max(len(text.split()), 1)
        fate = Fate("ghost", "accepted", ghost.p, len(commit.text), 1, words)
        self._seen.ghost = None
        rest = Offer(self._offer.prefix + text, (), ghost.without(len(text)))
        dismissed = self._dismiss()
        self._offer, self._selected, self._hidden = rest, None, False
        self._taken_in_part = bool(rest)
        # The rest of a ghost text is no suggestion of its own: it is seen, and has had its fate.
        return [commit, fate, *dismissed, *self._show(), *self._look()]

    def _put(self, text: str, replace: int) -> Commit:
        text = f" {text}" if self._space_owed else text
        self._space_owed = False
        if replace:
            self._take_back(replace)
        self._add(text)
        return Commit(text, replace)

    # Corrections

    def _correct_due(self) -> list[Action]:
        """Make the correction that needs no asking, once it is certain that what it was offered for stands there."""
        word = self.corrections.due
        if word is None or not self.corrections.certain:
            return []
        self.corrections.due = None
        stands = word in self._offer.words and self._offer.prefix == self._prefix()
        return self._correct(word) if stands else []

    def _correct(self, word: Word) -> list[Action]:
        removed = self._offer.removed(word)
        self.corrections.replaces(word.text)
        made = Made(removed, self._put(word.text, word.replace).text)
        self._space_owed = not word.ended
        done = [Commit(word.text, word.replace), made.accepted(word.p), *self._end_word(), *self._look()]
        self.corrections.made = made
        return [*done, *self._show()]

    def _stands(self, made: Made) -> bool:
        text = self.before.text
        return self.corrections.certain and text is not None and text.endswith(made.put)

    def _take_back_correction(self, made: Made) -> list[Action]:
        self._space_owed = False
        self.corrections.replaces(made.removed)
        commit = self._put(made.removed, len(made.put))
        return [commit, self.corrections.keep(made), *self._end_word(), *self._look()]

    def refused(self) -> list[Action]:
        """What was to be replaced could not be: nobody knows what stands there."""
        self.corrections.made = None
        return self.interrupted()

    # Keys that are passed on

    def _type(self, char: str) -> tuple[bool, list[Action]]:
        """A character is typed. The space behind a word that was taken comes with the first letter of the next."""
        spaced = self._space_owed and (char.isalnum() or char in _OPENING)
        self._space_owed, self._typed_last = False, True
        self._add(f" {char}" if spaced else char)
        done: list[Action] = [Commit(f" {char}")] if spaced else []
        if char.isspace():
            done += self._end_word()
            self._hidden = False
        else:
            done += self._go_along(char)
        return spaced, [*done, *self._look()]

    def _go_along(self, char: str) -> list[Action]:
        """What is on offer and goes on with this character stays; the rest goes."""
        if not self._shown:
            return []
        left = self._offer.after(char)
        if not begun(left.prefix):
            return self._end_word()
        ghost = [] if left.ghost is not None else self._dismiss_ghost()
        self._offer, self._selected = left, None
        return [*ghost, *(self._show() if left else self._hide())]

    def _shortcut(self, value: int) -> list[Action]:
        done = self.interrupted()
        if self.written is not None and value in _SELECT_ALL:
            self.written.select_all()
        elif self.written is not None and value in _CUT:
            self.written.delete()
        return done

    def _edit(self, value: int) -> list[Action]:
        self._space_owed = False
        if value == BACKSPACE:
            self._take_back(1)
            return [*self._hide(), *self._look()]
        if value in (RETURN, keys.KEYPAD_ENTER):
            self.before.new_line()
            if self.written is not None:
                self.written.new_line()
            self._hidden, self._returned = False, True
            return self._end_word()
        if value == TAB:  # into the next field, or a tabulator in a text
            return self.interrupted()
        if keys.is_composing(value):
            self._lose()
            return self._hide()
        if value == DELETE and self.written is not None:
            self.before.lose()
            self.written.delete()
            return self._end_word()
        return self.interrupted()

    # What was written there

    def _add(self, text: str) -> None:
        self.before.add(text)
        if self.written is not None:
            self.written.add(text)

    def _take_back(self, characters: int) -> None:
        self.before.take_back(characters)
        if self.written is not None:
            self.written.take_back(characters)

    def _lose(self) -> None:
        self.before.lose()
        if self.written is not None:
            self.written.lose()

    # What goes out

    def _prefix(self) -> str | None:
        text = self.before.text
        return f"{text} " if text is not None and self._space_owed else text

    def _look(self) -> list[Action]:
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
        if self._hidden or not (prefix.strip() or (self._returned and self.before.told)):
            return stale
        # A space that is owed does not stand there yet, so nothing behind it can be replaced.
        return [*stale, Ask(prefix, self.corrections.possible and not self._space_owed)]

    def _show(self) -> list[Action]:
        offer, made = self._offer, self.corrections.made
        if not offer and made is None:
            return self._hide()
        self._shown = True
        labels = tuple(offer.label(word) for word in offer.words)
        ghost = offer.ghost.text if offer.ghost is not None else ""
        return [Show(labels, self._selected, ghost, made.note if made is not None else "")]

    def _hide(self) -> list[Action]:
        self._selected, self._taken_in_part = None, False
        self._offer = Offer("", (), None)
        if not self._shown:
            return []
        self._shown = False
        return [Show()]

    def _end_word(self) -> list[Action]:
        """The word is over, by whatever way: what was seen and not taken is dismissed."""
        dismissed = self._dismiss()
        self._asked = None
        return [*self._hide(), *dismissed]

    def _dismiss(self) -> list[Action]:
        """What was seen last and not taken."""
        ghost = self._dismiss_ghost()
        words = [Fate("word", "dismissed", p) for p in self._seen.words.values()]
        self._seen.words = {}
        return [*words, *ghost]

    def _dismiss_ghost(self) -> list[Action]:
        p, self._seen.ghost = self._seen.ghost, None
        return [] if p is None else [Fate("ghost", "dismissed", p)]
