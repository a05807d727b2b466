"""WhatsApp's exported chats: a text file, or the zip archive that holds one, in the phone's own date format.

There is no specification; the two layouts (Android's `DATE, TIME - NAME: TEXT`, the iPhone's `[DATE, TIME] NAME: TEXT`)
and what stands in dates and times by language are known from exports.
"""

from __future__ import annotations

import io
import lzma
import re
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from itertools import islice, pairwise
from pathlib import Path
from typing import IO, Final, cast

from idiolect.daemon.sources.items import LimitError, Skipped, UnreadableError, explained, opened
from idiolect.daemon.sources.people import ChatMessage, writers
from idiolect.daemon.text.lines import Lines

_SAMPLE: Final = 2000  # messages that the order of day and month is found in
#: What reading an archive raises where it is damaged.
_DAMAGED: Final = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError)
_MAX_UNPACKED_BYTES: Final = 1 << 30
_BUFFER_BYTES: Final = 65_536
_LONGEST: Final = 65_536  # characters of a message that are held
# "14:08", "2:08:31 PM", "14.08.18", "오후 2:08", "下午2:08", "2:08 p. m.", "klo 14.08"
_DATE: Final = r"(?P<a>\d{1,4})[./\-]\s?(?P<b>\d{1,2})[./\-]\s?(?P<c>\d{1,4})\.?"
_TIME: Final = (
    r"(?P<early>[^\d\[\]\n]{0,12}?)(?P<hour>\d{1,2})[:.](?P<minute>\d\d)(?:[:.](?P<second>\d\d))?"
    r"(?P<late>\s?[^\W\d_](?:\.?\s?[^\W\d_]){0,5}\.?)?"
)
_ANDROID: Final = re.compile(rf"^{_DATE},?\s{_TIME}\s[-–]\s(?P<rest>.*)$")
_IPHONE: Final = re.compile(rf"^\[{_DATE},?\s{_TIME}\]\s(?P<rest>.*)$")
_MARKS: Final = re.compile(r"[\u200e\u200f\u202a-\u202e\ufeff]")
_NAME: Final = re.compile(r"^(?:~\s?)?([^:\n]{1,80}?):(?:\s|$)(.*)$", re.DOTALL)
_PM: Final = ("p", "오후", "下午", "午後", "م", "μ.μ", "nachm", "ip", "em", "ма", "iltap")
_AM: Final = ("a", "오전", "上午", "午前", "ص", "π.μ", "vorm", "de", "fm", "ap", "aamup", "凌晨", "早上")

_PLACEHOLDER: Final = re.compile(r"^<[^<>\n]{3,60}>$|^null$")  # <Media omitted>, in the phone's language
_ATTACHED: Final = re.compile(r"^\S[^\n]*\.\w{2,5} \([^()\n]{3,40}\)(?:\n|$)")
_EDITED: Final = re.compile(r"(?<!\s)\s*<[^<>\n]{10,60}>$")
_PLACE: Final = re.compile(r"^\w{4,15}: https?://(?:maps\.google|foursquare)\.\S+$")
_DELETED: Final = re.compile(
    r"^(?:(?:this message was|you) deleted (?:this message)?|you deleted this message|diese nachricht wurde gelöscht"
    r"|du hast diese nachricht gelöscht|eliminaste este mensaje|se eliminó este mensaje|vous avez supprimé ce message"
    r"|ce message a été supprimé|hai eliminato questo messaggio|questo messaggio è stato eliminato"
    r"|você apagou esta mensagem|mensagem apagada|je hebt dit bericht verwijderd|dit bericht is verwijderd"
    r"|вы удалили данное сообщение|данное сообщение удалено)\.?$",
    re.IGNORECASE,
)


def looks(path: Path, head: bytes) -> bool:
    """Whether a file is an exported chat, by its first lines, or a zip archive of WhatsApp's, by what it holds."""
    if head.startswith(b"PK\x03\x04"):
        return _in_archive(path) is not None
    lines = head.decode(errors="ignore").splitlines()[:8]
    return sum(_stamped(line) is not None for line in lines) * 2 > len(lines) > 0


def messages(path: Path) -> Iterator[ChatMessage | Skipped]:
    """The chat's messages; what the app says itself and what stands for media is left out.

    The times have no zone in the file: they are this machine's. Raises UnreadableError, NoSuchPathError.
    """
    stamps: list[_Stamp] = []
    with suppress(*_DAMAGED), _lines(path) as lines:
        for stamped in islice(map(_stamped, lines), _SAMPLE):
            if stamped is not None:
                stamps.append(stamped)
    order = _order(stamps)
    try:
        with _lines(path) as lines:
            for stamp, text in _whole(lines):
                found = _NAME.match(_MARKS.sub("", text) if text[:1] in "\u200e\u200f\u202a" else text)
                if found is None:
                    continue  # the app's own notices name nobody
                written = _written(found[2])
                if written:
                    at = stamp.at(order)
                    said = at.replace(tzinfo=None).isoformat() if at else ""
                    yield ChatMessage(_MARKS.sub("", found[1]).strip(), written, at, stamp=said)
    except _DAMAGED:
        yield Skipped(
            path, "damaged archive", f"{path.name}: the archive is damaged; what came before was read"
        )


def guess(path: Path) -> tuple[str, ...]:
    """The user's name in a chat of two, where the file is named after the other one."""
    names = [name for name, _ in writers(messages(path))]
    others = [
        name for name in names if re.search(rf"(?<!\w){re.escape(name)}(?!\w)", path.stem, re.IGNORECASE)
    ]
    return tuple(name for name in names if name not in others) if len(names) == 2 and len(others) == 1 else ()


def _written(text: str) -> str:
    """What the writer typed of a message."""
    if text.startswith(("\u200e", "\u200f")):  # the iPhone marks so what nobody typed
        text = _ATTACHED.sub("", _MARKS.sub("", text)) if "\n" in text else ""
        text = text.partition("\n")[2] if text.startswith("<") else text
    bare = _MARKS.sub("", text).strip()
    if "\u200e<" in text:
        bare = _EDITED.sub("", bare)
    bare = _ATTACHED.sub("", bare).strip()
    return "" if any(rule.match(bare) for rule in (_PLACEHOLDER, _DELETED, _PLACE)) else bare


@dataclass(frozen=True, slots=True)
class _Stamp:
    """A message's date, its three numbers as they stand there, its time, and what follows them."""

    date: tuple[int, int, int]
    hour: int
    minute: int
    second: int
    rest: str

    def at(self, order: str) -> datetime | None:
        """The time, if there is such a one, the date read in an order such as "dmy"."""
        parts = dict(zip(order, self.date, strict=True))
        year = parts["y"] + (2000 if parts["y"] < 100 else 0)
        year -= 543 if year > 2400 else 0  # the Buddhist calendar of Thai phones
        try:
            return datetime(year, parts["m"], parts["d"], self.hour, self.minute, self.second).astimezone()
        except (ValueError, OverflowError, OSError):
            return None


def _stamped(line: str) -> _Stamp | None:
    found = _ANDROID.match(line) or _IPHONE.match(line.lstrip("\u200e\u200f\ufeff"))
    if found is None:
        return None
    said = f"{found['early'] or ''} {found['late'] or ''}".strip().strip(",").lower().strip()
    hour = int(found["hour"])
    if said.startswith(_PM) and hour < 12:
        hour += 12
    elif hour == 12 and said.startswith(_AM):
        hour = 0
    date = (int(found["a"]), int(found["b"]), int(found["c"]))
    return _Stamp(date, hour, int(found["minute"]), int(found["second"] or 0), found["rest"])


def _order(stamps: list[_Stamp]) -> str:
    """In which order day, month and year stand, by all dates: what is no date, and what goes back in time."""

    def doubts(order: str) -> tuple[int, float]:
        times = [stamp.at(order) for stamp in stamps]
        known = [at for at in times if at is not None]
        back = sum(later < earlier for earlier, later in pairwise(known))
        span_s = (max(known) - min(known)).total_seconds() if known else 0.0
        return 10 * (len(times) - len(known)) + back, span_s  # of two ways without a doubt, the denser chat

    if any(stamp.date[0] > 31 for stamp in stamps):
        return "ymd"
    return min(("dmy", "mdy"), key=doubts)


def _whole(lines: Iterator[str]) -> Iterator[tuple[_Stamp, str]]:
    """Each message with all its lines."""
    stamp: _Stamp | None = None
    held: list[str] = []
    size = 0
    for line in lines:
        found = _stamped(line)
        if found is None:
            if size < _LONGEST:
                held.append(line)
                size += len(line)
            continue
        if stamp is not None:
            yield stamp, "\n".join(held)
        stamp, held, size = found, [found.rest], 0
    if stamp is not None:
        yield stamp, "\n".join(held)


def _in_archive(path: Path) -> str | None:
    """The name of the chat in a zip archive of WhatsApp's; None in any other."""
    try:
        with zipfile.ZipFile(path) as archive:
            texts = [name for name in archive.namelist() if name.endswith(".txt") and "/" not in name]
            if len(texts) != 1:
                return None
            with archive.open(texts[0]) as file:
                head = file.read(4096)
    except (OSError, RuntimeError, NotImplementedError, *_DAMAGED):
        return None
    return texts[0] if not head.startswith(b"PK") and looks(path, head) else None


@contextmanager
def _lines(path: Path) -> Iterator[Iterator[str]]:
    with explained(path):
        if not zipfile.is_zipfile(path):
            with opened(path) as plain:
                yield _without_bom(plain)
            return
        name = _in_archive(path)
        if name is None:
            raise UnreadableError(f"{path} is no chat that WhatsApp exported. Export it again.")
        with zipfile.ZipFile(path) as archive, archive.open(name) as raw:
            yield _without_bom(io.BufferedReader(cast("io.RawIOBase", raw), _BUFFER_BYTES))


def _without_bom(file: IO[bytes]) -> Iterator[str]:
    """The lines of a file, the longest ones in pieces."""
    lines = Lines(file)
    for number, line in enumerate(lines):
        if lines.offset_bytes > _MAX_UNPACKED_BYTES:
            raise LimitError(f"its chat is longer than {_MAX_UNPACKED_BYTES >> 20:,} MB")
        yield line.removeprefix("\ufeff") if not number else line
