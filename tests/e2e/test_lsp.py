"""The language server with a real service (of the tiny model): asked by pygls' own client."""

import asyncio
import contextlib
import json
import os
import subprocess
import sys
from contextlib import asynccontextmanager

import pytest
from lsprotocol import types
from pygls.lsp.client import LanguageClient
from pygls.protocol import default_converter
from waiting import DEADLINE_S, until

from idiolect.daemon.runtime import process

KEY_S = 0.12  # between two keys of somebody who types fast
CANARY = "the teal lighthouse keeper Zorvelin hums quietly at noon"
MAIN = "from idiolect.daemon.clients.commandline.command_table import main; main()"


def converter():
    """What reads messages: lsprotocol's own takes an action that has a command for a bare command."""
    reader = default_converter()
    reader.register_structure_hook(
        types.Command | types.CodeAction, lambda action, _: reader.structure(action, types.CodeAction)
    )
    return reader


class Editor(LanguageClient):
    """An editor with one document after the other."""

    def __init__(self):
        super().__init__("tester", "1", converter_factory=converter)
        self.said = []
        self.feature(types.WINDOW_SHOW_MESSAGE)(lambda params: self.said.append(params.message))

    def open(self, uri, text="", language="markdown"):
        self.text_document_did_open(
            types.DidOpenTextDocumentParams(types.TextDocumentItem(uri, language, 1, text))
        )

    def type(self, uri, line, character, text, end=None):
        place = types.Range(
            types.Position(line, character), types.Position(line, character if end is None else end)
        )
        self.text_document_did_change(
            types.DidChangeTextDocumentParams(
                types.VersionedTextDocumentIdentifier(2, uri),
                [types.TextDocumentContentChangePartial(place, text)],
            )
        )

    def keys(self, uri, line, character, text):
        """Type a text key by key."""
        for key in text:
            self.type(uri, line, character, key)
            line, character = (line + 1, 0) if key == "\n" else (line, character + 1)

    def send(self, uri, whole):
        """What has changed, as editors do that always send all of it."""
        self.text_document_did_change(
            types.DidChangeTextDocumentParams(
                types.VersionedTextDocumentIdentifier(2, uri),
                [types.TextDocumentContentChangeWholeDocument(whole)],
            )
        )

    def save(self, uri, text):
        self.text_document_did_save(types.DidSaveTextDocumentParams(types.TextDocumentIdentifier(uri), text))

    def close(self, uri, saved=None):
        if saved is not None:
            self.save(uri, saved)
        self.text_document_did_close(types.DidCloseTextDocumentParams(types.TextDocumentIdentifier(uri)))

    async def words(self, uri, line, character):
        return await self.text_document_completion_async(
            types.CompletionParams(types.TextDocumentIdentifier(uri), types.Position(line, character))
        )

    async def ghosts(self, uri, line, character, kind=types.InlineCompletionTriggerKind.Invoked):
        found = await self.text_document_inline_completion_async(
            types.InlineCompletionParams(
                types.InlineCompletionContext(kind),
                types.TextDocumentIdentifier(uri),
                types.Position(line, character),
            )
        )
        return found.items


@asynccontextmanager
async def editing(service, encodings=None, **options):
    """An editor with a language server; on leaving, it has shut down and all that was saved is learned."""
    editor = Editor()
    environment = {**os.environ, "IDIOLECT_HOME": str(service.settings.home)}
    await editor.start_io(sys.executable, "-c", MAIN, "lsp", env=environment)
    capable = types.ClientCapabilities(general=types.GeneralClientCapabilities(position_encodings=encodings))
    editor.answer = await editor.initialize_async(
        types.InitializeParams(
            capable, client_info=types.ClientInfo("Tester"), initialization_options=options or None
        )
    )
    editor.initialized(types.InitializedParams())
    yield editor
    await editor.shutdown_async(None)
    editor.exit(None)
    await editor.stop()


@pytest.fixture(scope="module")
def run():
    """`run(scene)`: what it returns, in the loop that all tests share."""
    with asyncio.Runner() as runner:
        yield lambda scene: runner.run(asyncio.wait_for(scene, DEADLINE_S))


@pytest.fixture(scope="module")
def editor(run, service):
    """An editor that learns nothing, which some tests share."""
    opened = contextlib.AsyncExitStack()
    yield run(opened.enter_async_context(editing(service)))
    run(opened.aclose())


def test_words_complete_what_was_typed_at_the_cursor(run, editor):
    async def scene():
        editor.open("file:///notes/a.md", "One line.\n\n")
        editor.type("file:///notes/a.md", 2, 0, "the teal lighthouse keeper Zorv")
        return editor.answer.capabilities, await editor.words("file:///notes/a.md", 2, 31)

    capabilities, found = run(scene())
    assert capabilities.text_document_sync.change == types.TextDocumentSyncKind.Incremental
    assert capabilities.inline_completion_provider
    assert found.is_incomplete
    first = found.items[0]
    assert (first.label, first.text_edit.new_text, first.filter_text) == ("Zorvelin",) * 3
    assert first.text_edit.range == types.Range(types.Position(2, 27), types.Position(2, 31))
    assert [item.sort_text for item in found.items] == sorted(item.sort_text for item in found.items)
    [figures] = first.command.arguments
    assert "elin" not in json.dumps(figures)


@pytest.mark.parametrize(
    ("encoding", "start", "end"), [("utf-8", 32, 36), ("utf-16", 30, 34), ("utf-32", 29, 33)]
)
def test_positions_count_as_the_editor_counts(run, service, encoding, start, end):
    line = "🦉 the teal lighthouse keeper Zorv"

    async def scene():
        async with editing(service, [types.PositionEncodingKind(encoding)]) as editor:
            # No line ends at the form feed or the line separator.
            editor.open("untitled:1", f"é\f\u2028 ü\n{line}", "plaintext")
            return await editor.words("untitled:1", 1, end)

    first = run(scene()).items[0]
    assert first.text_edit.new_text == "Zorvelin"
    assert first.text_edit.range == types.Range(types.Position(1, start), types.Position(1, end))


def test_a_ghost_text_is_given_where_it_is_asked_for_and_else_where_the_service_advises_it(run, editor):
    advised, doubtful = "the teal lighthouse keeper Zorv", "We met the teal lighthouse ke"
    kinds = types.InlineCompletionTriggerKind

    async def scene():
        editor.open("untitled:1", f"{advised}\n{doubtful}", "plaintext")
        return [
            await editor.ghosts("untitled:1", line, len(text), kind)
            for line, text in enumerate((advised, doubtful))
            for kind in (kinds.Automatic, kinds.Invoked)
        ]

    by_itself, asked, nothing, doubted = run(scene())
    assert by_itself == asked
    assert asked[0].insert_text == "elin hums quietly at"
    assert asked[0].range.start == asked[0].range.end == types.Position(0, len(advised))
    assert not nothing
    assert doubted[0].insert_text


def test_words_that_do_not_come_by_themselves_come_to_who_asks_once_more(run, editor, service):
    typed = "We met the l"

    async def scene():
        editor.open("untitled:1", typed, "plaintext")

        async def write(text, at):
            for place, letter in enumerate(text, at):
                editor.type("untitled:1", 0, place, letter)
            found = await editor.words("untitled:1", 0, at + len(text))
            return [item.label for item in found.items]

        opened = await write("", len(typed))
        another = await write("i th", len(typed))
        again = await write("", len(typed) + 4)
        goes_on = await write("e", len(typed) + 4)
        return [bool(words) for words in (opened, another, again, goes_on)]

    service.ask("/v1/switches", show="asked")
    try:
        assert run(scene()) == [True, False, True, True], "they stay to the end of the word"
    finally:
        service.ask("/v1/switches", show="more")


def test_how_fast_its_user_types_is_told_once_enough_was_typed(run, service):
    text = "We sailed along the quiet harbour"

    service.tell_speed([150] * 199)  # one more is enough

    async def scene():
        told = []
        async with editing(service) as editor:
            editor.open("untitled:1", "", "plaintext")
            for place, letter in enumerate(text):
                editor.type("untitled:1", 0, place, letter)
                if place in (10, len(text) - 1):
                    await editor.words("untitled:1", 0, place + 1)
                    told.append(service.ask("/v1/status")["key_ms"])
                await asyncio.sleep(KEY_S)
        return told

    early, told = run(scene())
    assert early is None
    assert told is not None


def test_a_slip_that_its_user_mends_is_counted_where_text_is_learned(run, service, tmp_path):
    uri = (tmp_path / "letter.md").as_uri()

    def counted():
        return [times for *slip, times in service.ask("/v1/report")["slips"] if slip == ["he", "eh"]]

    async def scene(**options):
        async with editing(service, **options) as editor:
            editor.open(uri, "So ")
            editor.keys(uri, 0, 3, "teh")
            editor.type(uri, 0, 5, "", end=6)
            editor.type(uri, 0, 4, "", end=5)
            editor.keys(uri, 0, 4, "he q")
            editor.type(uri, 0, 4, "", end=5)  # the Delete key, or elsewhere
            editor.keys(uri, 0, 4, "wx")
            if options:
                await asyncio.to_thread(until, counted)

    run(scene())
    assert counted() == []
    run(scene(learn=True))
    assert counted() == [1]


def test_a_word_is_never_suggested_again_from_the_menu_of_actions(run, editor, service):
    place = types.Range(types.Position(0, 31), types.Position(0, 31))

    async def scene():
        editor.open("untitled:1", "the teal lighthouse keeper Zorv", "plaintext")
        words = [(await editor.words("untitled:1", 0, 31)).items[0].label]
        found = await editor.text_document_code_action_async(
            types.CodeActionParams(
                types.TextDocumentIdentifier("untitled:1"), place, types.CodeActionContext([])
            )
        )
        titles = [action.title for action in found]
        chosen = next(action.command for action in found if action.title == "Never suggest “Zorvelin”")
        await editor.workspace_execute_command_async(
            types.ExecuteCommandParams(chosen.command, chosen.arguments)
        )
        words += [item.label for item in (await editor.words("untitled:1", 0, 31)).items]
        return titles, words

    try:
        titles, (first, *after) = run(scene())
        never = [title for title in titles if title.startswith("Never suggest")]
        assert never[0] == "Never suggest “Zorv”"  # the word at the cursor, and then what was offered there
        assert "Always suggest “Zorv”" in titles
        assert first == "Zorvelin"
        assert "Zorvelin" not in after
        assert [rule["text"] for rule in service.ask("/v1/words")["rules"]] == ["Zorvelin"]
    finally:
        service.ask("/v1/words/remove", text="Zorvelin")


def test_a_mistyped_word_is_mended_from_the_list_and_by_a_quick_fix(run, editor, service):
    uri = "file:///notes/slips.md"
    place = types.Range(types.Position(0, 20), types.Position(0, 20))

    async def scene():
        editor.open(uri, "the teal definat")
        words = (await editor.words(uri, 0, 16)).items
        editor.type(uri, 0, 16, "ely ")
        asked = types.CodeActionParams(types.TextDocumentIdentifier(uri), place, types.CodeActionContext([]))
        fixes = [
            action
            for action in await editor.text_document_code_action_async(asked)
            if action.kind == types.CodeActionKind.QuickFix
        ]
        kept = fixes[1].command
        await editor.workspace_execute_command_async(types.ExecuteCommandParams(kept.command, kept.arguments))
        left = [action.title for action in await editor.text_document_code_action_async(asked)]
        return words, fixes, left

    try:
        words, fixes, left = run(scene())
        [mended] = [word for word in words if word.text_edit.new_text == "definitely"]
        assert mended.text_edit.range == types.Range(types.Position(0, 9), types.Position(0, 16))
        [edit] = fixes[0].edit.changes[uri]
        assert (
            edit.new_text.lower() == "definitely"
        )  # a random model does not know which words are capitalized
        assert [fix.title for fix in fixes] == [f"Change to “{edit.new_text}”", "“definately” is no mistake"]
        assert edit.range == types.Range(types.Position(0, 9), types.Position(0, 19))
        assert not [title for title in left if title.startswith("Change to")]
        assert [rule["text"] for rule in service.ask("/v1/words")["rules"]] == ["definately"]
    finally:
        service.ask("/v1/words/remove", text="definately")


async def mend(editor, uri, text, language="markdown"):
    """The edits for a slip at the end of a text that was just typed, as the new text and its first column."""
    editor.close(uri)
    editor.open(uri, text, language)
    place = types.Position(text.count("\n"), len(text.rpartition("\n")[2]))
    found = await editor.text_document_on_type_formatting_async(
        types.DocumentOnTypeFormattingParams(
            types.TextDocumentIdentifier(uri), place, text[-1], types.FormattingOptions(4, True)
        )
    )
    return [(edit.new_text, edit.range.start.character, edit.range.end.character) for edit in found]


def test_a_sure_slip_is_mended_as_it_is_typed_in_prose_alone(run, service):
    uri = "file:///notes/slips.txt"

    async def scene():
        async with editing(service, languages=["markdown", "python"]) as editor:
            prose = [await mend(editor, uri, text) for text in ("We saw hte ", "é We saw hte.", "We saw it ")]
            code = [
                await mend(editor, uri, "```\nhte "),
                await mend(editor, uri, "We saw hte ", "python"),
                await mend(editor, "file:///notes/.env", "We saw hte ", "plaintext"),
            ]
            return editor.answer.capabilities, prose, code

    service.ask("/v1/words/add", kind="always_correct", text="hte", replacement="the")
    try:
        _, offered, _ = run(scene())
        service.ask("/v1/switches", corrections="apply")
        able, prose, code = run(scene())
    finally:
        service.ask("/v1/switches", corrections="offer")
        service.ask("/v1/words/remove", text="hte")
    assert " " in able.document_on_type_formatting_provider.first_trigger_character
    assert offered == [[], [], []]
    assert prose == [[("the", 7, 10)], [("the", 9, 12)], []]
    assert code == [[], [], []]


def test_nothing_is_offered_where_no_prose_is_written_or_in_files_that_are_not_to_be_read(
    run, service, tmp_path
):
    (tmp_path / ".idiolectignore").write_text("private/\n")
    phrase = "the teal lighthouse keeper Zorv"
    files = [
        ("main.py", "python", phrase),
        ("a.md", "markdown", f"```\n{phrase}"),
        ("COMMIT_EDITMSG", "gitcommit", f"# {phrase}"),
        ("passwords.txt", "plaintext", phrase),
        ("private/diary.md", "markdown", phrase),
        ("draft.eml", "mail", f"To: {phrase}"),
        ("draft.eml", "mail", f"Hello,\n\n> {phrase}"),
        ("paper.tex", "latex", f"{phrase}\\"),
    ]
    prose = [
        (".git/COMMIT_EDITMSG", "gitcommit", f"{phrase}"),
        ("draft.eml", "mail", f"To: a@example.org\nSubject: {phrase}"),
        ("draft.eml", "mail", f"To: a@example.org\n\n> Hello\n{phrase}"),
        ("paper.tex", "latex", phrase),
        ("page.adoc", "asciidoc", phrase),
    ]

    async def scene():
        async with editing(service, languages=["asciidoc"]) as editor:
            found = []
            for name, language, text in (*files, *prose):
                uri = (tmp_path / name).as_uri()
                editor.open(uri, text, language)
                lines = text.split("\n")
                words = await editor.words(uri, len(lines) - 1, len(lines[-1]))
                found.append([item.label for item in words.items] if words else [])
                editor.close(uri)
            return found

    found = run(scene())
    assert found[: len(files)] == [[]] * len(files)
    assert all("Zorvelin" in words for words in found[len(files) :])


def test_what_is_typed_and_saved_is_learned_and_nothing_else(run, service, tmp_path):
    there = "The orange heron Quimbrel waits below the weir."
    pasted = "A pasted paragraph about Xantheby, " + "which goes on and on. " * 20
    private = tmp_path / "private.md"
    (tmp_path / ".idiolectignore").write_text("private.md\n")
    watched = tmp_path / "watched"
    watched.mkdir()
    service.ask("/v1/watch", path=str(watched))

    async def scene(**options):
        async with editing(service, **options) as editor:
            for file in (tmp_path / "a.md", private, watched / "b.md"):
                uri = file.as_uri()
                editor.open(uri, f"{there}\n\n")
                typed = f"My neighbour {file.stem}bert Wuffelin sings"
                editor.keys(uri, 2, 0, f"{typed}\n\n")
                editor.type(uri, 4, 0, pasted)
                editor.close(uri, saved=f"{there}\n\n{typed}\n\n{pasted}")

    before = service.ask("/v1/status")["entries"]
    run(scene())
    assert service.ask("/v1/status")["entries"] == before  # it is not allowed to
    run(scene(learn=True))
    status = service.ask("/v1/status")
    assert status["entries"] == before + 1
    assert status["sources"]["editor"] == 1
    assert service.knows("My neighbour abert Wuff", "elin")
    [taken] = [row for row in service.ask("/v1/audit")["taken"] if row["source"] == "editor"]
    assert taken["app"] == "Tester"


def test_what_another_program_or_a_snippet_puts_into_an_open_file_is_not_learned(run, service, tmp_path):
    path = tmp_path / "open.md"
    path.write_text("There.\n\n")
    uri = path.as_uri()
    typed = "Our plum tree Ferrowick blooms"
    theirs = "Bought Marzolane.\n\n"

    async def scene():
        async with editing(service, learn=True) as editor:
            editor.open(uri, path.read_text())
            editor.keys(uri, 2, 0, f"{typed}\n\n")
            editor.save(uri, f"There.\n\n{typed}\n\n")
            await editor.words(uri, 4, 0)  # the messages before have been dealt with
            # Another program writes the file; the editor takes over what is new in it, a piece that a hand could type.
            path.write_text(f"{theirs}There.\n\n{typed}\n\n")
            editor.type(uri, 0, 0, theirs)
            editor.type(uri, 6, 0, "Yours truly, Hesterfield Quandle\n\n")  # a snippet, or one of a formatter
            editor.type(uri, 8, 0, "x")
            text = f"{theirs}There.\n\n{typed}\n\nYours truly, Hesterfield Quandle\n\nx"
            editor.close(uri, saved=text)

    run(scene())
    assert service.ask("/v1/forget", text=typed, dry_run=True)["entries"] == 1
    for text in ("Marzolane", "Hesterfield"):
        assert service.ask("/v1/forget", text=text, dry_run=True)["entries"] == 0


def test_a_file_that_another_program_changed_teaches_nothing_in_an_editor_that_reports_keys_together(
    run, service, tmp_path
):
    path = tmp_path / "bursts.md"
    path.write_text("There.\n\n")
    uri = path.as_uri()
    theirs = "Sold Perrowyck.\n\n"

    async def scene():
        async with editing(service, learn=True) as editor:
            editor.open(uri, path.read_text())
            at = 0
            for burst in ("Our quinces ", "name ", "Dornfelda ", "queen\n\n"):
                editor.type(uri, 2, at, burst)
                at += len(burst)
            text = "There.\n\nOur quinces name Dornfelda queen\n\n"
            path.write_text(text)
            editor.save(uri, text)
            await editor.words(uri, 4, 0)  # the messages before have been dealt with
            path.write_text(theirs + text)
            editor.type(uri, 0, 0, theirs)  # as short as a burst of keys
            await editor.words(uri, 6, 0)
            editor.type(uri, 6, 0, "Yes ")
            path.write_text(f"{theirs}{text}Yes ")
            editor.close(uri, saved=f"{theirs}{text}Yes ")

    run(scene())
    assert service.ask("/v1/forget", text="Dornfelda", dry_run=True)["entries"] == 1
    assert service.ask("/v1/forget", text="Perrowyck", dry_run=True)["entries"] == 0


@pytest.mark.parametrize(
    ("label", "rest"), [("The PIN of the shed is ", ", says Ann"), ("The PIN of the shed:\n\n", " said Ann")]
)
def test_a_secret_is_told_by_the_label_that_was_saved_before_it(run, service, tmp_path, label, rest):
    uri = (tmp_path / f"shed{len(label)}.txt").as_uri()

    async def scene():
        async with editing(service, learn=True) as editor:
            editor.open(uri, label, "plaintext")
            editor.keys(uri, label.count("\n"), 0 if label.endswith("\n") else len(label), f"4471{rest}")
            editor.close(uri, saved=f"{label}4471{rest}")

    def left_out():
        return sum(row["redactions"] for row in service.ask("/v1/audit")["taken"])

    before = left_out()
    run(scene())
    until(lambda: left_out() == before + 1)


@pytest.mark.parametrize("sends_parts", [False, True])
def test_of_a_whole_document_what_was_typed_is_learned_unless_it_was_read_again(
    run, service, tmp_path, sends_parts
):
    there = "The violet otter Brambleday dozes."
    typed = "Her ravens heeded Ottolinda" if sends_parts else "My aunt Una met Quorrinsby"
    pasted = "A pasted paragraph about Xantheby, " + "which goes on and on. " * 20

    async def scene():
        async with editing(service, learn=True) as editor:
            uri = (tmp_path / "a.md").as_uri()
            editor.open(uri, there)
            if sends_parts:
                editor.type(uri, 0, 0, "")
            for end in range(len(typed) + 1):
                editor.send(uri, f"{there}\n\n{typed[:end]}")
            editor.send(uri, f"{pasted}\n\n{there}\n\n{typed}")
            editor.close(uri, saved=f"{pasted}\n\n{there}\n\n{typed}")

    before = service.ask("/v1/status")["entries"]
    run(scene())
    assert service.ask("/v1/status")["entries"] == before + (not sends_parts)
    assert service.knows(typed[:-4], typed[-4:]) is not sends_parts


def test_what_was_taken_is_told(run, editor, service):
    before = service.ask("/v1/report")["savings"]
    text = "the teal lighthouse keeper Zorv"

    async def scene():
        editor.open("untitled:1", text, "plaintext")
        item = (await editor.words("untitled:1", 0, len(text))).items[0]
        await editor.workspace_execute_command_async(
            types.ExecuteCommandParams(item.command.command, item.command.arguments)
        )
        return len(item.command.arguments[0]["others"])

    others = run(scene())
    after = service.ask("/v1/report")["savings"]
    assert after["accepted"] - before["accepted"] == 1
    assert after["characters"] - before["characters"] == len("elin")
    assert after["dismissed"] - before["dismissed"] == others


def test_where_no_words_are_wanted_none_come_and_a_ghost_text_does(run, service):
    async def scene():
        async with editing(service, words=0) as editor:
            editor.open("untitled:1", "the teal lighthouse keeper Zorv", "plaintext")
            return await editor.words("untitled:1", 0, 31), await editor.ghosts("untitled:1", 0, 31)

    words, [ghost] = run(scene())
    assert not words.items
    assert ghost.insert_text.startswith("elin hums")


def test_an_option_that_is_not_known_is_named(run, service):
    async def scene():
        async with editing(service, lern=True) as editor:
            await editor.words("untitled:1", 0, 0)
        return editor.said

    assert "'lern'" in run(scene())[0]


def test_a_service_that_does_not_run_is_started(run, new_service, tmp_path):
    service = new_service(tmp_path)

    async def scene():
        async with editing(service) as editor:
            editor.open("untitled:1", "I wa", "plaintext")
            while not (found := await editor.words("untitled:1", 0, 4)):
                await asyncio.sleep(0.05)
            return found

    try:
        assert run(scene()).items
    finally:
        process.stop(service.settings)


def test_what_was_saved_while_no_service_ran_is_told_later(run, new_service, tmp_path):
    service = new_service(tmp_path / "profile")

    async def scene():
        async with editing(service, learn=True) as editor:
            editor.open("untitled:1", "I wa", "plaintext")
            while not await editor.words("untitled:1", 0, 4):
                await asyncio.sleep(0.05)
            process.stop(service.settings)
            uri = (tmp_path / "a.md").as_uri()
            editor.open(uri)
            editor.type(uri, 0, 0, "Grandfather Wuffelin sings")
            editor.close(uri, saved="Grandfather Wuffelin sings")
            await editor.words("untitled:1", 0, 4)  # by then it was looked for in vain
            process.start(service.settings)

    try:
        run(scene())
        assert service.ask("/v1/status")["entries"] == 1
        assert service.knows("Grandfather Wuff", "elin")
    finally:
        process.stop(service.settings)


def test_no_text_comes_into_a_log_whatever_goes_wrong(service):
    bad = [
        {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {"capabilities": {}, "processId": None}},
        {"jsonrpc": "2.0", "method": "initialized", "params": {}},
        {"jsonrpc": "2.0", "method": "textDocument/didOpen", "params": {"textDocument": {"uri": CANARY}}},
        {"jsonrpc": "2.0", "method": "textDocument/didChange", "params": {
            "textDocument": {"uri": "untitled:1", "version": 1}, "contentChanges": [{"text": CANARY}]}},
        {"jsonrpc": "2.0", "id": 2, "method": "textDocument/hover", "params": {"text": CANARY}},
        {"jsonrpc": "2.0", "id": 3, "method": "workspace/executeCommand", "params": {
            "command": "idiolect.accepted", "arguments": [{"kind": CANARY}]}},
    ]  # fmt: skip # a message to a line
    sent = b"".join(
        b"Content-Length: %d\r\n\r\n%s" % (len(message), message)
        for message in (json.dumps(one).encode() for one in bad)
    )
    environment = {**os.environ, "IDIOLECT_HOME": str(service.settings.home)}
    command = [sys.executable, "-c", MAIN, "lsp"]
    done = subprocess.run(command, input=sent, env=environment, capture_output=True, check=False)
    assert done.returncode == 0
    assert done.stderr == b""
    assert CANARY.encode() not in done.stdout
    log = service.settings.log_path.read_text()
    assert "idiolect.editor" in log
    assert CANARY not in log


MAIL = """To: Odo Wibberkin <odo@wibberkin.example>
Subject: Re: Boats

On Monday, Odo Wibberkin <odo@wibberkin.example> wrote:
> Shall we meet at the Kwarbelmoor on Thursday?
> Please bring the Tarnfoddle.

"""


def test_words_of_the_mail_that_is_answered_are_offered_from_the_second_question_on_and_never_learned(
    run, service, tmp_path
):
    path = tmp_path / "mutt-host-1000-4711"
    typed = "Yes, the mossy quellbird sings at the Kwarbe"

    async def asked(learn):
        async with editing(service, learn=learn) as editor:
            editor.open(path.as_uri(), MAIL, "mail")
            editor.keys(path.as_uri(), 8, 0, typed)
            found = [await editor.words(path.as_uri(), 8, len(typed)) for _ in range(3)]
            editor.close(path.as_uri(), saved=MAIL + typed)
            return ["Kwarbelmoor" in [item.label for item in one.items] for one in found]

    assert run(asked(True)) == [False, True, True]
    service.ask("/v1/apps", app="Tester", context="off")
    assert run(asked(False)) == [False, False, False]
    service.ask("/v1/apps", app="Tester", remove=True)
    assert service.knows("the mossy quellb", "ird")
    assert not service.knows("Please bring the Tarnf", "oddle")
    assert not service.knows("Shall we meet at the Kwarbelm", "oor")


COMMIT = """
# Please enter the commit message for your changes. Lines starting
# with '#' will be ignored, and an empty message aborts the commit.
#
# On branch main
#
# ------------------------ >8 ------------------------
# Do not modify or remove the line above.
# Everything below it will be ignored.
diff --git a/lamp.py b/lamp.py
new file mode 100644
--- /dev/null
+++ b/lamp.py
@@ -0,0 +1,2 @@
+def quagmirrorize():
+    return 1
"""


def test_in_a_commit_message_names_of_what_is_changed_are_offered_and_nothing_is_learned(
    run, service, tmp_path
):
    uri = (tmp_path / ".git" / "COMMIT_EDITMSG").as_uri()
    before = service.ask("/v1/status")["entries"]

    async def asked():
        async with editing(service, learn=True) as editor:
            editor.open(uri, COMMIT, "git-commit")
            editor.keys(uri, 0, 0, "Add quagmi")
            found = [await editor.words(uri, 0, 10) for _ in range(2)]
            editor.close(uri, saved=f"Add quagmirrorize to the lamp{COMMIT}")
            return "quagmirrorize" in [item.label for item in found[-1].items]

    assert run(asked())
    assert service.ask("/v1/status")["entries"] == before
