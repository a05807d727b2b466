"""The effect of each key: it is passed on, or takes a suggestion; then the service is asked.

A key that takes nothing is passed on, and the program handles it as if there were no keyboard. So no key is lost if the
service is slow or gone: there is nothing to take then.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from idiolect.daemon.session import keys, keysyms
from idiolect.daemon.session.clock import Clock
from idiolect.daemon.session.corrections import LEAD_CHARS, FieldCorrections
from idiolect.daemon.session.effects import (
    AskService,
    FieldEmptied,
    InsertText,
    KeyEffect,
    Made,
    SuggestionOutcome,
    WordMended,
)
from idiolect.daemon.session.field_authorship import FieldAuthorship
from idiolect.daemon.session.shown_offer import ShownOffer
from idiolect.daemon.session.suggest_answer import Offer, OfferedWord
from idiolect.daemon.session.text_before_cursor import TextBeforeCursor
from idiolect.daemon.text.typed_text import begun

#: The take key pressed again within this time is a slip: in a form it would lead to the next field.
_TOO_MANY_S: Final = 0.3
#: Besides letters and figures, what begins something new behind a word that was taken: a space comes before it. Not
#: `@`, which goes on with an address.
_OPENING: Final = frozenset("([{<“‘„«¿¡#")


class KeyHandler:
    """Handles the keys of one field.

    Args:
        clock: says when a key comes.
        written: the text to learn; None if nothing is learned here.
        many_lines: the field is known to have room for several lines.
        mends: sure corrections may be made by themselves in this field.
        kept: words whose correction was taken back in this field.
    """

    def __init__(
        self,
        clock: Clock,
        written: FieldAuthorship | None = None,
        *,
        many_lines: bool = False,
        mends: bool = True,
        kept: set[str] | None = None,
    ) -> None:
        """Begin in a field with an unknown text."""
        self.before = TextBeforeCursor(many_lines=many_lines)
        self._clock, self.written = clock, written
        self.corrections = FieldCorrections(self.before, clock, set() if kept is None else kept, mends=mends)
        self.characters = 0  # typed or taken here, less characters taken back
        self._answer = Offer("", (), None)  # the service's last answer, with words that are not shown, too
        self._shown = ShownOffer(clock)
        self._open = self._hidden = False  # words are shown, or hidden, until the next word
        self._space_owed = False
        self._asked: str | None = None
        #: The last key typed a character; was Return; was used up with Alt held.
        self._typed_last = self._returned = self._with_alt = False
        self._took_s = self._typed_s = float("-inf")  # when the last key took something; typed a character

    # Keys, reports and answers

    def report(self, text: str, cursor: int, anchor: int) -> list[KeyEffect]:
        """Take the program's report of the text around the cursor."""
        self.before.report(text, cursor, anchor)
        self.corrections.report(text[:cursor])
        emptied = self.written is not None and self.written.report(text, cursor)
        return [*([FieldEmptied()] if emptied else []), *self._ask(), *self._correct_due()]

    def answered(self, offer: Offer) -> list[KeyEffect]:
        """Take the service's answer; it counts only if the text that it was asked about still stands there."""
        offer = self.corrections.allowed(offer)
        self.corrections.answered(offer)
        if corrected := self._correct_due():
            return corrected
        if self._hidden or offer.prefix != self._prefix():
            return []
        self._answer = offer = self._without_stray_ghost(offer)
        self._open = self._open or offer.listed
        offer = offer if self._open else replace(offer, words=())
        self._shown.take_answer(offer)
        return self._show()

    def interrupted(self) -> list[KeyEffect]:
        """Drop the known text: an event cannot be followed, such as a click, another field, or a reset."""
        self._lose()
        self._space_owed = False
        return self._end_word()

    def ask_again(self) -> list[KeyEffect]:
        """Ask about the present text: from now on words are offered here."""
        self._asked = None
        return self._ask()

    def moved_on(self, *, down: bool) -> list[KeyEffect]:
        """Take the cursor's move behind Return: further down, or to the left on the same line."""
        if self._returned:
            self.before.many_lines = self.before.many_lines or down
            self.before.on_new_line(down=down)
            return self._ask()
        return []

    def wrapped(self) -> None:
        """Note that a letter was wrapped to the next line."""
        self.before.many_lines = self.before.many_lines or self._typed_last

    def reset(self) -> list[KeyEffect]:
        """Take the program's reset of its input."""
        self.before.reset()
        if self.written is not None and not self.before.reported:
            self.written.lose()
        self._space_owed = False
        return self._end_word() if self.before.text is None else []

    def key(self, value: int, state: int) -> tuple[bool, list[KeyEffect]]:
        """Handle a pressed or released key. Return whether it was used up, and its effects."""
        if state & keysyms.RELEASE and keysyms.is_alt(value) and self._with_alt:
            # A program opens its menu for an Alt between whose press and release it sees no key.
            self._with_alt = False
            return True, []
        if state & keysyms.RELEASE or keysyms.is_modifier(value):
            return False, []
        made, self.corrections.made = self.corrections.made, None
        note = self._shown.end_note()
        self._typed_last = self._returned = False
        takes_back = value == keys.BACKSPACE and not state & keys.HELD
        if made is not None and takes_back and self.corrections.stands(made):
            return True, self._take_back_correction(made)
        noted = self._show() if note and self._shown.is_shown else []  # with another note, or none
        took_s, self._took_s = self._took_s, float("-inf")
        again = not self._shown.offer and keys.TAKE.fits(value, state)
        if again and self._clock.now_s - took_s < _TOO_MANY_S:
            return True, noted
        used, actions = self._press(value, state)
        self._with_alt = used and state & keys.HELD == keys.ALT
        if made is not None and keysyms.is_shortcut(state) and value in keys.UNDO:
            actions = [*actions, *self.corrections.keep(made)]
        return used, [*noted, *actions]

    def _press(self, value: int, state: int) -> tuple[bool, list[KeyEffect]]:
        if self._shown.offer and (taken := self._take_by(value, state)) is not None:
            self.corrections.leave_ended()
            return True, taken
        if keys.ASK.fits(value, state) and (asked := self._ask_for_words()) is not None:
            return True, asked
        if self._shown.awaits_digit and state & keys.HELD == keys.ALT and keysyms.digit(value) is not None:
            return True, []  # a slip
        if keysyms.is_shortcut(state):
            return False, self._shortcut(value)
        char = keysyms.character(value)
        if char is not None and char.isprintable():
            return self._type(char)
        return False, self._edit(value)

    def click(self, index: int) -> list[KeyEffect]:
        """Take the clicked word, or the ghost text behind the words."""
        words = self._shown.offer.words
        self.corrections.leave_ended()
        if index == len(words):
            return self._take_ghost(whole=True)
        if index > len(words) or (words[index].replace and not self.corrections.certain):
            return []
        return self._take_word(index)

    def show_note(self, note: str) -> list[KeyEffect]:
        """Show a note until the next key."""
        self._shown.note = note
        return self._show()

    def _ask_for_words(self) -> list[KeyEffect] | None:
        """Show the hidden words, or the next answer's; None where no words can be shown."""
        prefix = self._prefix()
        if prefix is None or not prefix.strip():
            return None
        self._open = True
        if self._hidden:
            self._hidden, self._asked = False, None
            return self._ask()
        if self._answer.prefix != prefix:  # the answer is under way
            return []
        self._shown.open(self._answer)
        return self._show()

    # Keys that take something

    def _take_by(self, value: int, state: int) -> list[KeyEffect] | None:
        """Take the suggestion that a key stands for; None if it stands for none."""
        offer = self._shown.offer
        if keys.HIDE.fits(value, state):
            self._hidden = True
            return self._end_word()
        ghost = offer.ghost is not None and not (value == keys.TAB and self._shown.is_unread(self._typed_s))
        if keys.TAKE.fits(value, state) and ghost:
            self._took_s = self._clock.now_s
            return self._take_ghost(whole=True)
        if keys.TAKE_WORD.fits(value, state) and ghost:
            return self._take_ghost(whole=False)
        number = keysyms.digit(value) if state & keys.HELD == keys.ALT else None
        if number == 0 and offer.ghost is not None:
            return self._take_ghost(whole=True)
        return self._take_word(number - 1) if number and number <= len(offer.words) else None

    def _take_word(self, index: int) -> list[KeyEffect]:
        word = self._shown.offer.words[index]
        if word.replace:
            return self._take_correction(word)
        commit = self._put(word.text, 0)
        self._shown.take_word(self._shown.offer.label(word))
        outcome = SuggestionOutcome("word", "accepted", word.p, len(commit.text))
        self._space_owed = True
        return [commit, outcome, *self._end_word(), *self._ask()]

    def _take_correction(self, word: OfferedWord) -> list[KeyEffect]:
        lead = self._shown.offer.prefix[: -word.replace][-LEAD_CHARS:]
        return self._correct(word, Made(self._shown.offer.removed(word), word.text, lead))

    def _take_ghost(self, *, whole: bool) -> list[KeyEffect]:
        ghost = self._shown.offer.ghost
        if ghost is None:
            return []
        if ghost.word is not None:
            return self._take_correction(ghost.word)
        text = ghost.text if whole else ghost.first_word
        commit = self._put(text, 0)
        words = max(len(text.split()), 1)
        outcome = SuggestionOutcome("ghost", "accepted", ghost.p, len(commit.text), 1, words)
        dismissed = self._shown.take_ghost(ghost, text)
        self._hidden = self._open = False
        return [commit, outcome, *dismissed, *self._show(), *self._ask()]

    def _put(self, text: str, replace: int) -> InsertText:
        text, self._space_owed = f" {text}" if self._space_owed else text, False
        if replace:
            self._take_back(replace)
        self._add(text)
        return InsertText(text, replace)

    # Corrections

    def _correct_due(self) -> list[KeyEffect]:
        """Make a sure correction, once it is certain that its word stands there."""
        due = self.corrections.take_due()
        return [] if due is None else self._correct(*due)

    def _correct(self, word: OfferedWord, made: Made) -> list[KeyEffect]:
        commit = self._replace(made.removed + made.typed_after, made.put + made.typed_after)
        self._space_owed, self._typed_last = not word.ended, False
        done = [commit, made.accepted(word.p), WordMended(made), *self._end_word(), *self._ask()]
        self.corrections.made = made
        self._shown.say_mended(made)
        return [*done, *self._show()]

    def _replace(self, removed: str, put: str) -> InsertText:
        self.corrections.replaces(put)
        return self._put(put, len(removed))

    def _take_back_correction(self, made: Made) -> list[KeyEffect]:
        self._space_owed = False
        self._shown.say_mended(None)
        commit = self._replace(made.put + made.typed_after, made.removed + made.typed_after)
        return [commit, *self.corrections.keep(made), *self._end_word(), *self._ask()]

    def put_back(self, made: Made, told: str | None = None) -> list[KeyEffect]:
        """Put a mended word back wherever it stands close before the cursor, or say that it does not.

        `told` is the text before the cursor as the program has reported it just now: there nothing was typed yet.
        """
        if (found := self.corrections.find_mended(made, told)) is None:
            return self.show_note(f"“{made.meant}” does not stand before the cursor any more.")
        return self._take_back_correction(found)

    def refused(self) -> list[KeyEffect]:
        """Drop a replacement that could not be made: the text is not known."""
        self.corrections.made = None
        return self.interrupted()

    # Keys that are passed on

    def _type(self, char: str) -> tuple[bool, list[KeyEffect]]:
        """Type a character. The space behind a taken word comes with the first letter of the next word."""
        spaced = self._space_owed and (char.isalnum() or char in _OPENING)
        self._space_owed, self._typed_last, self._typed_s = False, True, self._clock.now_s
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
        """Keep the suggestions that go on with this character."""
        if not self._shown.is_shown:
            return []
        if not begun(self._shown.offer.prefix + char):
            return self._end_word()
        return self._shown.type(char, spaced=self._space_owed)

    def _shortcut(self, value: int) -> list[KeyEffect]:
        done = self.interrupted()
        if self.written is not None and value in keys.SELECT_ALL:
            self.written.select_all()
        elif self.written is not None and value in keys.CUT:
            self.written.delete()
        return done

    def _edit(self, value: int) -> list[KeyEffect]:
        self._space_owed = False
        self.corrections.leave_ended()
        if value == keys.BACKSPACE:
            self._take_back(1)
            return [*self._shown.hide(), *self._ask()]
        if value in (keys.RETURN, keysyms.KEYPAD_ENTER):
            self.before.new_line()
            if self.written is not None:
                self.written.new_line()
            self._hidden, self._returned = False, True
            return self._end_word()
        if keysyms.is_composing(value):
            self._lose()
            return self._shown.hide()
        if value == keys.DELETE and self.written is not None:
            self.before.lose()
            self.written.delete()
            return self._end_word()
        return self.interrupted()

    # The text

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

    # The service and the window

    def _prefix(self) -> str | None:
        text = None if self.before.within_word else self.before.text
        return f"{text} " if text is not None and self._space_owed else text

    def _ask(self) -> list[KeyEffect]:
        """Ask about the present text, if it is certain and was not asked about yet."""
        prefix = self._prefix()
        if prefix is None:
            self._asked = None
            return self._shown.hide()
        if prefix == self._asked:
            return []
        stale = self._shown.hide() if self._shown.is_shown and self._shown.offer.prefix != prefix else []
        self._asked = prefix
        # In an empty field nothing is offered before the first key, except right behind Return.
        if self._hidden or not (prefix.strip() or (self._returned and self.before.reported)):
            return stale
        # An owed space does not stand there yet, so no text before it can be replaced.
        corrections = self.corrections.possible and not self._space_owed
        ended = corrections and self._typed_last and not begun(prefix)
        if ended:
            self.corrections.word_ended(prefix)
        return [*stale, AskService(prefix, corrections, ended, self.before.behind)]

    def _without_stray_ghost(self, offer: Offer) -> Offer:
        """Return the offer without a ghost text that would keep Tab in a field of one line, behind a whole word."""
        ghost = offer.ghost
        if ghost is None or self.before.many_lines or (begun(offer.prefix) and not ghost.text[0].isspace()):
            return offer
        return replace(offer, ghost=None)

    def _show(self) -> list[KeyEffect]:
        return self._shown.show(spaced=self._space_owed)

    def _end_word(self) -> list[KeyEffect]:
        """End the word, in whatever way: suggestions that were seen and not taken are dismissed."""
        dismissed = self._shown.dismiss()
        self._asked, self._open = None, False
        return [*self._shown.hide(), *dismissed]
