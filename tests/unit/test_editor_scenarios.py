"""The table of scenarios through the language server: an editor's messages, as they go over the wire."""

import asyncio
import itertools
import logging
from threading import Event

import pytest
from lsprotocol import types
from pygls.io_ import run_async
from pygls.lsp.client import LanguageClient
from pygls.workspace import TextDocument
from typing_scenarios import Row, equal, key_of, scenarios, text_of

from idiolect.daemon.clients import service_requests
from idiolect.daemon.clients.editors import language_server
from idiolect.daemon.settings import Settings

CAN = {
    *("many lines", "type", "key", "puts", "report", "undoes", "answer", "hidden answer", "corrects", "wait"),
    *("service", "stands", "shows", "note", "title", "asked", "told", "sent", "learns", "passed", "used"),
}
#: What an editor tells of, or what its own keys take; whether it uses a key is its business.
KEYS = {"BackSpace", "Return", "Left", "Tab", "Ctrl+Right", "Alt+-", *(f"Alt+{digit}" for digit in range(10))}
TURNS = 40  # of the loop until each message has had its effects, and these theirs
ROWS = [
    row
    for row in scenarios(door="editor")
    if {verb for _, verb, _ in row.steps} <= CAN
    and {key for _, verb, rest in row.steps if verb == "key" for key in rest.split()} <= KEYS
]


class Wire:
    """What goes from one end to the other."""

    def __init__(self):
        self.end = asyncio.StreamReader()

    def write(self, data):
        self.end.feed_data(data)

    async def drain(self):
        """Nothing waits."""

    def close(self):
        """Nothing is open."""


class Question:
    """A question that waits for what the scenario answers."""

    def __init__(self, body):
        self.prefix, self.answered = body["prefix"], asyncio.get_running_loop().create_future()


class Loop(asyncio.SelectorEventLoop):
    """A loop whose time goes on when a scenario waits."""

    waited_s = 0.0

    def time(self):
        return super().time() + self.waited_s


class EditorRow(Row):
    """Runs one scenario in an editor, and is its service."""

    def __init__(self, scenario, folder):
        super().__init__(scenario)
        self.settings, self.uri = Settings(home=folder / "home"), (folder / "letter.txt").as_uri()
        self.loop, self.versions = Loop(), itertools.count(1)
        self.version, self.words, self.grey = 0, [], None
        self.questions, self.requests, self.answers = [], [], {}

    def run(self):
        try:
            super().run()
        finally:
            self.loop.run_until_complete(self._end())
            self.loop.close()

    def settle(self, work=lambda: None):
        """Do something as the editor, until nothing follows any more."""

        async def settled():
            work()
            for _ in range(TURNS):
                await asyncio.sleep(0)

        self.loop.run_until_complete(settled())

    # The editor

    def begin(self):
        async def start():
            self.server = language_server._Server("idiolect", "1")
            self.editing = language_server.Editing(self.server, self.settings)
            self.editor, self.stop = LanguageClient("tester", "1"), Event()
            there, back = Wire(), Wire()
            self.editor.protocol.set_writer(there)
            self.server.protocol.set_writer(back)
            for wire, end in ((there, self.server), (back, self.editor)):
                served = run_async(self.stop, wire.end, end.protocol, logging.getLogger("test"), self._fail)
                self.requests.append(asyncio.ensure_future(served))
            options = {"learn": True, "after_space": True}
            await self.editor.initialize_async(
                types.InitializeParams(
                    types.ClientCapabilities(),
                    client_info=types.ClientInfo("Tester"),
                    initialization_options=options,
                )
            )
            self.editor.initialized(types.InitializedParams())
            item = types.TextDocumentItem(self.uri, "plaintext", next(self.versions), self.text)
            self.editor.text_document_did_open(types.DidOpenTextDocumentParams(item))

        self.loop.run_until_complete(start())

    async def _end(self):
        open_tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in open_tasks:
            task.cancel()
        await asyncio.gather(*open_tasks, return_exceptions=True)

    def _fail(self, error, _source):
        raise error

    def _position(self, offset):
        lines = (self.text + self.behind)[:offset].split("\n")
        return types.Position(len(lines) - 1, len(lines[-1]))

    def _edit(self, start, end, new, *, then=True):
        """Tell of an edit, and ask as editors do by themselves."""
        whole = self.text + self.behind
        place = types.Range(self._position(start), self._position(end))
        self.version = next(self.versions)
        self.words, self.grey = [], None
        self.editor.text_document_did_change(
            types.DidChangeTextDocumentParams(
                types.VersionedTextDocumentIdentifier(self.version, self.uri),
                [types.TextDocumentContentChangePartial(place, new)],
            )
        )
        behind = max(len(self.text) - end, 0)
        whole = whole[:start] + new + whole[end:]
        caret = start + len(new) + behind
        self.text, self.behind = whole[:caret], whole[caret:]
        if then:
            self._ask(new)

    def _ask(self, typed=""):
        document, here = types.TextDocumentIdentifier(self.uri), self._position(len(self.text))
        if typed in language_server._ENDINGS:
            options = types.FormattingOptions(4, True)
            params = types.DocumentOnTypeFormattingParams(document, here, typed, options)
            self._start(self.editor.text_document_on_type_formatting_async(params), self._mend)
        params = types.CompletionParams(document, here)
        self._start(self.editor.text_document_completion_async(params), self._list)
        context = types.InlineCompletionContext(types.InlineCompletionTriggerKind.Automatic)
        params = types.InlineCompletionParams(context, document, here)
        self._start(self.editor.text_document_inline_completion_async(params), self._show)

    def _start(self, request, take):
        """Ask, and take the answer unless the text has changed meanwhile."""

        async def asked(version):
            found = await request
            if version == self.version and found:
                take(found)

        self.requests.append(asyncio.ensure_future(asked(self.version)))

    def _mend(self, edits):
        for edit in edits:
            self._edit(*self._offsets(edit.range), edit.new_text)

    def _offsets(self, place):
        document = TextDocument(self.uri, self.text + self.behind)
        return document.offset_at_position(place.start), document.offset_at_position(place.end)

    def _list(self, found):
        self.words = found.items

    def _show(self, found):
        [self.grey] = found.items or [None]

    def _take(self, item, start, end, new):
        self._edit(start, end, new)
        command = types.ExecuteCommandParams(item.command.command, item.command.arguments)
        self.requests.append(asyncio.ensure_future(self.editor.workspace_execute_command_async(command)))

    # The service

    async def start(self):
        return None

    async def close(self):
        """Nothing is open."""

    async def send(self, path, body):
        return await self.ask("POST", path, body) is not None

    async def ask(self, _method, path, body=None):
        if not self.hears:
            return None
        if path == "/v1/suggest":
            self.asked, self.asked_in_quiet = Question(body), self.quiet
            self.questions.append(self.asked)
            self.answer_known(self.asked)
            return await self.asked.answered
        if path == "/v1/history":
            self.learned.append(body["text"])
        elif path == "/v1/feedback":
            outcome = body["word"] if body["kind"] == "correction" else body.get("characters", 0)
            self.told.append(f"{body['kind']} {body['outcome']} {outcome}".removesuffix(" 0"))
        else:
            self.sent += [] if path == "/v1/status" else [path]
        return self.told_always()

    def say(self, ask, *told, **more):
        if not ask.answered.done():
            ask.answered.set_result(self.answer_to(ask.prefix, *told, **more))

    # What happens

    def happen(self, *_event):
        """An editor tells what has happened."""

    def do_many_lines(self, _rest):
        """A document has several."""

    def do_type(self, rest):
        for char in text_of(rest):
            self.settle(lambda char=char: self._edit(len(self.text), len(self.text), char))

    def do_key(self, rest):
        for name in rest.split():
            self.settle(lambda name=name: self._press(name))
            if name == "Alt+-" and self.text in self.answers:  # the service answers as before
                self.do_answer(self.answers[self.text])

    def _press(self, name):
        at, version = len(self.text), self.version
        self.used = name == "Alt+-"
        match name:
            case "BackSpace":
                self._edit(at - 1, at, "")
            case "Return":
                self._edit(at, at, "\n")
            case "Left":
                self.text, self.behind = self.text[:-1], self.text[-1:] + self.behind
            case "Alt+-":
                self._ask()
            case "Tab" | "Alt+0" if self.grey is not None:
                self._take(self.grey, at, at, self.grey.insert_text)
            case "Ctrl+Right" if self.grey is not None:
                before, word, rest = self.grey.insert_text.partition(self.grey.insert_text.split()[0])
                self._edit(at, at, before + word)
                self.grey = types.InlineCompletionItem(rest)
            case _ if name[-1] in "12345" and self.words:
                number = key_of(name)[0] - ord("1")
                edit = self.words[number].text_edit
                self._take(self.words[number], *self._offsets(edit.range), edit.new_text)
        self.used = self.used or (self.version > version and name not in ("BackSpace", "Return"))

    def do_puts(self, rest):
        self.settle(lambda: self._edit(0, len(self.text), text_of(rest), then=False))

    do_undoes = do_puts

    def do_report(self, rest):
        before, caret, behind = rest.partition("|")
        if caret:
            self.settle(lambda: self._edit(0, len(self.text + self.behind), before + behind, then=False))
            self.text, self.behind = before, behind

    def do_wait(self, rest):
        self.loop.waited_s += float(rest)
        self.settle()

    def do_answer(self, rest, *, listed=True):
        prefix = rest[1:].partition("] ")[0] if rest.startswith("[") else self.text
        told = rest.partition("] ")[2] if rest.startswith("[") else rest
        self.answers[prefix] = told
        asked = [one for one in self.questions if one.prefix == prefix and not one.answered.done()]
        assert asked, f"not asked: {prefix!r}"
        latest = self.asked
        for self.asked in asked:
            self.settle(lambda: super(EditorRow, self).do_answer(told, listed=listed))
        self.asked = latest

    # What holds

    def has_stands(self, rest):
        assert text_of(rest) in (self.text, self.text + self.behind), (self.text, self.behind)

    def has_note(self, _rest):
        """An editor has no place for it."""

    def has_title(self, rest):
        equal(self.editing._runner.session.menu().title, f"idiolect: {rest}")

    def has_shows(self, rest):
        words, _, grey = rest.partition("/")
        wanted = [word.strip() for word in words.split(",")]
        shown = self.grey.insert_text.strip() if self.grey else ""
        found = [item.label for item in self.words], shown
        assert found == ([one for one in wanted if one not in ("", "nothing")], grey.strip()), found

    def has_learns(self, rest):
        whole, document = self.text + self.behind, types.TextDocumentIdentifier(self.uri)

        def close():
            self.editor.text_document_did_save(types.DidSaveTextDocumentParams(document, whole))
            self.editor.text_document_did_close(types.DidCloseTextDocumentParams(document))

        self.settle(close)
        assert self.learned == ([] if rest == "nothing" else [rest]), self.learned


@pytest.mark.parametrize("scenario", ROWS, ids=str)
def test_what_follows_from_what_is_typed_in_an_editor(scenario, tmp_path, monkeypatch):
    row = EditorRow(scenario, tmp_path)
    for module in (language_server, service_requests):
        monkeypatch.setattr(module, "ServiceLink", lambda *_: row)
    monkeypatch.setattr(service_requests, "_COUNTING_S", 0.0)
    row.run()
