"""The language server: a client of the service that speaks the Language Server Protocol with an editor.

It holds the open documents, and asks the service for words and ghost texts at the cursor. If it may learn, it sends
the service the newly typed text of each saved document.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any, Final
from urllib.parse import unquote

import pydantic
from lsprotocol import types
from pygls.exceptions import JsonRpcMethodNotFound
from pygls.lsp.server import LanguageServer
from pygls.uris import to_fs_path, urlparse
from pygls.workspace import TextDocument
from typing_extensions import override

from idiolect.daemon.clients.editors import lsp_completions, prose, quick_fixes
from idiolect.daemon.clients.editors.editor_runner import EditorRunner
from idiolect.daemon.clients.editors.open_document import (
    Document,
    OpenDocument,
    edited,
    holds,
    read_changed_ns,
)
from idiolect.daemon.clients.editors.quick_fixes import position_at
from idiolect.daemon.clients.service_link import ServiceLink, open_client_log
from idiolect.daemon.runtime.tokens import Scope
from idiolect.daemon.session import effects, events
from idiolect.daemon.session import field as session_field
from idiolect.daemon.settings import Settings

_SUFFIX_CHARS: Final = 1000
#: The characters that end a word.
_ENDINGS: Final = (" ", ".", ",", ";", ":", "!", "?", ")")


class Options(pydantic.BaseModel):
    """What an editor may set (`initializationOptions`)."""

    model_config = pydantic.ConfigDict(extra="forbid", strict=True, frozen=True)

    learn: bool = False
    words: Annotated[int, pydantic.Field(ge=0, le=20)] = 3
    ghost_words: Annotated[int, pydantic.Field(ge=1, le=32)] = 8
    after_space: bool = False
    corrections: bool = True
    languages: Annotated[tuple[str, ...], pydantic.Field(strict=False)] = ()


class Editing:
    """One editor's session: its documents and its requests."""

    def __init__(self, server: LanguageServer, settings: Settings) -> None:
        """Register the features with the server."""
        self._server = server
        self._settings = settings
        self._options = Options()
        self._runner = self.make_runner()
        self._app: str | None = None
        self._wrong_option: str | None = None
        for name, handler, *options in (
            (types.INITIALIZE, self._initialize),
            (types.INITIALIZED, self._initialized),
            (types.TEXT_DOCUMENT_DID_OPEN, self._opened),
            (types.TEXT_DOCUMENT_DID_CHANGE, self._changed),
            (types.TEXT_DOCUMENT_DID_CLOSE, self._closed),
            (types.SHUTDOWN, self._shutdown),
            (types.TEXT_DOCUMENT_DID_SAVE, self._saved, types.SaveOptions(include_text=True)),
            (types.TEXT_DOCUMENT_INLINE_COMPLETION, self._inline, types.InlineCompletionOptions()),
            (types.TEXT_DOCUMENT_CODE_ACTION, self._actions),
            (
                types.TEXT_DOCUMENT_ON_TYPE_FORMATTING,
                self._mend,
                types.DocumentOnTypeFormattingOptions(_ENDINGS[0], _ENDINGS[1:]),
            ),
        ):
            server.feature(name, *options)(
                partial(handler)
            )  # pygls sets attributes on it, which a method has not
        server.command(lsp_completions.ACCEPTED)(partial(self._accepted))
        server.command(lsp_completions.DECIDED)(partial(self._decided))

    def make_runner(self) -> EditorRunner:
        """Return what runs the session, with the narrowest scope that this editor needs."""
        return EditorRunner(self._settings, learn=self._options.learn)

    # The session

    def _initialize(self, params: types.InitializeParams) -> None:
        self._app = params.client_info.name[:1000] or None if params.client_info else None
        if params.initialization_options:
            try:
                self._options = Options.model_validate(params.initialization_options)
            except pydantic.ValidationError as error:
                self._wrong_option = ".".join(map(str, error.errors(include_input=False)[0]["loc"]))
        self._runner = self.make_runner()
        triggers = [" "] if self._options.after_space else None
        self._server.feature(
            types.TEXT_DOCUMENT_COMPLETION, types.CompletionOptions(trigger_characters=triggers)
        )(partial(self._complete))

    async def _initialized(self, _params: types.InitializedParams) -> None:
        if self._wrong_option is not None:
            self._show_warning(
                f"the option '{self._wrong_option}' is not known or has a value that is not allowed"
            )
        if (trouble := await self._link.start()) is not None:
            self._show_warning(trouble)

    async def _shutdown(self, _params: None) -> None:
        await self._runner.finish()

    async def finish(self) -> None:
        """Send the text that waits, in another event loop than before."""
        self._runner.requests.link = self.make_runner().requests.link
        await self._runner.finish()

    @property
    def _link(self) -> ServiceLink:
        return self._runner.requests.link

    def _show_warning(self, sentence: str) -> None:
        self._server.window_show_message(
            types.ShowMessageParams(types.MessageType.Warning, f"idiolect: {sentence}")
        )

    # Documents

    def _opened(self, params: types.DidOpenTextDocumentParams) -> None:
        document = params.text_document
        uri, language = document.uri, document.language_id.lower()
        if language not in prose.LANGUAGES and language not in self._options.languages:
            return
        scheme = urlparse(uri)[0]
        if scheme not in ("file", "untitled", ""):  # such as an older version that the editor shows
            return
        given = to_fs_path(uri) if scheme == "file" else None
        path = Path(given) if given else None
        private = self._runner.private_files
        if path is not None and private.covers(path, hidden=False):
            return
        workspace = self._server.workspace
        workspace.text_documents[unquote(uri)] = Document(
            uri, document.text, document.version, language, position_codec=workspace.position_codec
        )
        one = OpenDocument(
            uri, language, path, self._runner.session, self._runner.hand, read_changed_ns(path)
        )
        self._runner.open[uri] = one
        learns = path is not None and prose.is_learned(language) and not private.covers(path, hidden=True)
        mends = self._options.corrections and language in prose.LANGUAGES
        field = session_field.Document(uri=uri, editor=self._app, is_mended=mends, is_learned=learns)
        self._runner.tell(one, events.DocumentOpened(field, document.text))

    def _changed(self, params: types.DidChangeTextDocumentParams) -> None:
        if (one := self._runner.open.get(params.text_document.uri)) is None:
            return
        self._runner.release(one)
        codec = self._server.workspace.position_codec
        found = tuple(edited(one.engine.text, params.content_changes, codec))
        if one.path is not None and one.changed_ns != (changed_ns := read_changed_ns(one.path)):
            one.changed_ns = changed_ns
            if holds(one.path, self._document(one.uri).source):
                one.held = found
                return
        for event in found:
            self._runner.handle(event, one)

    def _saved(self, params: types.DidSaveTextDocumentParams) -> None:
        one = self._runner.open.get(params.text_document.uri)
        if one is None:
            return
        self._runner.release(one, by_program=False)
        if params.text is not None and params.text != one.engine.text:  # Kate reports the last keys only here
            change = types.TextDocumentContentChangeWholeDocument(params.text)
            for event in edited(one.engine.text, [change], self._server.workspace.position_codec):
                self._runner.handle(event, one)
        one.changed_ns, one.saved = read_changed_ns(one.path), one.engine.text
        self._runner.handle(events.DocumentSaved(), one)

    def _closed(self, params: types.DidCloseTextDocumentParams) -> None:
        if (one := self._runner.open.get(params.text_document.uri)) is not None:
            self._runner.tell(one, events.FocusGone())
            del self._runner.open[params.text_document.uri]

    def _document(self, uri: str) -> TextDocument:
        return self._server.workspace.get_text_document(uri)

    # Suggestions

    async def _complete(self, params: types.CompletionParams) -> types.CompletionList | None:
        found = await self._suggest(params, words=self._options.words, ghost_words=0)
        if found is None:
            return None
        one, answer, before, document = found
        offer = one.engine.list_words(answer, before, self._options.words)

        def column(characters: int) -> int:
            return int(document.position_codec.client_num_units(before[:characters]))

        items = lsp_completions.completions(offer, before, params.position.line, column)
        one.offered = tuple(item.label for item in items) or one.offered
        return types.CompletionList(is_incomplete=True, items=items)

    async def _inline(self, params: types.InlineCompletionParams) -> types.InlineCompletionList | None:
        if params.context.selected_completion_info is not None:  # a ghost text would have to continue that
            return None
        found = await self._suggest(params, words=0, ghost_words=self._options.ghost_words)
        if found is None:
            return types.InlineCompletionList(items=[])
        one, answer, before, _ = found
        asks = params.context.trigger_kind == types.InlineCompletionTriggerKind.Invoked
        if (ghost := one.engine.show_grey(answer, before, asks=asks)) is None:
            return types.InlineCompletionList(items=[])
        show = answer["ghost"]["show"]
        return types.InlineCompletionList(
            [lsp_completions.inline_completion(ghost, params.position, show=show)]
        )

    async def _suggest(
        self, params: types.CompletionParams | types.InlineCompletionParams, *, words: int, ghost_words: int
    ) -> tuple[OpenDocument, dict[str, Any], str, TextDocument] | None:
        """Return the document, the service's answer, and the line before the cursor; None for no suggestions."""
        one = self._runner.open.get(params.text_document.uri)
        if one is None:
            return None
        document = self._document(params.text_document.uri)
        offset = document.offset_at_position(params.position)
        more = {
            "suffix": document.source[offset : offset + _SUFFIX_CHARS],
            "candidates": words,
            "ghost_words": ghost_words,
            "corrections": self._options.corrections and words > 0,
            "correct_before": False,
        }
        asked = await self._ask(one, document, events.CaretPlaced(offset), more)
        if asked is None:
            return None
        ask, answer = asked
        self._runner.handle(events.Answered(replace(ask, silent=True), answer), one)
        text = document.source
        line = text[text.rfind("\n", 0, offset) + 1 : offset]
        if not self._runner.session.shows(ask):
            return None
        return one, answer, line, document

    async def _ask(
        self, one: OpenDocument, document: TextDocument, place: events.CaretPlaced, more: dict[str, Any]
    ) -> tuple[effects.AskService, dict[str, Any]] | None:
        """Ask what the session asks about a place; None for no answer, and for a text that has changed meanwhile."""
        self._runner.tell(one, place)
        text, ask = document.source, one.ask
        reply = prose.reply(text[: place.offset], text[place.offset :], one.language)
        if ask is None or reply.prefix is None or not text[: place.offset].endswith(ask.prefix):
            return None
        body = {**ask.body, **more, "prefix": reply.prefix}
        if one.engine.answering.sees:
            body["context"] = reply.context()
        answer = await self._link.ask("POST", "/v1/suggest", ask.body if ask.silent else body)
        if self._runner.open.get(one.uri) is not one or document.source != text:
            return None  # a key was typed meanwhile: the editor asks again
        return None if answer is None else (ask, answer)

    async def _mend(self, params: types.DocumentOnTypeFormattingParams) -> list[types.TextEdit]:
        one = self._runner.open.get(params.text_document.uri)
        if one is None or not one.engine.field.mends:
            return []
        document = self._document(params.text_document.uri)
        offset = document.offset_at_position(params.position)
        place = events.CaretPlaced(offset, params.ch)
        asked = await self._ask(one, document, place, {"candidates": 0, "ghost_words": 0})
        one.mended = None
        if asked is not None:
            self._runner.handle(events.Answered(*asked), one)
        if one.mended is None:
            return []
        put, start = one.mended.text, offset - one.mended.replace
        while offset > start and document.source[offset - 1] == put[-1:] and not put[-1:].isalnum():
            put, offset = put[:-1], offset - 1  # the mark behind it stays
        ends = types.Range(position_at(document, start), position_at(document, offset))
        return [types.TextEdit(ends, put)]

    async def _actions(self, params: types.CodeActionParams) -> list[types.CodeAction] | None:
        one = self._runner.open.get(params.text_document.uri)
        if one is None:
            return None
        document = self._document(params.text_document.uri)
        number, last = params.range.start.line, params.range.end
        lines = document.lines
        line = lines[number].rstrip("\r\n") if number < len(lines) else ""
        begin = document.offset_at_position(types.Position(number, 0))
        start = document.offset_at_position(params.range.start) - begin
        end = document.offset_at_position(last) - begin if last.line == number else start
        decisions = lsp_completions.decisions(line, start, max(start, end), one.offered)
        if not self._options.corrections:
            return decisions
        asked = (self._link, document, last, one.language, self._app)
        fixes = await quick_fixes.quick_fixes(*asked, sees_context=bool(one.engine.answering.sees))
        return [*fixes, *decisions]

    async def _decided(self, *given: Any) -> None:
        """Store the user's decision about a word; the editor runs this command."""
        for body in given:
            if isinstance(body, dict):
                # The user decides, whether or not this editor may learn.
                link = ServiceLink(self._settings, Scope.LEARN)
                if not await link.send("/v1/words/add", body):
                    self._show_warning("the service does not answer, so nothing was changed")
                await link.close()

    async def _accepted(self, *given: Any) -> None:
        """Report a taken suggestion; the editor runs this command."""
        for figures in given:
            if isinstance(figures, dict):
                for body in lsp_completions.feedback(figures):
                    await self._link.ask("POST", "/v1/feedback", {**body, "app": self._app})


class _Server(LanguageServer):
    @override
    def report_server_error(self, error: Exception, source: Any) -> None:
        """Log the kind of the error alone: its message may hold the user's text, and editors keep logs.

        An editor that asks for a feature that was not offered is answered, and not logged.
        """
        if not isinstance(error, JsonRpcMethodNotFound):
            logging.getLogger("idiolect.editor").error(
                "the editor sent a message that failed", exc_info=error
            )


def serve(settings: Settings) -> None:
    """Serve one editor over stdin and stdout until it goes."""
    open_client_log(settings)
    server = _Server("idiolect", version("idiolect"), max_workers=2)
    editing = Editing(server, settings)
    server.start_io()
    asyncio.run(editing.finish())  # the editor may have saved just before it went
