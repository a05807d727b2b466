"""The language server: a thin client of the service that speaks the Language Server Protocol with an editor.

It holds the documents that are open, asks the service for words and ghost texts at the cursor, and, if it is allowed
to, tells the service what was newly typed in a document when that is saved.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Coroutine
from dataclasses import dataclass
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
from idiolect.daemon.clients.editors.document_authorship import Authorship, Paragraph, Saved
from idiolect.daemon.clients.editors.document_changes import (
    ChangeFollower,
    Document,
    changed_ns,
    holds,
    typed_character,
)
from idiolect.daemon.clients.editors.private_files import Privacy
from idiolect.daemon.clients.link import ServiceLink, open_client_log
from idiolect.daemon.clients.typing_speed import TypingSpeed
from idiolect.daemon.endpoint.tokens import Scope
from idiolect.daemon.settings import Settings
from idiolect.daemon.text.typed_text import Pauses, begun

_SOURCE: Final = "editor"
_SUFFIX_CHARS: Final = 1000
_AGAIN_S: Final = 20.0  # until what the service did not take is sent once more
_MAX_NEW: Final = 500  # texts that wait for it, the newest
_LATE_S: Final = 1.0  # after so long an editor has told of what was typed
_GHOSTS_KEPT: Final = 5
_ASKED_S: Final = 0.6  # after a change no editor asks for words by itself any more
_SETTLE_S: Final = 5.0  # after a save: an editor that saves by itself saves half words


class Options(pydantic.BaseModel):
    """What an editor may set (`initializationOptions`)."""

    model_config = pydantic.ConfigDict(extra="forbid", strict=True, frozen=True)

    learn: bool = False
    words: Annotated[int, pydantic.Field(ge=0, le=20)] = 3
    ghost_words: Annotated[int, pydantic.Field(ge=1, le=32)] = 8
    after_space: bool = False
    corrections: bool = True
    languages: Annotated[tuple[str, ...], pydantic.Field(strict=False)] = ()


@dataclass
class _Open:
    """An open document that may be looked at, and what of it is to be learned once it was saved."""

    language: str
    path: Path | None
    authorship: Authorship | None  # None: nothing is learned of it
    changed_ns: int = 0  # when the file was changed last, as far as is known
    typed_s: float = float("-inf")  # when the document was changed last
    sees_context: bool = False  # whether what is answered is used here, as the service said last
    listed_at: tuple[int, int] | None = (
        None  # the line and the beginning of the word that words were shown for
    )
    unlisted_at: types.Position | None = None  # where none were shown since its last change
    reread_s: float | None = None  # when the document became what the file holds, without having been saved
    offered: tuple[str, ...] = ()  # the words that were offered last
    ghosts: tuple[str, ...] = ()  # the ghost texts that were
    saved: Saved | None = None
    waiting: asyncio.Task[None] | None = None


@dataclass(frozen=True)
class _New:
    """A paragraph of which something is to be learned, and when it was saved (ISO 8601)."""

    path: Path
    paragraph: Paragraph
    at: str


class Editing:
    """One editor's session: its documents, and what is asked and told for it."""

    def __init__(self, server: LanguageServer, settings: Settings) -> None:
        """Register with the server what it can do."""
        self._server = server
        self._settings = settings
        self._privacy = Privacy(settings)
        self._options = Options()
        self._link = self.link()
        self._app: str | None = None
        self._open: dict[str, _Open] = {}
        self._new: list[_New] = []
        self._sending = asyncio.Lock()
        self._again: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._following = ChangeFollower()
        self._speed = TypingSpeed()
        self._wrong_option: str | None = None
        for name, handler in (
            (types.INITIALIZE, self._initialize),
            (types.INITIALIZED, self._initialized),
            (types.TEXT_DOCUMENT_DID_OPEN, self._opened),
            (types.TEXT_DOCUMENT_DID_CHANGE, self._changed),
            (types.TEXT_DOCUMENT_DID_CLOSE, self._closed),
            (types.SHUTDOWN, self._shutdown),
        ):
            server.feature(name)(partial(handler))  # it is marked, which a method cannot be
        server.feature(types.TEXT_DOCUMENT_DID_SAVE, types.SaveOptions(include_text=True))(
            partial(self._saved)
        )
        server.feature(types.TEXT_DOCUMENT_INLINE_COMPLETION, types.InlineCompletionOptions())(
            partial(self._inline)
        )
        server.feature(types.TEXT_DOCUMENT_CODE_ACTION)(partial(self._actions))
        server.command(lsp_completions.ACCEPTED)(partial(self._accepted))
        server.command(lsp_completions.DECIDED)(partial(self._decided))

    def link(self) -> ServiceLink:
        """A way to the service, which lets no more be done than this editor needs."""
        return ServiceLink(self._settings, Scope.LEARN if self._options.learn else Scope.SUGGEST)

    # The session

    def _initialize(self, params: types.InitializeParams) -> None:
        self._app = params.client_info.name[:1000] or None if params.client_info else None
        if params.initialization_options:
            try:
                self._options = Options.model_validate(params.initialization_options)
            except pydantic.ValidationError as error:
                self._wrong_option = ".".join(map(str, error.errors(include_input=False)[0]["loc"]))
        self._link = self.link()
        triggers = [" "] if self._options.after_space else None
        self._server.feature(
            types.TEXT_DOCUMENT_COMPLETION, types.CompletionOptions(trigger_characters=triggers)
        )(partial(self._complete))

    async def _initialized(self, _params: types.InitializedParams) -> None:
        if self._wrong_option is not None:
            self._say(f"the option '{self._wrong_option}' is not known or has a value that is not allowed")
        if (trouble := await self._link.start()) is not None:
            self._say(trouble)

    async def _shutdown(self, _params: None) -> None:
        await self.finish(self._link)

    async def finish(self, link: ServiceLink) -> None:
        """Learn what was saved and waits, by a link of this event loop, and close that."""
        self._link = link
        for one in self._open.values():
            self._ready(one)
        await self._send_typed()
        await self._link.close()

    def _say(self, sentence: str) -> None:
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
        if path is not None and self._privacy.covers(path, hidden=False):
            return
        learns = self._options.learn and path and prose.is_learned(language)
        workspace = self._server.workspace
        workspace.text_documents[unquote(uri)] = Document(
            uri,
            document.text,
            document.version,
            document.language_id,
            position_codec=workspace.position_codec,
        )
        authorship = Authorship(document.text) if learns else None
        self._open[uri] = _Open(language, path, authorship, changed_ns(path))

    def _changed(self, params: types.DidChangeTextDocumentParams) -> None:
        one = self._open.get(params.text_document.uri)
        if one is None:
            return
        one.typed_s, one.unlisted_at = time.monotonic(), None
        self._speed.key(typed_character(params.content_changes), one.typed_s)
        if one.authorship is None:
            return
        authorship = one.authorship
        if one.reread_s is not None:  # it was not saved, so the file was changed by another program
            authorship.disown(one.reread_s)
            one.reread_s = None
        now_s = time.time()
        codec = self._server.workspace.position_codec
        self._following.follow(authorship, params.content_changes, one.ghosts, codec, now_s)
        if one.path is not None and one.changed_ns != (written_ns := changed_ns(one.path)):
            if holds(one.path, authorship.text):
                one.reread_s = now_s
            one.changed_ns = written_ns

    def _saved(self, params: types.DidSaveTextDocumentParams) -> None:
        one = self._open.get(params.text_document.uri)
        if one is None or one.authorship is None:
            return
        one.reread_s = None
        one.changed_ns = changed_ns(one.path)
        if (
            params.text is not None and params.text != one.authorship.text
        ):  # Kate tells of the last keys only so
            whole = types.TextDocumentContentChangeWholeDocument(text=params.text)
            codec = self._server.workspace.position_codec
            self._following.follow(one.authorship, [whole], one.ghosts, codec, time.time())
        one.saved = one.authorship.saved()
        if one.waiting is not None:
            one.waiting.cancel()
        one.waiting = self._keep(self._learn_later(one))

    def _closed(self, params: types.DidCloseTextDocumentParams) -> None:
        if (one := self._open.pop(params.text_document.uri, None)) is not None:
            self._ready(one)
            self._keep(self._send_typed())

    def _document(self, uri: str) -> TextDocument:
        return self._server.workspace.get_text_document(uri)

    # Learning

    async def _learn_later(self, one: _Open) -> None:
        await asyncio.sleep(_SETTLE_S)
        one.waiting = None
        self._ready(one)
        await self._send_typed()

    def _ready(self, one: _Open) -> None:
        """What was newly typed in a document, up to its last save, waits to be told."""
        if one.waiting is not None:
            one.waiting.cancel()
            one.waiting = None
        saved, one.saved = one.saved, None
        if saved is None or one.authorship is None or one.path is None:
            return
        new = one.authorship.new(saved, prose.read(saved.text, one.language) or [])
        if new and not self._privacy.covers(one.path, hidden=True):
            now = datetime.now(UTC).isoformat()
            self._new += [_New(one.path, paragraph, now) for paragraph in new]

    async def _send_typed(self) -> None:
        """Send what waits; what the service does not take now waits on, and is sent after a while or with more."""
        async with self._sending:
            status = await self._link.ask("GET", "/v1/status") if self._new else None
            # Of a folder that is watched it is read there.
            while self._new and status is not None:
                new = self._new[0]
                watched = any(new.path.is_relative_to(folder) for folder in status.get("watches", []))
                if not watched and not await self._sent(new, Pauses.of(status, late_s=_LATE_S)):
                    break
                # Not before: who is cut off here tells it once more, which stores nothing twice.
                self._new.pop(0)
            self._new = self._new[-_MAX_NEW:]
            if self._new and self._again is None:
                self._again = self._keep(self._send_again())

    async def _sent(self, new: _New, pauses: Pauses) -> bool:
        """Send what was typed of a paragraph; whether all of it has been dealt with."""
        for text, before in new.paragraph.new(pauses):
            body = {"text": text, "before": before, "source": _SOURCE, "app": self._app, "at": new.at}
            if not await self._link.send("/v1/history", body):
                return False
        return True

    async def _send_again(self) -> None:
        await asyncio.sleep(_AGAIN_S)
        self._again = None
        await self._send_typed()

    # Suggestions

    async def _complete(self, params: types.CompletionParams) -> types.CompletionList | None:
        found = await self._suggested(params, words=self._options.words, ghost_words=0)
        if found is None:
            return None
        answer, before, document = found

        def column(characters: int) -> int:
            return int(document.position_codec.client_num_units(before[:characters]))

        one, place = self._open[params.text_document.uri], params.position
        word = (place.line, len(before) - len(begun(before)))
        # An editor does not say whether its user asks. Long after the last key it is they who do, or once more.
        asks = time.monotonic() - one.typed_s > _ASKED_S or one.unlisted_at == place
        if not (answer["list"]["show"] or asks or one.listed_at == word):
            one.unlisted_at = place
            return types.CompletionList(is_incomplete=True, items=[])
        one.listed_at = word
        items = lsp_completions.completions(answer, before, place.line, column)
        one.offered = tuple(item.label for item in items)
        return types.CompletionList(is_incomplete=True, items=items)

    async def _inline(self, params: types.InlineCompletionParams) -> types.InlineCompletionList | None:
        if params.context.selected_completion_info is not None:  # a ghost would have to go on from that
            return None
        found = await self._suggested(params, words=0, ghost_words=self._options.ghost_words)
        asked = params.context.trigger_kind == types.InlineCompletionTriggerKind.Invoked
        item = found and lsp_completions.inline_completion(found[0], params.position, asked=asked)
        if item:
            one = self._open[params.text_document.uri]
            one.ghosts = (*one.ghosts, str(item.insert_text))[-_GHOSTS_KEPT:]
        return types.InlineCompletionList(items=[item] if item else [])

    async def _suggested(
        self, params: types.CompletionParams | types.InlineCompletionParams, *, words: int, ghost_words: int
    ) -> tuple[dict[str, Any], str, TextDocument] | None:
        """The service's answer, the line before the cursor and the document; None where nothing is to be said."""
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
            return None  # another key was typed since: the editor asks again
        line = text[text.rfind("\n", 0, offset) + 1 : offset]
        return None if answer is None else (answer, line, document)

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
        """An editor runs this command once its user decided about a word."""
        for body in given:
            if isinstance(body, dict):
                link = ServiceLink(
                    self._settings, Scope.LEARN
                )  # the user does it, whether or not this editor may learn
                if not await link.send("/v1/words/add", body):
                    self._say("the service does not answer, so nothing was changed")
                await link.close()

    async def _accepted(self, *given: Any) -> None:
        """An editor runs this command once a suggestion was taken."""
        for figures in given:
            if isinstance(figures, dict):
                for body in lsp_completions.feedback(figures):
                    await self._link.ask("POST", "/v1/feedback", {**body, "app": self._app})

    def _keep(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


class _Server(LanguageServer):
    @override
    def report_server_error(self, error: Exception, source: Any) -> None:
        """Say what kind of mistake it was; its message may hold the user's text, and editors keep logs.

        Some ask for what they were not offered; that it cannot be had is all there is to say, and they are told.
        """
        if isinstance(error, JsonRpcMethodNotFound):
            return
        logging.getLogger("idiolect.editor").error(
            "a message of the editor's was not understood", exc_info=error
        )


def serve(settings: Settings) -> None:
    """Serve one editor over stdin and stdout until it goes."""
    open_client_log(settings)
    server = _Server("idiolect", version("idiolect"), max_workers=2)
    editing = Editing(server, settings)
    server.start_io()
    asyncio.run(editing.finish(editing.link()))  # an editor that has gone at once may have saved before
