"""Devices that share a folder, for tests: each with a real store and a folder of its own, and a synchroniser."""

import random
import shutil
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from publishing import KEY

from idiolect.daemon.ingest.ingest import Ingest
from idiolect.daemon.profile.app_rules import SetAppRule, read_app_rules
from idiolect.daemon.profile.pause import PauseLearning, ResumeLearning
from idiolect.daemon.profile.profile import Profile
from idiolect.daemon.profile.words.word_rules import AddWord, RemoveWord
from idiolect.daemon.settings import Settings
from idiolect.daemon.storage.store import Store
from idiolect.daemon.sync.sharing import Sync


class Device:
    """One device: its profile in `home`, the folder `folder`, and a clock that is `off_s` seconds wrong."""

    def __init__(self, root: Path, name: str, **more: object) -> None:
        self.folder = root / name / "shared"
        self.folder.mkdir(parents=True, exist_ok=True)
        self.settings = Settings(home=root / name / "home", keyring=False, **more).prepare()
        self.off_s = 0.0
        self.opened = False
        self.open()

    def now(self) -> float:
        return datetime.now(UTC).timestamp() + self.off_s

    def open(self) -> None:
        self.store = Store.open(self.settings.store_path, KEY)
        self.profile = Profile(self.store, self.now)
        self.ingest = Ingest(self.profile, lambda text: [*text.encode()], self.settings)
        self.sync = Sync(self.settings, self.profile, self.ingest, now=self.now)
        self.opened = True

    def close(self) -> None:
        if self.opened:
            self.ingest.reader.close()
            self.store.close()
            self.opened = False

    def again(self) -> None:
        self.close()
        self.open()

    def saved(self) -> bytes:
        """Its store as a file, as a copy of the disk has it."""
        self.close()
        copy = self.settings.store_path.read_bytes()
        self.open()
        return copy

    def restore(self, copy: bytes) -> None:
        self.close()
        for path in self.settings.home.glob("store.db*"):
            path.unlink()
        self.settings.store_path.write_bytes(copy)
        self.open()

    def device_id(self) -> str | None:
        return self.sync.device if self.opened else None

    def join(self, words: str) -> None:
        self.sync.join(self.folder, words)

    def cycle(self) -> bool:
        return self.sync.cycle()

    def write(self, text: str, at: datetime | None = None, app: str | None = None):
        return self.ingest.add_text(text, source="chat", at=at, app=app)

    def pause(self, for_s: float | None = None) -> None:
        self.profile.decide(PauseLearning(for_s))

    def resume(self) -> None:
        self.profile.decide(ResumeLearning())

    def add_word(self, *given: str) -> None:
        self.profile.decide(AddWord(*given))

    def remove_word(self, text: str) -> None:
        self.profile.decide(RemoveWord(text))

    def set_app_rule(self, app: str, rule: str) -> None:
        self.profile.decide(SetAppRule(app, rule))

    def texts(self) -> list[str]:
        return sorted(entry.text for entry in self.store.entries.select())

    def words(self):
        return sorted((rule.text, rule.kind, rule.replacement) for rule in self.store.words.all())

    def others(self) -> list[tuple[int, int]]:
        """Of the other devices, how many entries came from each, and how many of its files have not arrived."""
        return [(one.entries, one.waiting) for one in self.sync.state().devices if not one.this]

    def rules(self):
        return sorted(map(tuple, read_app_rules(self.store)))

    def state(self):
        return self.texts(), self.words(), self.rules(), self.ingest.pause.active


def deliver(source: Device, target: Device, *, chance: random.Random | None = None) -> None:
    """What a synchroniser does: what `source` has is at `target`, too, and what it deleted is not.

    With `chance` only some of it arrives, in any order, and some of it in part.
    """
    for folder in [*source.folder.iterdir()]:
        if folder.is_file():
            shutil.copy2(folder, target.folder / folder.name)
            continue
        if folder.name == target.device_id():
            continue
        there = target.folder / folder.name
        there.mkdir(exist_ok=True)
        names = {path.name for path in folder.iterdir() if not path.name.startswith(".")}
        for name in sorted(names, key=lambda _: chance.random() if chance else 0):
            if chance and chance.random() < 0.4:
                continue
            data = (folder / name).read_bytes()
            if chance and chance.random() < 0.2:
                data = data[: chance.randrange(len(data))]
            (there / name).write_bytes(data)
        if folder.name == source.device_id():
            for path in [*there.iterdir()]:
                if path.name not in names and not (chance and chance.random() < 0.5):
                    path.unlink()
    if not chance:
        for folder in [*target.folder.iterdir()]:
            gone = folder.is_dir() and not (source.folder / folder.name).exists()
            if gone and folder.name != target.device_id():
                shutil.rmtree(folder)


def settle(*devices: Device, rounds: int = 6) -> None:
    """Let all of it arrive everywhere until nothing changes any more."""
    for _ in range(rounds):
        for device in devices:
            device.cycle()
        for source in devices:
            for target in devices:
                if source is not target:
                    hand_own(source, target)
    for device in devices:
        device.cycle()


def tell(source: Device, target: Device) -> None:
    """Have `target` read what `source` writes now."""
    source.cycle()
    hand_own(source, target)
    target.cycle()


def hand_own(source: Device, target: Device) -> None:
    """Have of all logs what their writers have; each writer's folder is the truth of its log."""
    own = source.device_id()
    manifest = next(source.folder.glob("*.idiolect"))
    shutil.copy2(manifest, target.folder / manifest.name)
    if own is None:
        return
    there = target.folder / own
    with suppress(FileNotFoundError):
        shutil.rmtree(there)
    if (source.folder / own).exists():
        shutil.copytree(source.folder / own, there)
