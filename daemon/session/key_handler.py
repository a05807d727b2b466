"""The effect of each key: it is passed on, or takes a suggestion; then the service is asked.

A key that takes nothing is passed on, and the program handles it as if there were no keyboard. So no key is lost if the
service is slow or gone: there is nothing to take then.
"""

from __future__ import annotations

from typing import Final

from idiolect.daemon.session import keys, keysyms
from idiolect.daemon.session.choices import Choices
from idiolect.daemon.session.clock import Clock
from idiolect.daemon.session.effects import (
    AskService,
    FieldEmptied,
    InsertText,
    KeyEffect,
    MadeCorrection,
    SuggestionOutcome,
)
from idiolect.daemon.session.field_authorship import FieldAuthorship
from idiolect.daemon.session.field_text import FieldText
from idiolect.daemon.session.mending import FieldCorrections, MendedWords, mend
from idiolect.daemon.session.shown_offer import ShownOffer
from idiolect.daemon.session.slipped_keys import SlippedKeys
from idiolect.daemon.session.suggest_answer import Offer, OfferedWord
from idiolect.daemon.text.typed_text import begun

#: Besides letters and figures, what begins something new behind a word that was taken: a space comes before it. Not
#: `@`, which goes on with an address.
_OPENING: Final = frozenset("([{<“‘„«¿¡#")


class KeyHandler:
    """Handles the keys of one field.

    Args:
        clock: says when a key comes.
        choices: which key does what.
        written: the text to learn; None if nothing is learned here.
        many_lines: the field is known to have room for several lines.
        mends: sure corrections may be made by themselves in this field.
        mended: the words that were mended in this field.
        door_takes: the door takes what is shown by itself. Else the space behind a word comes with the next letter.
    """

    def __init__(
        self,
        clock: Clock,
        choices: Choices,
        written: FieldAuthorship | None = None,
        mended: MendedWords | None = None,
        *,
        many_lines: bool = False,
        mends: bool = True,
        door_takes: bool = False,
    ) -> None:
        """Begin in a field with an unknown text."""
        self.text = FieldText(written, many_lines=many_lines)
        self._choices, self._before = choices, self.text.before
        self.corrections = FieldCorrections(
            self._before, clock, mended or MendedWords(), mends=mends, only_typed=door_takes
        )
        self._answer = Offer("", (), None)  # the service's last answer, with words that are not shown, too
        self._slipped = SlippedKeys(clock)
        self.shown = ShownOffer(clock, self._slipped)
        self._hidden = False  # until the next word
        self._space_owed, self._door_takes = False, door_takes
        self._asked: str | None = None
        #: The last key typed a character; was Return; was used up with Alt held.
        self.typed_last = self._returned = self._with_alt = False

    # Keys, reports and answers

    def report(self, text: str, cursor: int, anchor: int, *, certain: bool = False) -> list[KeyEffect]:
        """Take the program's report of the text around the cursor; `certain`: it is not late."""
        emptied = self.text.report(text, cursor, anchor, certain=certain)
        undone = self.corrections.report(text[:cursor])
        return [*([FieldEmptied()] if emptied else []), *undone, *self._ask(), *self._correct_due()]

    def answered(self, offer: Offer) -> list[KeyEffect]:
        """Take the service's answer; it counts only if the text that it was asked about still stands there."""
        offer = self.corrections.allowed(offer)
        self.corrections.answered(offer)
        if corrected := self._correct_due():
            return corrected
        if self._hidden or offer.prefix != self._prefix():
            return []
        leads_on = self._choices.keys.grey.is_programs and not (self._before.many_lines or self._door_takes)
        if leads_on:  # a door that takes by itself knows what its keys do
            offer = offer.without_stray_ghost()
        self._answer = offer
        self.shown.take_answer(self.shown.listed(offer))
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
            self._before.many_lines = self._before.many_lines or down
            self._before.on_new_line(down=down)
            return self._ask()
        return []

    def wrapped(self) -> None:
        """Note that a letter was wrapped to the next line."""
        self._before.many_lines = self._before.many_lines or self.typed_last

    def reset(self) -> list[KeyEffect]:
        """Take the program's reset of its input."""
        self.text.reset()
        self._space_owed = False
        return self._end_word() if self._before.text is None else []

    def key(self, value: int, state: int) -> tuple[bool, list[KeyEffect]]:
        """Handle a pressed or released key. Return whether it was used up, and its effects."""
        if state & keysyms.RELEASE and keysyms.is_alt(value) and self._with_alt:
            # A program opens its menu for an Alt between whose press and release it sees no key.
            self._with_alt = False
            return True, []
        if state & keysyms.RELEASE or keysyms.is_modifier(value):
            return False, []
        made, self.corrections.made = self.corrections.made, None
        note = self.shown.end_note()
        self.typed_last = self._returned = False
        takes_back = value == keys.BACKSPACE and not state & keys.HELD and not self._door_takes
        if takes_back and (found := self.corrections.find_at_cursor(made)) is not None:
            return True, self.take_back_correction(found, self._before.moved_to)
        if value == keys.BACKSPACE:
            self.corrections.erase()
        noted = self._show() if note and self.shown.is_shown else []  # with another note, or none
        just_took = self._slipped.begin_key()
        again = not (self.shown.offer or self._door_takes) and self._choices.keys.grey.fits(value, state)
        if again and just_took:
            return True, noted
        used, actions = self._press(value, state)
        self._with_alt = used and state & keys.HELD == keys.ALT
        if made is not None and keysyms.is_shortcut(state) and value in keys.UNDO:
            actions = [*actions, *self.corrections.keep(made)]
        return used, [*noted, *actions]

    def _press(self, value: int, state: int) -> tuple[bool, list[KeyEffect]]:
        takes = not self._door_takes
        if takes and self.shown.offer and (taken := self._take_by(value, state)) is not None:
            self.corrections.leave_ended()
            return True, taken
        if self._choices.keys.ask.fits(value, state) and (asked := self._ask_for_words()) is not None:
            return True, asked
        if takes and self.shown.awaits_digit and self._choices.keys.number(value, state) is not None:
            return True, []  # a slip
        if keysyms.is_shortcut(state):
            return False, self._shortcut(value)
        char = keysyms.character(value)
        if char is not None and char.isprintable():
            return self._type(char)
        return False, self._edit(value)

    def click(self, index: int) -> list[KeyEffect]:
        """Take the clicked word, or the ghost text behind the words."""
        words = self.shown.offer.words
        self.corrections.leave_ended()
        if index == len(words):
            return self._take_ghost(whole=True)
        if index > len(words) or (words[index].replace and not self.corrections.certain):
            return []
        return self._take_word(index)

    def leave_word(self) -> list[KeyEffect]:
        """End the word: what is asked by now mends nothing."""
        self.corrections.leave_ended()
        return self._end_word()

    def take(self, offer: Offer) -> list[KeyEffect]:
        """Take the word of an offer, or the first word of its ghost text."""
        self.shown.offer = offer
        self.corrections.leave_ended()
        return self._take_word(0) if offer.words else self._take_ghost(whole=False)

    def hide(self) -> list[KeyEffect]:
        """Hide what is shown until the next word."""
        self._hidden = True
        return self._end_word()

    def show_note(self, note: str) -> list[KeyEffect]:
        """Show a note until the next key."""
        self.shown.note = note
        return self._show()

    def _ask_for_words(self) -> list[KeyEffect] | None:
        """Show the hidden words, or the next answer's; None where no words can be shown."""
        prefix = self._prefix()
        if prefix is None or not prefix.strip():
            return None
        self.shown.is_open = True
        if self._hidden:
            self._hidden, self._asked = False, None
            return self._ask()
        if self._answer.prefix != prefix:  # the answer is under way
            return []
        self.shown.open(self._answer)
        return self._show()

    # Keys that take something

    def _take_by(self, value: int, state: int) -> list[KeyEffect] | None:
        """Take the suggestion that a key stands for; None if it stands for none."""
        offer, chosen = self.shown.offer, self._choices.keys
        if chosen.hide.fits(value, state):
            return self.hide()
        pressed = keys.Key(value, state & keys.HELD)
        ghost = offer.ghost is not None and not self._slipped.is_unread(pressed)
        if chosen.grey.fits(value, state) and ghost:
            self._slipped.note_taken()
            return self._take_ghost(whole=True)
        if chosen.next.fits(value, state) and ghost:
            return self._take_ghost(whole=False)
        number = chosen.number(value, state)
        if number == 0 and offer.ghost is not None:
            return self._take_ghost(whole=True)
        return self._take_word(number - 1) if number and number <= len(offer.words) else None

    def _take_word(self, index: int) -> list[KeyEffect]:
        word = self.shown.offer.words[index]
        if word.replace:
            return self._correct(word, mend(self.shown.offer, word))
        commit = self._put(word.text)
        self.shown.take_word(self.shown.offer.label(word))
        outcome = SuggestionOutcome("word", "accepted", word.p, len(commit.text))
        self._space_owed = not self._door_takes
        return [commit, outcome, *self._end_word(), *self._ask()]

    def _take_ghost(self, *, whole: bool) -> list[KeyEffect]:
        ghost = self.shown.offer.ghost
        if ghost is None:
            return []
        if ghost.word is not None:
            return self._correct(ghost.word, mend(self.shown.offer, ghost.word))
        text = ghost.text if whole else ghost.first_word
        commit = self._put(text)
        words = max(len(text.split()), 1)
        outcome = SuggestionOutcome("ghost", "accepted", ghost.p, len(commit.text), 1, words)
        dismissed = self.shown.take_ghost(ghost, text)
        self._hidden = self.shown.is_open = False
        return [commit, outcome, *dismissed, *self._show(), *self._ask()]

    def _put(self, text: str, removed: str = "") -> InsertText:
        text, self._space_owed = f" {text}" if self._space_owed else text, False
        if removed:
            self.text.take_back(len(removed))
        self.text.add(text)
        return InsertText(text, len(removed), removed)

    # Corrections

    def _correct_due(self) -> list[KeyEffect]:
        """Make a sure correction, once it is certain that its word stands there."""
        if (due := self.corrections.take_due()) is None:
            return []
        return (
            self.corrections.keep(due[1]) if self.corrections.is_typed_again(due[1]) else self._correct(*due)
        )

    def _correct(self, word: OfferedWord, made: MadeCorrection) -> list[KeyEffect]:
        commit = self._replace(made.removed + made.typed_after, made.put + made.typed_after)
        self._space_owed, self.typed_last = not (self._door_takes or word.ended), False
        done = [commit, *self.corrections.make(made, word.p), *self._end_word(), *self._ask()]
        self.corrections.made = self.corrections.watched = made
        self.shown.say_mended(made)
        return [*done, *self._show()]

    def _replace(self, removed: str, put: str, told: str | None = None) -> InsertText:
        self.corrections.replaces(removed, put, told)
        return self._put(put, removed)

    def take_back_correction(self, made: MadeCorrection, told: str | None = None) -> list[KeyEffect]:
        """Take back a correction that stands before the cursor."""
        self._space_owed = False
        self.shown.say_mended(None)
        commit = self._replace(made.put + made.typed_after, made.removed + made.typed_after, told)
        return [commit, *self.corrections.keep(made), *self._end_word(), *self._ask()]

    def put_back(self, made: MadeCorrection, told: str | None = None) -> list[KeyEffect]:
        """Put a mended word back wherever it stands close before the cursor, or say that it does not.

        `told` is the text before the cursor as the program has reported it just now: there nothing was typed yet.
        """
        if (found := self.corrections.find_mended(made, told)) is None:
            return self.show_note(f"“{made.meant}” does not stand before the cursor any more.")
        return self.take_back_correction(found, told)

    def refused(self) -> list[KeyEffect]:
        """Drop a replacement that could not be made: the text is not known."""
        self.corrections.made = None
        return self.interrupted()

    # Keys that are passed on

    def _type(self, char: str) -> tuple[bool, list[KeyEffect]]:
        """Type a character. The space behind a taken word comes with the first letter of the next word."""
        spaced = self._space_owed and (char.isalnum() or char in _OPENING)
        self._space_owed, self.typed_last = False, True
        self._slipped.note_letter()
        self.text.add(f" {char}" if spaced else char)
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
        if not self.shown.is_shown:
            return []
        if not begun(self.shown.offer.prefix + char):
            return self._end_word()
        return self.shown.type(char, spaced=self._space_owed)

    def _shortcut(self, value: int) -> list[KeyEffect]:
        done = self.interrupted()
        if value in keys.SELECT_ALL:
            self.text.select_all()
        elif value in keys.CUT:
            self.text.delete()
        return done

    def _edit(self, value: int) -> list[KeyEffect]:
        self._space_owed = False
        self.corrections.leave_ended()
        if value == keys.BACKSPACE:
            self.text.take_back(1)
            return [*self.shown.hide(), *self._ask()]
        if value in (keys.RETURN, keysyms.KEYPAD_ENTER):
            self.text.new_line()
            self._hidden, self._returned = False, True
            return self._end_word()
        if keysyms.is_composing(value):
            self._lose()
            return self.shown.hide()
        if value == keys.DELETE:
            self.text.delete()
            return self._end_word()
        return self.interrupted()

    def _lose(self) -> None:
        self.text.lose()
        self.corrections.leave_ended()

    # The service and the window

    def _prefix(self) -> str | None:
        text = None if self._before.within_word else self._before.text
        return f"{text} " if text is not None and self._space_owed else text

    def _ask(self) -> list[KeyEffect]:
        """Ask about the present text, if it is certain and was not asked about yet."""
        prefix = self._prefix()
        if prefix is None:
            self._asked = None
            return self.shown.hide()
        if prefix == self._asked:
            return []
        stale = self.shown.hide() if self.shown.is_shown and self.shown.offer.prefix != prefix else []
        self._asked = prefix
        # In an empty field nothing is offered before the first key, except right behind Return.
        if self._hidden or not (prefix.strip() or (self._returned and self._before.reported)):
            return stale
        # An owed space does not stand there yet, so no text before it can be replaced.
        corrections = self.corrections.possible and not self._space_owed
        ended = corrections and self.typed_last and not begun(prefix)
        if ended:
            self.corrections.word_ended(prefix)
        return [*stale, AskService(prefix, corrections, ended, self._before.behind)]

    def _show(self) -> list[KeyEffect]:
        return self.shown.show(spaced=self._space_owed)

    def _end_word(self) -> list[KeyEffect]:
        """End the word, in whatever way: suggestions that were seen and not taken are dismissed."""
        dismissed = self.shown.dismiss()
        self._asked = None
        self.shown.is_open = False
        return [*self.shown.hide(), *dismissed]
