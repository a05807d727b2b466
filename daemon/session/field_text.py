"""The text of a field, as its keys change it: what stands before the cursor, and which of it its user has written."""

from __future__ import annotations

from idiolect.daemon.session.field_authorship import FieldAuthorship
from idiolect.daemon.session.text_before_cursor import TextBeforeCursor


class FieldText:
    """The text of one field.

    Attributes:
        before: what stands before the cursor, as far as it is known.
        written: what is learned of it; None if nothing is learned here.
        characters: typed or taken here, less characters taken back.
    """

    def __init__(self, written: FieldAuthorship | None, *, many_lines: bool) -> None:
        """Begin with an unknown text; `many_lines`: there is room for several."""
        self.before, self.written = TextBeforeCursor(many_lines=many_lines), written
        self.characters = 0

    def report(self, text: str, cursor: int, anchor: int, *, certain: bool) -> bool:
        """Take the program's report of the text around the cursor. Return whether its user's text has gone."""
        self.before.report(text, cursor, anchor, certain=certain)
        return self.written is not None and self.written.report(text, cursor)

    def reset(self) -> None:
        """Take the program's reset of its input."""
        self.before.reset()
        if self.written is not None and not self.before.reported:
            self.written.lose()

    def add(self, text: str) -> None:
        """Note a text that was typed or taken."""
        self.characters += len(text)
        self.before.add(text)
        if self.written is not None:
            self.written.add(text)

    def take_back(self, characters: int) -> None:
        """Note that so many characters before the cursor are gone."""
        self.characters -= characters
        self.before.take_back(characters)
        if self.written is not None:
            self.written.take_back(characters)

    def new_line(self) -> None:
        """Note a Return."""
        self.before.new_line()
        if self.written is not None:
            self.written.new_line()

    def lose(self) -> None:
        """Know nothing more of what stands before the cursor."""
        self.before.lose()
        if self.written is not None:
            self.written.lose()

    def delete(self) -> None:
        """Note that what is selected was deleted, or the character behind the cursor."""
        self.before.lose()
        if self.written is not None:
            self.written.delete()

    def select_all(self) -> None:
        """Note that all of it is selected."""
        if self.written is not None:
            self.written.select_all()
