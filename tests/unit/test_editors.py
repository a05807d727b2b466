"""What editors ask and tell: where prose is, what was newly typed, which files are nobody's business."""

from __future__ import annotations

import pytest

from idiolect.daemon.editors import offers, prose
from idiolect.daemon.editors.private_files import Privacy
from idiolect.daemon.editors.prompt import Asked, asked, fitting
from idiolect.daemon.editors.written import Written, inserted, is_typed
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
        ("mail", "Hello,\n\n> quoted\nYes, th", "Hello,\n\n> quoted\nYes, th"),
        ("latex", r"The \emph{ca", r"The \emph{ca"),
        ("latex", r"The \emp", None),
        ("plaintext", "# Hello", "# Hello"),
    ],
)
def test_what_stands_before_the_cursor(language, text, before):
    assert prose.before(text, language) == before


def test_of_a_long_text_its_end_is_looked_at_from_the_start_of_a_line():
    text = "A line of thirty characters...\n" * 1000
    found = prose.before(text + "Hello", "plaintext")
    assert found.endswith("...\nHello")
    assert found.startswith("A line")
    assert 15_000 < len(found) < 16_001
    assert prose.before(text + "Hello t", "plaintext") == found + " t"
    assert prose.before("x" * 20_000, "plaintext") == "x" * 16_000


def test_what_its_writer_wrote_of_a_mail_is_read():
    mail = "To: a@example.org\nSubject: Boats\n\nYes, on Monday.\n\nOn Sunday, A <a@example.org> wrote:\n> When?\n"
    assert prose.read(mail, "mail") == ["Yes, on Monday."]
    assert prose.read("Yes, on Monday.", "mail") == ["Yes, on Monday."]
    assert prose.read("To: a@example.org\n", "mail") == []
    assert prose.read("Fix it", "gitcommit") is None


# --- what was typed ---


def test_what_was_there_when_a_document_was_opened_is_not_new():
    written = Written(["One paragraph that was there.", "Another one that was there."])
    (typed,) = written.saved(["One paragraph that was there.", "And this was typed."])
    assert typed == ("And this was typed.", "One paragraph that was there.\n\n")
    assert written.saved(["One paragraph that was there.", "And this was typed."]) == []
    assert written.saved(["Another one that was there."]) == []  # undone


def test_of_an_edited_paragraph_its_new_words_count():
    written = Written(["The heron waits below the weir."])
    assert written.saved(["Boats.", "The heron waits below the weir. It caught three eels today."]) == [
        ("Boats.", ""),
        ("It caught three eels today.", "Boats.\n\nThe heron waits below the weir. "),
    ]


def test_what_was_pasted_is_not_typed():
    pasted = "They say that the heron waits below the weir, and that nobody has seen it since."
    written = Written([])
    written.not_typed([pasted])
    assert written.saved([f"{pasted} I do not believe a word.", pasted]) == [
        ("I do not believe a word.", f"{pasted} ")
    ]


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ("", "A heron.", ["A heron."]),
        ("A heron.", "A heron.", []),
        ("A heron waits.", "A grey heron waits.", ["grey "]),
        ("aaa", "aaaa", ["a"]),
        ("one\r\ntwo\r\n", "one\r\ntwo and more\r\n", [" and more"]),
        ("one\n\ntwo", "one\n\nbetween\n\ntwo", ["between\n"]),
        ("one\n\nodd\n\ntwo", "one\n\ntwo", [""]),
        ("first line\n\nsecond line\n", "first long line\n\nsecond long line\n", ["ong l", "ong l"]),
        ("one\ntwo\nthree\n", "uno\ndue\ntre\n", ["uno\ndue\ntr"]),
    ],
)
def test_of_two_whole_texts_what_is_new_is_found_place_by_place(old, new, found):
    assert inserted(old, new) == found


def test_of_a_long_document_what_is_new_is_found_too():
    lines = [f"{number} the heron waits below the weir" for number in range(20_000)]
    new = [*lines[:9000], "A grey one came.", *lines[9000:-1], f"{lines[-1]} still"]
    assert inserted("\n".join(lines), "\n".join(new)) == ["A grey one came.", " still"]


def test_a_long_change_or_one_of_many_lines_was_not_typed():
    assert is_typed("a")
    assert is_typed(" goes on with eight words of ghost text")
    assert is_typed("some quick words,\nreported together\n\n")
    assert not is_typed("word " * 60)
    assert not is_typed("one\ntwo\nthree\nfour")


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
    privacy = Privacy(Settings(home=tmp_path / "profile", exclude=("drafts",)))
    assert privacy.covers(tmp_path / path, hidden=False) is not looked_at
    assert privacy.covers(tmp_path / path, hidden=True) is not learned


def test_a_link_to_a_private_file_is_private(tmp_path):
    (tmp_path / "passwords").mkdir()
    (tmp_path / "notes").symlink_to("passwords")
    assert Privacy(Settings(home=tmp_path / "profile")).covers(tmp_path / "notes" / "a.md", hidden=False)


def test_links_in_a_circle_are_no_file_and_no_error(tmp_path):
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    assert not Privacy(Settings(home=tmp_path / "profile")).covers(tmp_path / "loop" / "a.md", hidden=False)


# --- what the protocol says ---


def answer(*words, ghost="", show=False):
    found = [{"text": text, "p": p} for text, p in words]
    return {"words": found, "ghost": {"text": ghost, "p": 0.5, "show": show}}


def test_an_item_holds_the_whole_word_in_place_of_what_was_typed_of_it():
    items = offers.completions(answer(("ll", 0.5), ("'s", 0.25)), "it", 3, lambda characters: characters)
    assert [item.text_edit.new_text for item in items] == ["itll", "it's"]
    after_space = offers.completions(answer(("will", 0.5)), "it ", 3, lambda characters: characters)
    assert after_space[0].text_edit.new_text == after_space[0].label == "will"
    assert after_space[0].text_edit.range.start.character == 3


def test_of_several_words_one_is_taken_and_the_others_are_not():
    [first, _] = offers.completions(answer(("ll", 0.5), ("s", 0.25)), "wi", 0, lambda characters: characters)
    assert offers.feedback(first.command.arguments[0]) == [
        {"kind": "word", "p": 0.5, "characters": 2, "keystrokes": 1, "outcome": "accepted"},
        {"kind": "word", "p": 0.25, "outcome": "dismissed"},
    ]


# --- the prompt ---


@pytest.mark.parametrize(
    ("line", "text", "quote"),
    [
        ('git commit -m "Fix the', "Fix the", '"'),
        ("git commit -am 'Fix the", "Fix the", "'"),
        ('git commit --message="Fix the', "Fix the", '"'),
        ('git commit -m "Fix" -m "It was th', "It was th", '"'),
        ('make && GIT_PAGER=cat git commit -m "Fix \\"all\\" th', 'Fix "all" th', '"'),
        ("/usr/bin/git stash push -m 'Half", "Half", "'"),
        ('gh pr create --title "Fix" --body "It was\nth', "It was\nth", '"'),
        ('git commit -m "', None, ""),
        ('git commit -m "Fix"', None, ""),
        ('git checkout -b "Fix the', None, ""),
        (' git commit -m "Fix the', None, ""),
        ('mysql -p "Fix the', None, ""),
        ('gh secret set KEY --body "Fix the', None, ""),
        ('gh -R a/b auth login -t "Fix the', None, ""),
        ('glab variable set KEY -t "Fix the', None, ""),
        ('echo git commit -m "Fix the', None, ""),
        ("git commit -m Fix", None, ""),
    ],
)
def test_which_arguments_are_prose(line, text, quote):
    assert asked(line, full_line=False) == (None if text is None else Asked(text, "", quote))


def test_the_whole_line_is_looked_at_only_if_that_is_wanted():
    assert asked("git rebase -i ma", full_line=False) is None
    assert asked("git rebase -i ma", full_line=True) == Asked("git rebase -i ma", "shell", "")
    assert asked('git commit -m "Fix th', full_line=True) == Asked("Fix th", "", '"')
    assert asked('mysql -p "Fix th', full_line=True) is None
    assert asked("  export TOKEN=ab", full_line=True) is None


@pytest.mark.parametrize(
    ("ghost", "quote", "fits"),
    [
        (" the boat", '"', " the boat"),
        (" the boat that doesn't float", "'", " the boat that"),
        (" the boat that doesn't float", '"', " the boat that doesn't float"),
        (" for $HOME and all", '"', " for"),
        (" really!", '"', ""),
        ("ly done\nSigned", '"', "ly done"),
        ("\x1b[31mred", "", ""),
        (" and; rm", "", " and; rm"),
        ("n't", "'", ""),
    ],
)
def test_nothing_is_inserted_that_the_shell_would_read(ghost, quote, fits):
    assert fitting(ghost, quote) == fits
