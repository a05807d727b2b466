"""Documents of an editor in the typing session: whose text an edit is, and what is learned of it once it is saved."""

import pytest

from idiolect.daemon.session import effects, events
from idiolect.daemon.session.document_engine import DocumentEngine, EditorHand
from idiolect.daemon.session.events import DocumentEdit, DocumentEdited
from idiolect.daemon.session.field import Document
from idiolect.daemon.session.session import Session


class Editor:
    """An editor with one document, and the session behind it."""

    def __init__(self, text=""):
        self.now_s, self.session, self.learned, self.sent = 1000.0, Session(learns=True), [], []
        self.engine = DocumentEngine(self.session, self, EditorHand())
        self.tell(events.DocumentOpened(Document(uri="file:///a.txt", editor="Tester"), text))

    def tell(self, event, engine=True):
        due = self.session.handle(event, self.engine if engine else None, now_s=self.now_s, unix_s=self.now_s)
        for _, effect in due:
            if isinstance(effect, effects.LearnText):
                self.learned.append((effect.body["text"], effect.body["before"]))
            if isinstance(effect, effects.SendRequest):
                self.sent.append((effect.path, effect.body))

    def edit(self, start, end, text):
        self.now_s += 0.2
        self.tell(DocumentEdited((DocumentEdit(start, end, text),)))

    def type(self, text, at=None):
        at = len(self.engine.text) if at is None else at
        for place, char in enumerate(text, at):
            self.edit(place, place, char)

    def save(self, after_s=6.0):
        """Save, and return what is learned so much later."""
        self.tell(events.DocumentSaved())
        self.now_s += after_s
        self.tell(events.Ticked(), engine=False)
        learned, self.learned = self.learned, []
        return learned


def test_of_an_edited_document_what_was_typed_since_the_last_save_is_learned():
    editor = Editor("The heron waits below the weir.")
    assert editor.save() == []
    editor.type("Many boats.\n\n", at=0)
    editor.type(" It caught three eels today.")
    assert editor.save() == [
        ("Many boats.", ""),
        ("It caught three eels today.", "Many boats.\n\nThe heron waits below the weir. "),
    ]
    assert editor.save() == []
    editor.type(" It sleeps now.")
    assert [text for text, _ in editor.save()] == ["It sleeps now."]


def test_of_saves_in_a_row_the_last_is_learned_and_what_is_typed_behind_it_later():
    editor = Editor()
    editor.type("We sail at no")
    assert editor.save(after_s=2.0) == []
    editor.type("on")
    editor.tell(events.DocumentSaved())
    editor.type(" or never")
    editor.now_s += 5.0
    editor.tell(events.Ticked(), engine=False)
    assert editor.learned == [("We sail at noon", "")]


def test_a_document_that_is_closed_unsaved_leaves_nothing_and_one_that_was_saved_its_text():
    for saves in (False, True):
        editor = Editor()
        editor.type("We sail at noon")
        if saves:
            editor.tell(events.DocumentSaved())
        editor.type(" or never")
        editor.tell(events.FocusGone())
        assert [text for text, _ in editor.learned] == (["We sail at noon"] if saves else [])


def test_what_a_program_puts_there_is_not_its_users():
    pasted = "They say that the heron waits below the weir, and that nobody has seen it since. "
    editor = Editor()
    editor.edit(0, 0, pasted)
    editor.type("I do not believe any of these words.")
    assert editor.save() == [("I do not believe any of these words.", pasted)]
    editor.edit(0, 0, "Theirs above it.\n\n")
    assert editor.save() == []


def test_what_was_typed_in_a_pause_or_before_it_is_not_learned():
    editor = Editor()
    editor.type("Before it. ")
    status = effects.SendRequest("/v1/status", method="GET")
    for paused in (True, False):
        editor.tell(events.Replied(status, {"paused": paused}), engine=False)
        editor.type("Within or after it. ")
    assert [text for text, _ in editor.save()] == ["Within or after it."]


def test_a_slip_is_told_where_keys_follow_one_another():
    editor = Editor("So ")
    editor.type("teh")
    editor.edit(5, 6, "")
    editor.edit(4, 5, "")
    editor.type("he q")
    editor.edit(4, 5, "")  # the Delete key, or elsewhere
    editor.type("wx", at=4)
    slips = [body for path, body in editor.sent if path == "/v1/slip"]
    assert [(slip["meant"], slip["typed"]) for slip in slips] == [("he", "eh")]


def key(text, at):
    """An edit that puts this in at a place."""
    return DocumentEdit(at, at, text)


@pytest.mark.parametrize(
    ("edits", "typed"),
    [
        ([key("a", 3)], True),
        ([key("some quick words,", 3)], True),
        ([key("\n        ", 3)], True),
        ([key("word " * 10, 3)], False),
        ([key("Kind regards,\nAda", 3)], False),
        ([key("t", 3), key("h", 4), DocumentEdit(4, 5, ""), key("e", 4)], True),
        ([key("a", 3), key("a", 40)], True),  # at two cursors
        ([DocumentEdit(40, 42, "colour"), DocumentEdit(3, 5, "colours")], False),
    ],
)
def test_a_long_edit_one_of_many_lines_or_one_at_many_places_was_not_typed(edits, typed):
    assert EditorHand().typed(DocumentEdited(tuple(edits))) is typed


def test_of_an_editor_that_tells_of_each_key_a_snippet_is_known():
    hand = EditorHand()
    assert all(hand.typed(DocumentEdited((key("a", place),))) for place in range(30))
    assert hand.typed(DocumentEdited((key("completed", 30),)))
    assert not hand.typed(DocumentEdited((key("Kind regards, Ada", 30),)))


def test_of_an_editor_that_sent_parts_a_whole_document_was_read_again():
    hand = EditorHand()
    whole = DocumentEdited((key("a", 0),), whole=True)
    assert hand.typed(whole)
    assert hand.typed(DocumentEdited((key("a", 0),)))
    assert not hand.typed(whole)
