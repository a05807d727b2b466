"""What editors ask and tell: where prose is, what was newly typed, which files are nobody's business."""

import asyncio
import difflib
import random
import sys

import pytest
from lsprotocol import types
from pygls.workspace import TextDocument

from idiolect.daemon.clients.editors import prose
from idiolect.daemon.clients.editors.document_authorship import Authorship, Edit, Hand, edits
from idiolect.daemon.clients.editors.document_changes import typed_key
from idiolect.daemon.clients.editors.private_files import PrivateFiles
from idiolect.daemon.clients.editors.quick_fixes import quick_fixes
from idiolect.daemon.clients.editors.type_formatting import Mendings
from idiolect.daemon.clients.link import ServiceLink
from idiolect.daemon.endpoint.tokens import Scope
from idiolect.daemon.session.slip_watch import BACKSPACE
from idiolect.daemon.settings import Settings
from idiolect.daemon.text.typed_text import Pauses

# --- where prose is ---


@pytest.mark.parametrize(
    ("language", "text", "before"),
    [
        ("markdown", "# Title\n\nHello th", "# Title\n\nHello th"),
        ("markdown", "```sh\ncurl", None),
        ("markdown", "```sh\ncurl\n```\nHello th", "```sh\ncurl\n```\nHello th"),
        ("gitcommit", "Fix th", "Fix th"),
        ("gitcommit", "# Please\nFix\n\nIt was th", "Fix\n\nIt was th"),
        ("gitcommit", "Fix\n# On bran", None),
        ("mail", "To: a@example.org\nSubject: Your boo", "Your boo"),
        ("mail", "To: a@example", None),
        ("mail", "To: a@example.org\nSubject: x\n\nHello th", "Hello th"),
        ("message", "To: a@example.org\nSubject: x\n--text follows this line--\nHello th", "Hello th"),
        ("mail", "Hello,\n\n> quoted", None),
        ("mail", "Hello,\n\n> quoted\nYes, th", "Hello,\n\nYes, th"),
        ("markdown", "Hello,\n\n> quoted\nYes, th", "Hello,\n\nYes, th"),
        ("markdown", "Hello,\n\n> my call", "Hello,\n\n> my call"),
        ("plaintext", "Hello,\n\n> quoted", None),
        ("rst", "Hello,\n\n> quoted", None),
        ("rst", "Hello,\n\n> quoted\nYes, th", "Hello,\n\nYes, th"),
        ("gitcommit", "Fix\n# --------------- >8 ---------------\n+def fo", None),
        ("latex", r"The \emph{ca", r"The \emph{ca"),
        ("latex", r"The \emp", None),
        ("plaintext", "# Hello", "# Hello"),
    ],
)
def test_what_stands_before_the_cursor(language, text, before):
    assert prose.reply(text, "", language).prefix == before


def test_of_a_long_text_its_end_is_looked_at_from_the_start_of_a_line():
    text = "A line of thirty characters...\n" * 1000
    found = prose.reply(text + "Hello", "", "plaintext").prefix
    assert found.endswith("...\nHello")
    assert found.startswith("A line")
    assert 15_000 < len(found) < 16_001
    assert prose.reply("x" * 20_000, "", "plaintext").prefix == "x" * 16_000


def test_what_its_writer_wrote_of_a_mail_is_read():
    mail = "To: a@example.org\nSubject: Boats\n\nYes, on Monday.\n\nOn Sunday, A <a@example.org> wrote:\n> When?\n"
    assert prose.read(mail, "mail") == ["Yes, on Monday."]
    assert prose.read("Yes, on Monday.", "mail") == ["Yes, on Monday."]
    assert prose.read("To: a@example.org\n", "mail") == []
    assert prose.read("Fix it", "gitcommit") is None


@pytest.mark.parametrize("language", ["plaintext", "rst"])
@pytest.mark.parametrize("between", ["", "\n"])
def test_what_is_quoted_is_not_read(language, between):
    text = f"Yes.\n{between}> When? typed here\n{between}On Monday."
    assert prose.read(text, language) == ["Yes.", "On Monday."]


@pytest.mark.parametrize("sees", [True, False])
def test_a_quick_fix_is_asked_for_with_what_the_next_key_answers(tmp_path, monkeypatch, sees):
    bodies = []

    async def ask(_link, _method, _path, body):
        bodies.append(body)

    monkeypatch.setattr(ServiceLink, "ask", ask)
    before, behind = "Yes, definately", " so.\n\nOn Sunday, A <a@example.org> wrote:\n> When?\n"
    place = types.Position(0, len(before))
    link = ServiceLink(Settings(home=tmp_path), Scope.SUGGEST)
    document = TextDocument("file:///x", before + behind)
    asyncio.run(quick_fixes(link, document, place, "plaintext", "Tester", sees_context=sees))
    told = prose.reply(before, behind, "plaintext").context()
    assert told
    assert [one.get("context") for one in bodies] == [told if sees else None]
    assert bodies[0]["prefix"] == f"{before} "


#: As `git commit -v` opens it.
COMMIT = """

# Please enter the commit message for your changes. Lines starting
#
# On branch fix/ZRV-417-lantern
# Changes to be committed:
#\tmodified:   light/lantern.py
#\trenamed:    old.py -> new.py
#
# Untracked files:
#\tsecret.txt
#
# ------------------------ >8 ------------------------
# Do not modify or remove the line above.
diff --git a/light/lantern.py b/light/lantern.py
index 2f2f2f2..3e3e3e3 100644
--- a/light/lantern.py
+++ b/light/lantern.py
@@ -1,4 +1,4 @@ class Lantern:
-    def swing(self) -> None:
+    def sway(self, arc: float) -> None:
         pass
diff --git a/beam.c b/beam.c
--- a/beam.c
+++ b/beam.c
@@ -9,2 +9,3 @@ static int turn_beam(int by)
+  return by;
"""


def test_a_commit_message_is_about_what_git_says_below_it():
    reply = prose.reply("Fix the ", COMMIT, "gitcommit")
    assert reply.prefix == "Fix the "
    assert reply.context() == [
        "fix/ZRV-417-lantern\nlight/lantern.py (Lantern, swing, sway)\nold.py -> new.py\nbeam.c (turn_beam)"
    ]
    other = prose.reply("Fix the ", COMMIT.replace("\n#", "\n;"), "gitcommit")
    assert (other.prefix, other.context()) == (reply.prefix, reply.context())
    assert prose.reply("Fix ", COMMIT.partition("# ---")[0], "gitcommit").context() == [
        "fix/ZRV-417-lantern\nlight/lantern.py\nold.py -> new.py"
    ]
    assert prose.reply("Fix ", "", "gitcommit").context() == []


def test_a_patch_that_is_reviewed_by_mail_is_what_is_answered():
    review = "On Monday, A <a@b.example> wrote:\n> @@ -1,2 +1,2 @@ class Lantern:\n> +    def sway(self):\n\nWhy not "
    reply = prose.reply(f"To: A\nSubject: Re: [PATCH] Sway\n\n{review}", "", "mail")
    assert reply.prefix == "Why not "
    assert reply.context() == [
        "On Monday, A <a@b.example> wrote:\n@@ -1,2 +1,2 @@ class Lantern:\n+    def sway(self):",
        "To: A\nSubject: Re: [PATCH] Sway",
    ]


# --- what was typed ---


def change(text, start=(0, 4), end=None):
    """A change of a part of a document, as an editor tells of it."""
    place = types.Range(types.Position(*start), types.Position(*(end or start)))
    return types.TextDocumentContentChangePartial(place, text)


@pytest.mark.parametrize(
    ("changes", "typed"),
    [
        ([change("a")], "a"),
        ([change("", end=(0, 5))], BACKSPACE),
        ([change("", end=(0, 6))], ""),
        ([change("", end=(1, 5))], ""),
        ([change("ab")], ""),
        ([change("a", end=(0, 6))], ""),
        ([change("a"), change("a", start=(1, 4))], ""),
        ([types.TextDocumentContentChangeWholeDocument("a")], ""),
    ],
)
def test_a_key_is_typed_where_an_editor_tells_of_one_character_by_itself(changes, typed):
    assert typed_key(changes)[0] == typed


def key(text, at):
    """A key that puts this in at a place."""
    return Edit(at, at, text)


def keys(authorship, text, at=None, now_s=100.0):
    """Type a text at a place, or at the end."""
    at = len(authorship.text) if at is None else at
    for place, letter in enumerate(text, at):
        authorship.edit(key(letter, place), now_s)


def new(authorship, language="markdown", pauses=()):
    """What is to be learned of a document that is saved now, each with what stands before it."""
    saved = authorship.saved()
    found = authorship.new(saved, prose.read(saved.text, language))
    return [text for paragraph in found for text in paragraph.new(Pauses(pauses))]


def test_what_was_there_when_a_document_was_opened_is_not_new():
    authorship = Authorship("One paragraph that was there.\n\n")
    assert new(authorship) == []
    keys(authorship, "And this was typed.")
    assert new(authorship) == [("And this was typed.", "One paragraph that was there.\n\n")]
    assert new(authorship) == []


def test_of_an_edited_paragraph_its_new_words_count():
    authorship = Authorship("The heron waits below the weir.")
    keys(authorship, "Boats.\n\n", at=0)
    keys(authorship, " It caught three eels today.")
    assert new(authorship) == [
        ("Boats.", ""),
        ("It caught three eels today.", "Boats.\n\nThe heron waits below the weir. "),
    ]
    keys(authorship, " never", at=authorship.text.index(" caught"), now_s=101.0)
    assert [text for text, _ in new(authorship)] == ["never"]


def test_markup_and_wrapped_lines_do_not_hide_what_was_typed():
    authorship = Authorship(
        "# Title\n\nThe heron **waits** below\nthe weir.\n\n```\nthe code of the heron\n```\n"
    )
    keys(authorship, "\nThe *grey* [otter](http://a.example) of the pond\nsleeps by the code.\n")
    assert [text for text, _ in new(authorship)] == ["The *grey* otter of the pond sleeps by the code."]


def test_what_a_program_brings_is_not_typed_and_undoing_brings_back_what_was():
    pasted = "They say that the heron waits below the weir, and that nobody has seen it since. "
    authorship = Authorship("")
    authorship.edit(key(pasted, 0), None)
    keys(authorship, "I do not believe a word.")
    assert new(authorship) == [("I do not believe a word.", pasted)]
    keys(authorship, " Nobody does.", now_s=101.0)
    whole = authorship.text
    for _ in " Nobody does.":
        authorship.edit(Edit(len(authorship.text) - 1, len(authorship.text), ""), 102.0)
    authorship.edit(key(" Nobody does.", len(authorship.text)), None)  # undone
    assert authorship.text == whole
    assert [text for text, _ in new(authorship)] == ["Nobody does."]
    authorship.edit(Edit(0, len(pasted), ""), 103.0)
    authorship.edit(key(pasted, 0), 104.0)
    assert new(authorship) == []


def become(authorship, text, typed_s):
    """The whole text is another one, as an editor tells of it that sends the whole."""
    for edit in reversed(list(edits(authorship.text, text))):
        authorship.edit(edit, typed_s)


def test_what_a_formatter_leaves_stays_its_users():
    authorship = Authorship("")
    keys(authorship, "a  heron  waits below the weir")
    become(authorship, "A heron waits below the weir.\n", None)
    assert [text for text, _ in new(authorship)] == ["heron waits below the"]
    keys(authorship, "It is grey.", now_s=101.0)
    become(authorship, f"Theirs above it.\n\n{authorship.text}\n\nTheirs below it.\n", None)
    assert [text for text, _ in new(authorship)] == ["It is grey."]


def test_what_was_typed_in_a_pause_is_not_told_after_it():
    authorship = Authorship("")
    keys(authorship, "Before it. ", now_s=100.0)
    keys(authorship, "Within it. ", now_s=150.0)
    keys(authorship, "After it.", now_s=210.0)
    assert [text for text, _ in new(authorship, pauses=[(120, 200)])] == ["Before it.", "After it."]
    keys(authorship, " And more.", now_s=220.0)
    assert [text for text, _ in new(authorship, pauses=[(120, 200)])] == ["And more."]


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ("", "A heron.", [(0, 0, "A heron.")]),
        ("A heron.", "A heron.", []),
        ("one\r\ntwo\r\n", "one\r\ntwo and more\r\n", [(5, 10, "two and more\r\n")]),
        ("one\n\ntwo", "one\n\nbetween\n\ntwo", [(5, 5, "between\n\n")]),
        ("first\n\nsecond\n", "first one\n\nsecond one\n", [(0, 6, "first one\n"), (7, 14, "second one\n")]),
    ],
)
def test_of_two_whole_texts_what_is_new_is_found_line_by_line(old, new, found):
    assert list(edits(old, new)) == [Edit(*one) for one in found]
    authorship = Authorship(old)
    become(authorship, new, None)
    assert authorship.text == new


def steps(work) -> int:
    """How many lines of the comparison's code run."""
    count = 0

    def trace(frame, event, _arg):
        nonlocal count
        count += event == "line"
        return trace if frame.f_code.co_filename == difflib.__file__ else None

    sys.settrace(trace)
    try:
        work()
    finally:
        sys.settrace(None)
    return count


@pytest.mark.parametrize("between", ["\n\n", " "])
def test_another_text_in_the_place_of_a_long_one_is_compared_in_few_steps(between):
    draw = random.Random(7)
    old, new = (between.join(str(draw.randrange(500)) for _ in range(900)) for _ in range(2))
    document = Authorship(old)
    assert steps(lambda: become(document, new, None)) < 1_000_000
    assert document.text == new


@pytest.mark.parametrize(
    ("edits", "typed"),
    [
        ([key("a", 3)], True),
        ([key("some quick words,", 3)], True),
        ([key("\n        ", 3)], True),
        ([key("word " * 10, 3)], False),
        ([key("Kind regards,\nAda", 3)], False),
        ([key("t", 3), key("h", 4), Edit(4, 5, ""), key("e", 4)], True),
        ([key("a", 3), key("a", 40)], True),  # at two cursors
        ([Edit(40, 42, "colour"), Edit(3, 5, "colours")], False),
    ],
)
def test_a_long_change_one_of_many_lines_or_one_at_many_places_was_not_typed(edits, typed):
    assert Hand().typed(edits) is typed


def test_of_an_editor_that_tells_of_each_key_a_snippet_is_known():
    hand = Hand()
    assert all(hand.typed([key("a", place)]) for place in range(30))
    assert hand.typed([key("completed", 30)])
    assert not hand.typed([key("Kind regards, Ada", 30)])


# --- corrections as a document is typed ---


def test_lines_that_begin_alike_are_mended_each_and_what_its_user_undid_is_kept():
    async def service(_body):
        return {"correction": {"apply": True, "replace": 4, "text": "The "}}

    def mended(mendings, text):
        document = TextDocument("file:///notes/a.txt", text)
        lines = text.split("\n")
        place = types.Position(len(lines) - 1, len(lines[-1]))
        return [edit.new_text for edit in asyncio.run(mendings.mend(service, document, place, "plaintext"))]

    mendings = Mendings()
    assert mended(mendings, "Teh ") == ["The"]
    assert mended(mendings, "The cat.\nTeh ") == ["The"]
    assert mended(mendings, "The cat.\nTeh ") == []  # undone
    assert mended(mendings, "The cat.\nTeh dog.\nTeh ") == []


# --- private files ---


@pytest.mark.parametrize(
    ("path", "looked_at", "learned"),
    [
        ("notes/a.md", True, True),
        ("repository/.git/COMMIT_EDITMSG", True, False),
        (".secret/diary.md", True, False),
        ("passwords.txt", False, False),
        ("mine/diary.md", False, False),
        ("drafts/letter.md", False, False),
        ("profile/notes.md", False, False),
        ("pass.Xy12/site.txt", False, False),
        ("/dev/shm/pass.Xy12/site.txt", False, False),
    ],
)
def test_private_files_are_left_alone(tmp_path, path, looked_at, learned):
    (tmp_path / ".idiolectignore").write_text("mine/\n")
    private = PrivateFiles(Settings(home=tmp_path / "profile", exclude=("drafts",)))
    assert private.covers(tmp_path / path, hidden=False) is not looked_at
    assert private.covers(tmp_path / path, hidden=True) is not learned


def test_a_link_to_a_private_file_is_private_and_links_in_a_circle_are_no_error(tmp_path):
    (tmp_path / "passwords").mkdir()
    (tmp_path / "notes").symlink_to("passwords")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    private = PrivateFiles(Settings(home=tmp_path / "profile"))
    assert private.covers(tmp_path / "notes" / "a.md", hidden=False)
    assert not private.covers(tmp_path / "loop" / "a.md", hidden=False)


# --- the prompt ---
