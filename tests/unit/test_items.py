"""Reading: which files, what text of each, what is skipped and why; in flat memory."""

import json
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from reading import found_in as read
from reading import pieces, skips, texts, write

from idiolect.daemon.runtime.os_errors import NoSuchPathError
from idiolect.daemon.settings import NEVER_READ
from idiolect.daemon.sources.file_discovery import Exclusion, find
from idiolect.daemon.sources.items import Skipped, UnreadableError
from idiolect.daemon.sources.markdown import read_paragraphs

# Which files


def found_in(root):
    found = list(find(root, NEVER_READ))
    names = [one.relative_to(root).as_posix() for one in found if isinstance(one, Path)]
    skipped = {one.path.relative_to(root).as_posix(): one.reason for one in found if isinstance(one, Skipped)}
    return names, skipped


def test_a_folder_is_searched_in_order_and_what_is_left_out_has_a_reason(tmp_path):
    for name in ("b.md", "a.txt", "sub/c.JSONL", "sub/deep/d.markdown", "photo.png", "Makefile"):
        write(tmp_path / name, "x")
    for name in (".git/x.md", "node_modules/y.md", ".hidden.md", "sub/my passwords.txt", "server.PEM"):
        write(tmp_path / name, "x")
    (tmp_path / "link.md").symlink_to(tmp_path / "a.txt")
    (tmp_path / "round").symlink_to(tmp_path)
    os.mkfifo(tmp_path / "pipe.txt")
    assert found_in(tmp_path) == (
        ["a.txt", "b.md", "sub/c.JSONL", "sub/deep/d.markdown"],
        {
            ".git": "excluded",
            ".hidden.md": "excluded",
            "Makefile": "other file type",
            "link.md": "symbolic link",
            "node_modules": "excluded",
            "photo.png": "other file type",
            "pipe.txt": "not a regular file",
            "round": "symbolic link",
            "server.PEM": "excluded",
            "sub/my passwords.txt": "excluded",
        },
    )


def test_a_file_name_that_is_no_text_is_skipped(tmp_path):
    with open(os.fsencode(tmp_path) + b"/caf\xe9.txt", "w") as file:
        file.write("x")
    assert [one.reason for one in find(tmp_path, ()) if isinstance(one, Skipped)] == [
        "file name is not UTF-8"
    ]


def test_one_file_is_taken_whatever_folder_it_is_in_but_not_if_it_is_excluded(tmp_path):
    note = write(tmp_path / ".hidden" / "note.txt", "x")
    assert list(find(note, NEVER_READ)) == [note]
    assert list(find(note.parent, NEVER_READ)) == [note]
    env = write(tmp_path / ".env.txt", "x")
    assert list(find(env, NEVER_READ)) == [Skipped(env, "excluded")]
    plain = write(tmp_path / "NOTES", "x")
    assert list(find(plain, ())) == [plain]
    image = write(tmp_path / "a.png", "x")
    assert list(find(image, ())) == [Skipped(image, "other file type")]


@pytest.mark.parametrize(
    ("pattern", "covered", "free"),
    [
        ("*.tmp.md", "x/a.tmp.md", "x/a.md"),
        ("Private", "private/deep/a.md", "privateer/a.md"),
        ("work/secret", "notes/work/secret/a.md", "notes/work/secrets/a.md"),
        ("work/*.md", "work/a.md", "home/a.md"),
        ("archive/", "archive/a.md", "archived/a.md"),
    ],
)
def test_patterns(tmp_path, pattern, covered, free):
    exclusion = Exclusion([pattern])
    assert exclusion.covers(tmp_path / covered, tmp_path)
    assert not exclusion.covers(tmp_path / free, tmp_path)


def test_an_absolute_pattern_and_one_from_the_home_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    for pattern in ("~/diary", f"{tmp_path}/diary"):
        assert Exclusion([pattern]).covers(tmp_path / "diary" / "a.md", tmp_path)
        assert not Exclusion([pattern]).covers(tmp_path / "notes" / "a.md", tmp_path)


def test_no_such_path(tmp_path):
    for look in (lambda path: find(path, ()), read):
        with pytest.raises(NoSuchPathError, match=r"There is no .*missing\.txt"):
            list(look(tmp_path / "missing.txt"))


def test_unreadable(tmp_path, monkeypatch):
    for folder in (tmp_path, *list(tmp_path.parents)[:3]):
        folder.chmod(0o755)
    closed = write(tmp_path / "closed.txt", "x")
    inner = write(tmp_path / "folder" / "a.txt", "x").parent
    closed.chmod(0)
    inner.chmod(0)
    try:
        if os.geteuid() == 0:  # root may read everything
            os.seteuid(65534)
        for path in (closed, inner, inner / "a.txt"):
            with pytest.raises(UnreadableError, match="Permission denied"):
                list(find(path, ()))
        with pytest.raises(UnreadableError):
            list(read(closed))
        assert found_in(tmp_path)[1] == {"folder": "unreadable"}
    finally:
        if os.getuid() == 0:
            os.seteuid(0)
        inner.chmod(0o755)


# Plain text


def test_plain_text_paragraphs_with_wrapped_lines_joined(tmp_path):
    path = write(
        tmp_path / "a.txt",
        "\ufeffDear all,\r\n\r\n"
        "I was going to write to you about the garden last week, but then\r\n"
        "the rain came and there was nothing to tell.\r\n\r\n\r\n"
        "12 High Street\nLondon\n"
        "   \n"
        "Yours,\rTom",
    )
    assert texts(path) == [
        "Dear all,",
        "I was going to write to you about the garden last week, but then the rain came and "
        "there was nothing to tell.",
        "12 High Street\nLondon",
        "Yours,\nTom",
    ]


def test_empty_and_blank_files_hold_nothing(tmp_path):
    for content in ("", "\n\n", "  \n\t\n", "\ufeff"):
        assert list(read(write(tmp_path / "a.txt", content))) == []


def test_what_is_no_utf8_is_dropped_and_counted(tmp_path):
    path = write(tmp_path / "a.txt", b"caf\xe9 and \xff\xfe tea\n\nna\xc3\xafve \xf0\x9f\x8e\x89 \xe2\x82")
    assert texts(path) == ["caf and  tea", "naïve 🎉"]
    assert skips(path).skipped == {"bytes that are not UTF-8": 5}
    assert skips(path).notes == ["a.txt: 5 bytes that are not UTF-8 were left out"]


@pytest.mark.parametrize("suffix", [".txt", ".md", ".jsonl"])
def test_binary_files_are_skipped(tmp_path, suffix):
    path = write(tmp_path / f"a{suffix}", b"PNG\r\n\x1a\n\0\0\0 text")
    assert list(read(path)) == [Skipped(path, "binary")]


def test_a_line_that_never_ends_is_cut_between_sentences_and_words(tmp_path):
    sentence = "Über den Wolken muss die Freiheit wohl grenzenlos sein. "
    path = write(tmp_path / "a.txt", sentence * 5000)
    found = texts(path)
    assert len(found) > 5
    assert all(len(text) < 40_000 and text.startswith("Über") and text.endswith("sein.") for text in found)
    assert " ".join(found) == (sentence * 5000).strip()
    path = write(tmp_path / "a.txt", "語" * 100_000)
    assert "".join(texts(path)).count("語") == 100_000
    assert skips(path).skipped == {}


# Markdown

MARKDOWN = """\
---
title: not prose
tags: [a]
---
# A heading #

A paragraph that is
wrapped, with a [link](https://example.org/a_(b)) and `code`.
A line with a break at its end\\
and <b>bold</b> text &amp; more.

- first item
  goes on
- [ ] second item

    goes on after a gap

| a table | with |
|---|---|
| cells | in it |

one | more
--- | ---
a | b

    code by indentation

```python
x = 1

# not a heading
```

A title
=======
Before <!-- a comment
over two lines --> after.

<!-- alone -->

[ref]: https://example.org "a target"
> quoted
> text

[![badge](https://example.org/b.svg)](https://example.org)

https://example.org/only/a/link

See [[Note|its alias]], [[Other note]], ![[image.png]] and <https://example.org>.[^1]

[^1]: A footnote.
~~~
more code
"""


def test_markdown_without_what_is_no_prose():
    assert list(read_paragraphs(MARKDOWN.split("\n"))) == [
        "A heading",
        "A paragraph that is wrapped, with a link and `code`. A line with a break at its end\n"
        "and bold text & more.",
        "- first item goes on\n- [ ] second item",
        "goes on after a gap",
        "A title",
        "Before after.",
        "quoted text",
        "See its alias, Other note, and .",
        "A footnote.",
    ]


def test_a_thematic_break_at_the_start_is_no_front_matter():
    assert list(read_paragraphs(["---", "text", "", "more"])) == ["text", "more"]
    assert list(read_paragraphs(["---", *["line"] * 300, "---", "end"]))[-1] == "end"
    assert list(read_paragraphs(["+++", "title = 1", "+++", "text"])) == ["text"]
    assert list(read_paragraphs([])) == []


@pytest.mark.parametrize("fence", ["```", "````", "~~~", "> ```", "- ```", "  ```"])
def test_fences(fence):
    closing = fence.strip(" >-")
    inner = "```" if len(closing) > 3 else "`"
    assert list(read_paragraphs(["before", fence, inner, "code", closing, "after"])) == ["before", "after"]


# JSON lines


def jsonl(path, *lines):
    return write(path, "\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines))


def test_jsonl_times(tmp_path):
    noon = datetime(2024, 5, 1, 12, tzinfo=UTC)
    path = jsonl(
        tmp_path / "a.jsonl",
        {"text": "one", "ts": "2024-05-01T12:00:00Z"},
        {"text": "two", "ts": "2024-05-01T14:00:00+02:00"},
        {"text": "three", "ts": "2024-05-01T12:00:00"},
        {"text": "four", "ts": noon.timestamp()},
        {"text": "five", "ts": int(noon.timestamp() * 1000)},
        {"text": "six"},
        {"text": "seven", "ts": None},
    )
    items = pieces(path)
    assert [item.at for item in items] == [noon] * 5 + [None] * 2
    assert [item.ordinal for item in items] == list(range(7))
    assert items[-1].offset_bytes == path.stat().st_size


def test_jsonl_lines_that_are_broken_are_named_and_the_rest_is_kept(tmp_path):
    path = jsonl(
        tmp_path / "notes.jsonl",
        {"text": "kept 1"},
        '{"text": "the canary sang',
        "",
        '["text"]',
        {"body": "no text"},
        {"text": 7},
        {"text": "kept 2", "ts": "yesterday"},
        {"text": "kept 3", "ts": True},
        {"text": "kept 4", "ts": 1e300},
        {"text": "kept 5", "ts": "0001-01-01T00:00:00+14:00"},
        "[" * 100_000,
        {"text": "kept 6"},
    )
    report = skips(path)
    assert texts(path) == [f"kept {n}" for n in range(1, 7)]
    assert report.skipped == {
        "lines that are not JSON": 3,
        "lines without text": 2,
        "times not understood": 4,
    }
    assert report.notes[0] == "notes.jsonl line 2: not a JSON object"
    assert report.notes[2] == 'notes.jsonl line 5: no "text" that is a string'
    assert "canary" not in str(report)


def test_a_report_keeps_the_first_notes_and_counts_the_others(tmp_path):
    report = skips(jsonl(tmp_path / "a.jsonl", *["{"] * 50))
    assert (len(report.notes), report.more_notes) == (20, 30)
