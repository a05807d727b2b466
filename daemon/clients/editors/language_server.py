"""The language server: a client of the service that speaks the Language Server Protocol with an editor.

It holds the open documents, and asks the service for words and ghost texts at the cursor. If it may learn, it sends
the service the newly typed text of each saved document.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Coroutine, Sequence
from datetime import UTC, datetime
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
from idiolect.daemon.clients.editors.document_authorship import Authorship
from idiolect.daemon.clients.editors.document_changes import (
    ChangeFollower,
    Document,
    holds,
    read_changed_ns,
    typed_key,
)
from idiolect.daemon.clients.editors.open_document import OpenDocument, SavedParagraph
from idiolect.daemon.clients.editors.private_files import PrivateFiles
from idiolect.daemon.clients.editors.type_formatting import TRIGGERS
from idiolect.daemon.clients.link import ServiceLink, open_client_log
from idiolect.daemon.clients.outbox import Outbox
from idiolect.daemon.endpoint.tokens import Scope
from idiolect.daemon.session.typing_speed import TypingSpeed
from idiolect.daemon.settings import Settings
from idiolect.daemon.text.typed_text import Pauses, begun

_SOURCE: Final = "editor"
_SUFFIX_CHARS: Final = 1000
_LATE_S: Final = 1.0  # an editor reports a key at most so much later
_GHOSTS_KEPT: Final = 5
_BY_ITSELF_S: Final = 0.6  # an editor that asks for words by itself does so within this time of a change
_SAVE_DELAY_S: Final = 5.0  # an editor that saves by itself saves half words


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
        self._private_files = PrivateFiles(settings)
        self._options = Options()
        self._link = self.make_link()
        self._app: str | None = None
        self._open: dict[str, OpenDocument] = {}
        self._outbox = Outbox(self._send_typed)
        self._tasks: set[asyncio.Task[None]] = set()
        self._following = ChangeFollower()
        self._speed = TypingSpeed()
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
                types.DocumentOnTypeFormattingOptions(TRIGGERS[0], TRIGGERS[1:]),
            ),
        ):
            server.feature(name, *options)(
                partial(handler)
            )  # pygls sets attributes on it, which a method has not
        server.command(lsp_completions.ACCEPTED)(partial(self._accepted))
        server.command(lsp_completions.DECIDED)(partial(self._decided))

    def make_link(self) -> ServiceLink:
        """Return a link to the service with the narrowest scope that this editor needs."""
        return ServiceLink(self._settings, Scope.LEARN if self._options.learn else Scope.SUGGEST)

    # The session

    def _initialize(self, params: types.InitializeParams) -> None:
        self._app = params.client_info.name[:1000] or None if params.client_info else None
        if params.initialization_options:
            try:
                self._options = Options.model_validate(params.initialization_options)
            except pydantic.ValidationError as error:
                self._wrong_option = ".".join(map(str, error.errors(include_input=False)[0]["loc"]))
        self._link = self.make_link()
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
        await self.finish(self._link)

    async def finish(self, link: ServiceLink) -> None:
        """Send the text that waits over a link of this event loop, and close the link."""
        self._link = link
        for one in self._open.values():
            self._collect_typed(one)
        await self._outbox.finish()
        await self._link.close()

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
        if path is not None and self._private_files.covers(path, hidden=False):
            return
        learns = self._options.learn and path and prose.is_learned(language)
        workspace = self._server.workspace
        workspace.text_documents[unquote(uri)] = Document(
            uri, document.text, document.version, language, position_codec=workspace.position_codec
        )
        authorship = Authorship(document.text) if learns else None
        self._open[uri] = OpenDocument(language, path, authorship, read_changed_ns(path))

    def _changed(self, params: types.DidChangeTextDocumentParams) -> None:
        one = self._open.get(params.text_document.uri)
        if one is None:
            return
        one.changed_s, one.unlisted_at = time.monotonic(), None
        typed, caret, behind = typed_key(params.content_changes)
        self._speed.key(typed, one.changed_s)
        if caret != one.caret:
            one.slips.key("", one.changed_s)
        one.caret, slip = behind, one.slips.key(typed, one.changed_s)
        if slip and one.authorship and one.path and not self._private_files.covers(one.path, hidden=True):
            self._start(self._send_slip(slip))
        self._follow(one, params.content_changes)

    def _follow(self, one: OpenDocument, changes: Sequence[types.TextDocumentContentChangeEvent]) -> None:
        authorship = one.authorship
        if authorship is None:
            return
        if one.reread_s is not None:  # no save followed, so another program had changed the file
            authorship.disown(one.reread_s)
            one.reread_s = None
        now_s = time.time()
        codec = self._server.workspace.position_codec
        self._following.follow(authorship, changes, one.ghosts, codec, now_s)
        if one.path is not None and one.changed_ns != (changed_ns := read_changed_ns(one.path)):
            if holds(one.path, authorship.text):
                one.reread_s = now_s
            one.changed_ns = changed_ns

    def _saved(self, params: types.DidSaveTextDocumentParams) -> None:
        one = self._open.get(params.text_document.uri)
        if one is None or one.authorship is None:
            return
        one.reread_s, one.changed_ns = None, read_changed_ns(one.path)
        if (
            params.text is not None and params.text != one.authorship.text
        ):  # Kate reports the last keys only here
            self._follow(one, [types.TextDocumentContentChangeWholeDocument(text=params.text)])
        one.saved = one.authorship.saved()
        if one.learning is not None:
            one.learning.cancel()
        one.learning = self._start(self._learn_later(one))

    def _closed(self, params: types.DidCloseTextDocumentParams) -> None:
        if (one := self._open.pop(params.text_document.uri, None)) is not None:
            self._collect_typed(one)
            self._outbox.start()

    def _document(self, uri: str) -> TextDocument:
        return self._server.workspace.get_text_document(uri)

    # Learning

    async def _learn_later(self, one: OpenDocument) -> None:
        await asyncio.sleep(_SAVE_DELAY_S)
        one.learning = None
        self._collect_typed(one)
        self._outbox.start()

    def _collect_typed(self, one: OpenDocument) -> None:
        """Put the newly typed paragraphs of a document's last save into the queue."""
        if one.learning is not None:
            one.learning.cancel()
            one.learning = None
        saved, one.saved = one.saved, None
        if saved is None or one.authorship is None or one.path is None:
            return
        new = one.authorship.new(saved, prose.read(saved.text, one.language) or [])
        if new and not self._private_files.covers(one.path, hidden=True):
            now = datetime.now(UTC).isoformat()
            self._outbox.put(*(SavedParagraph(one.path, paragraph, now) for paragraph in new))

    async def _send_slip(self, slip: dict[str, str]) -> None:
        await self._link.ask("POST", "/v1/slip", {**slip, "app": self._app})

    async def _send_typed(self, waiting: SavedParagraph) -> bool:
        """Send the typed text of a paragraph. Return whether the service took or refused all of it."""
        status = await self._link.ask("GET", "/v1/status")
        if status is None:
            return False
        # The service itself reads files in a watched folder.
        if any(waiting.path.is_relative_to(folder) for folder in status.get("watches", [])):
            return True
        for text, before in waiting.paragraph.new(Pauses.of(status, late_s=_LATE_S)):
            body = {"text": text, "before": before, "source": _SOURCE, "app": self._app, "at": waiting.at}
            if not await self._link.send("/v1/history", body):
                return False
        return True

    # Suggestions

    async def _complete(self, params: types.CompletionParams) -> types.CompletionList | None:
        found = await self._suggest(params, words=self._options.words, ghost_words=0)
        if found is None:
            return None
        answer, before, document = found

        def column(characters: int) -> int:
            return int(document.position_codec.client_num_units(before[:characters]))

        one, place = self._open[params.text_document.uri], params.position
        word = (place.line, len(before) - len(begun(before)))
        # An editor does not say whether its user asks. Long after the last key, or a second time, it is the user.
        asks = time.monotonic() - one.changed_s > _BY_ITSELF_S or one.unlisted_at == place
        if not (answer["list"]["show"] or asks or one.listed_at == word):
            one.unlisted_at = place
            return types.CompletionList(is_incomplete=True, items=[])
        one.listed_at = word
        items = lsp_completions.completions(answer, before, place.line, column)
        one.offered = tuple(item.label for item in items)
        return types.CompletionList(is_incomplete=True, items=items)

    async def _inline(self, params: types.InlineCompletionParams) -> types.InlineCompletionList | None:
        if params.context.selected_completion_info is not None:  # a ghost text would have to continue that
            return None
        found = await self._suggest(params, words=0, ghost_words=self._options.ghost_words)
        asked = params.context.trigger_kind == types.InlineCompletionTriggerKind.Invoked
        item = found and lsp_completions.inline_completion(found[0], params.position, asked=asked)
        if item:
            one = self._open[params.text_document.uri]
            one.ghosts = (*one.ghosts, str(item.insert_text))[-_GHOSTS_KEPT:]
        return types.InlineCompletionList(items=[item] if item else [])

    async def _suggest(
        self, params: types.CompletionParams | types.InlineCompletionParams, *, words: int, ghost_words: int
    ) -> tuple[dict[str, Any], str, TextDocument] | None:
        """Return the service's answer, the line before the cursor and the document; None for no suggestions."""
        one = self._open.get(params.text_document.uri)
        if one is None:
            return None
        document = self._document(params.text_document.uri)
        offset = document.offset_at_position(params.position)
        text = document.source
        reply = prose.reply(text[:offset], text[offset:], one.language)
        if reply.prefix is None:
            return None
        body = {
            "prefix": reply.prefix,
            "suffix": text[offset : offset + _SUFFIX_CHARS],
            "candidates": words,
            "ghost_words": ghost_words,
            "corrections": self._options.corrections and words > 0,
            "app": self._app,
            "letter_ms": self._speed.median_ms,
        }
        if one.sees_context:
            body["context"] = reply.context()
        answer = await self._link.ask("POST", "/v1/suggest", body)
        one.sees_context = answer is not None and answer["sees_context"]
        if self._open.get(params.text_document.uri) is not one or document.source != text:
            return None  # a key was typed meanwhile: the editor asks again
        line = text[text.rfind("\n", 0, offset) + 1 : offset]
        return None if answer is None else (answer, line, document)

    async def _mend(self, params: types.DocumentOnTypeFormattingParams) -> list[types.TextEdit]:
        one = self._open.get(params.text_document.uri)
        if one is None or not self._options.corrections:
            return []

        async def ask(body: dict[str, Any]) -> dict[str, Any] | None:
            return await self._link.ask("POST", "/v1/suggest", {**body, "app": self._app})

        document = self._document(params.text_document.uri)
        return await one.mendings.mend(ask, document, params.position, one.language)

    async def _actions(self, params: types.CodeActionParams) -> list[types.CodeAction] | None:
        one = self._open.get(params.text_document.uri)
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
        fixes = await quick_fixes.quick_fixes(*asked, sees_context=one.sees_context)
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

    def _start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


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
    asyncio.run(editing.finish(editing.make_link()))  # the editor may have saved just before it went
