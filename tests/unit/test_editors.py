"""What editors ask and tell: where prose is, what was newly typed, which files are nobody's business."""

import asyncio

import pytest
from lsprotocol import types
from pygls.workspace import TextDocument

from idiolect.daemon.clients.editors import prose
from idiolect.daemon.clients.editors.editor_runner import PrivateFiles
from idiolect.daemon.clients.editors.quick_fixes import quick_fixes
from idiolect.daemon.clients.service_link import ServiceLink
from idiolect.daemon.runtime.tokens import Scope
from idiolect.daemon.settings import Settings

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
