"""What tests of reading share: files to be read, what a source gives, and a store with the way into it."""

import mailbox
import subprocess
from collections.abc import Callable
from email.message import EmailMessage
from pathlib import Path

from idiolect.daemon.ingest.ingest import Ingest
from idiolect.daemon.profile.events import Learned
from idiolect.daemon.profile.profile import Profile as LearningProfile
from idiolect.daemon.settings import Settings
from idiolect.daemon.sources.items import Item, ReadReport, Skipped
from idiolect.daemon.sources.kinds import kind_of
from idiolect.daemon.sources.people import AuthorFilter
from idiolect.daemon.sources.reader import Reader
from idiolect.daemon.storage.store import Store

ME = "me@example.org"
KEY = "5a" * 32


def write(path: Path, content: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def letter(body: str, sender: str = ME, subject: str = "hello", **headers: str) -> EmailMessage:
    message = EmailMessage()
    message["From"] = f"A user <{sender}>"
    message["To"] = "other@example.org"
    message["Subject"] = subject
    message["Date"] = "Wed, 01 May 2024 12:00:00 +0200"
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    message.set_content(body)
    return message


def mbox_of(path: Path, *messages: EmailMessage | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    box = mailbox.mbox(path)
    for message in messages:
        box.add(message)
    box.close()
    return path


def repository(folder: Path, *messages: str) -> Path:
    """A repository of the user's with a commit for each message; its git folder."""
    for command in (
        ("init", "-q", "--initial-branch=main"),
        ("config", "user.name", "all"),
        ("config", "user.email", ME),
        *(("commit", "-q", "--allow-empty", "-m", message) for message in messages),
    ):
        folder.mkdir(parents=True, exist_ok=True)
        subprocess.run(["git", *command], cwd=folder, check=True, capture_output=True)
    return folder / ".git"


def found_in(path: Path, *me: str) -> list[Item | Skipped]:
    """What the source at a path gives of the user's."""
    kind = kind_of(path)
    assert kind is not None
    return list(kind.pieces(path, AuthorFilter(me)))


def kind_name(path: Path) -> str | None:
    kind = kind_of(path)
    return kind and kind.name


def pieces(path: Path, *me: str) -> list[Item]:
    return [found for found in found_in(path, *me) if isinstance(found, Item)]


def texts(path: Path, *me: str) -> list[str]:
    return [item.text for item in pieces(path, *me)]


def skips(path: Path, *me: str) -> ReadReport:
    report = ReadReport()
    for found in found_in(path, *me):
        if isinstance(found, Skipped):
            report.skip(found)
    return report


def encode(text: str) -> list[int]:
    return list(text.encode())


class Profile:
    """A store, the way into it, and what the fast memory heard; settings are as given.

    `before_storing` is called with each text before it is stored, in the thread that takes it in.
    """

    def __init__(self, home: Path, reader: Reader, **settings: object) -> None:
        self.settings = Settings(home=home, **settings).prepare()
        self.store = Store.open(self.settings.store_path, KEY)
        self.heard: dict[int, list[int]] = {}
        self.before_storing: Callable[[str], object] = lambda _text: None
        self.profile = LearningProfile(self.store)
        self.profile.events.subscribe(Learned, lambda event: self.heard.update(event.entries))
        self.ingest = Ingest(self.profile, self._encode, self.settings, reader=reader)

    def _encode(self, text: str) -> list[int]:
        self.before_storing(text)
        return encode(text)

    def add(self, *paths: Path, me: tuple[str, ...] = ()) -> ReadReport:
        *_, last = self.ingest.add_paths(paths, AuthorFilter(me))
        assert last.report is not None
        return last.report

    def texts(self) -> list[str]:
        return [entry.text for entry in sorted(self.store.entries.select(), key=lambda entry: entry.id)]
