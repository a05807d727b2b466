"""What writes to a profile, each with a profile to begin with, and how to see what became of it."""

import base64
import hashlib
import os
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from idiolect.daemon.ingest import entry_batch
from idiolect.daemon.ingest.folder_watch import Watcher
from idiolect.daemon.ingest.ingest import Ingest
from idiolect.daemon.profile.export_everything import EVERYTHING
from idiolect.daemon.profile.profile import Profile
from idiolect.daemon.rounds.round_runner import Trainer
from idiolect.daemon.rounds.round_tuning import RoundTuning
from idiolect.daemon.runtime.child_processes import ChildProcesses
from idiolect.daemon.serving.exports import Exports
from idiolect.daemon.settings import Settings
from idiolect.daemon.storage import store_copies
from idiolect.daemon.storage.errors import StoreUnreadableError
from idiolect.daemon.storage.records import FileState, NewAdapter, NewEntry
from idiolect.daemon.storage.selectors import Selector
from idiolect.daemon.storage.store import Store
from idiolect.daemon.sync.folder import head_name
from idiolect.daemon.sync.log_files import open_head, open_log
from idiolect.daemon.sync.sharing import Sync
from idiolect.daemon.sync.this_device import ThisDevice
from idiolect.daemon.vault import backup, marker, opening
from idiolect.models.build import BasePaths

KEY = "5a" * 32
COPY_KEY = store_copies.raw("c3" * 32)
CANARY = "heron"
_TEXTS = 40

entry_batch._TRANSACTION_ENTRIES = (
    20  # as if a file were twenty-five times as long: several transactions for each
)


Attempt = Callable[[Callable[[], object]], None]


@dataclass(frozen=True)
class Operation:
    """`prepare` fills a profile, `act` does it, and `seen` tells what a reader finds afterwards.

    `act` calls `attempt` for what may be tried again on the same open store. `whole` says which states are allowed
    when the work was cut off: None where only all of it or nothing of it is.
    """

    name: str
    prepare: Callable[[Settings], None]
    act: Callable[[Settings, Attempt], None]
    seen: Callable[[Settings], Any]
    between: Callable[[Any, Any, Any], bool] | None = None
    gone: str | None = None
    """What must be in no page of the store once it is done."""
    plain: str | None = None
    """The name, beside the profile, of what holds text in clear, as was asked for; its drafts do, too."""


def profile(home):
    """The settings of a profile in `home`, made if need be."""
    return Settings(home=home, keyring=False, auto_train=False).prepare()


def opened(settings):
    """The profile's store, to be closed after the block."""
    return closing(Store.open(settings.store_path, KEY))


def entry(text, minute):
    """Something that was written at a known time."""
    at = datetime.fromtimestamp(1.7e9 + 60 * minute, UTC)
    return NewEntry(text, "file", None, at, b"\1\0\0\0" * 9, 0, hashlib.sha256(text.encode()).hexdigest())


def weights(seed):
    """An adapter's bytes."""
    return b"".join(hashlib.sha256(b"%d %d" % (seed, n)).digest() for n in range(2500))


# --- profiles to begin with --------------------------------------------------------------------------


def lived_in(settings):
    """Text, two rounds of which the second saw what will be forgotten, a file, counts."""
    settings.key_path.write_text(KEY)
    settings.key_path.chmod(0o600)
    with opened(settings) as store:
        kept = [entry(f"Kept text number {n}, with a {CANARY} in it.", n) for n in range(_TEXTS // 2)]
        other = [entry(f"To be forgotten: the purple {n} {CANARY}.", 100 + n) for n in range(_TEXTS // 2)]
        for number, new in enumerate((kept, other)):
            ids = store.entries.add(new, FileState(f"/notes/{number}.md", number, 2, ("ab",)))
            publish(store, [i for i in ids if i is not None], number)
        store.watches.add("/notes")
    opening.open_store(settings).close()  # so that it has its marker


def publish(store, seen, seed):
    """A round that was promoted."""
    parent = store.adapters.active()
    made = NewAdapter(weights(seed), 8, parent, seen, True, "", {"tokens": 9 * len(seen)})
    store.publish(store.rounds.begin(parent), made)


def with_notes(settings):
    """Besides, files that were not read yet."""
    lived_in(settings)
    notes = settings.home.parent / "notes"
    notes.mkdir()
    for name, count in (("a.md", 70), ("b.txt", 45)):
        texts = [f"Paragraph {n} of {name} is about a boat." for n in range(count)] + ["Pls print."] * 2
        (notes / name).write_text("\n\n".join(texts))


def with_backup(settings):
    """Besides, a backup, and something that was written since."""
    lived_in(settings)
    made = backup.make(settings, settings.home.parent, COPY_KEY)
    made.path.rename(settings.home.parent / "a.backup")
    with opened(settings) as store:
        store.backups.drop(str(made.path))
        store.entries.add([entry("Written after the backup.", 500)])


def lost(settings):
    """Besides, the store is lost after that backup, but for its log."""
    with_backup(settings)
    log = settings.store_path.with_name("store.db-wal")
    with opened(settings) as store:
        store.watches.add("/late")
        kept = log.read_bytes()
    log.write_bytes(kept)
    settings.store_path.unlink()


def cut_short(settings):
    """Besides, the store is cut short after that backup."""
    with_backup(settings)
    os.truncate(settings.store_path, settings.store_path.stat().st_size // 2)


def sharing(settings):
    """Besides, a folder that another device shares, which has read nothing yet and sent something of its own."""
    lived_in(settings)
    other = profile(settings.home.parent / "other")
    folder = settings.home.parent / "shared"
    folder.mkdir()
    with opened(settings) as store, opened(other) as theirs:
        there = _sync(theirs, other)
        store.entries.add([entry("Written before it joined.", 900)])
        theirs.entries.add([entry(f"Sentence {n} of the other one.", 1000 + n) for n in range(_TEXTS)])
        words = there.share(folder)
        there.cycle()
        _sync(store, settings).join(folder, words)


def sharing_forgotten(settings):
    """Besides, both have read each other, and the other one has forgotten text of this one's."""
    sharing(settings)
    with opened(settings) as store, opened(profile(settings.home.parent / "other")) as theirs:
        for _ in range(2):
            _sync(store, settings).cycle()
            _sync(theirs, profile(settings.home.parent / "other")).cycle()
        theirs.forget(Selector(text="purple"))
        _sync(theirs, profile(settings.home.parent / "other")).cycle()


def _sync(store, settings):
    profile = Profile(store)
    return Sync(settings, profile, Ingest(profile, lambda text: [*text.encode()], settings))


# --- what is done ------------------------------------------------------------------------------------


class _Trained(ChildProcesses):
    """The training process's events as they would come, without the minutes of training."""

    def follow(self, work, order, entries, count):
        assert len([*entries]) == count
        yield {"event": "progress", "phase": "train", "done": 0.5, "left_s": 1.0, "spent_s": 1.0}
        half = {"event": "checkpoint", "data": base64.b64encode(weights(8)).decode()}
        yield {**half, "part": 0}
        yield {**half, "part": 1, "spent_s": 1.0}
        yield {
            "event": "result",
            "status": "promoted",
            "reason": "it gains",
            "promising": False,
            "metrics": {"held_out_tokens": 5},
            "mixtures": {"base": [1, 2], "candidate": [3, 4]},
            "learned": [*range(count - order.checkpoint_parts - order.has_state - 1)],
            "missed": order.checkpoint_parts + 1,
            "adapter": base64.b64encode(weights(7)).decode(),
            "state": base64.b64encode(weights(9)).decode(),
            "rank": 8,
            "tokens_per_s": 100.0,
            "seconds": 2.0,
        }


def _round(settings, attempt):
    with opened(settings) as store:
        store.rounds.interrupt()  # as the service does at its start

        def run():
            trainer = Trainer(
                settings,
                Profile(store),
                SimpleNamespace(base=_BASE, adapter_id=store.adapters.active(), languages=("en",)),
                _Trained(),
                RoundTuning(min_tokens=1),
            )
            for _ in trainer.run(None, "asked", resume=True):
                pass

        attempt(run)


_BASE = BasePaths.__new__(BasePaths)
object.__setattr__(_BASE, "source_sha256", "ab" * 32)


def _of_store(action):
    def act(settings, attempt):
        with opened(settings) as store:
            attempt(lambda: action(store, settings))

    return act


def _import(store, settings):
    ingest = Ingest(Profile(store), lambda text: [*text.encode()], settings)
    for _ in ingest.add_paths([settings.home.parent / "notes"]):
        pass


def _follow(store, settings):
    ingest = Ingest(Profile(store), lambda text: [*text.encode()], settings)
    notes = settings.home.parent / "notes"
    with Watcher(ingest, Profile(store)).adding(notes):
        for _ in ingest.add_paths([notes]):
            pass


def _send(store, settings):
    ingest = Ingest(Profile(store), lambda text: [*text.encode()], settings)
    ingest.add_text("A sentence that was sent.", source="chat", at=datetime(2024, 5, 1, tzinfo=UTC))


def _backup(settings, attempt):
    for draft in settings.home.parent.glob("idiolect-*.part"):
        os.utime(draft, (1, 1))  # what a kill has left goes a day later
    attempt(lambda: backup.make(settings, settings.home.parent, COPY_KEY))


def _restore(settings, attempt):
    attempt(lambda: backup.restore(settings, settings.home.parent / "a.backup", COPY_KEY))


def _first_start(settings, attempt):
    def start():
        opening.open_store(settings).close()

    attempt(start)


def _begin_anew(settings, attempt):
    def begin():
        if not _begun_anew(settings):
            opening.begin_anew(settings)
        opening.open_store(settings).close()

    attempt(begin)


def _begun_anew(settings):
    """Whether an attempt came as far as the marker; the command would then refuse to replace a sound store."""
    found = marker.read(settings)
    return found is not None and (not found.made or settings.store_path.exists()) and _aside(settings) > 0


def _share(store, settings):
    sync = _sync(store, settings)
    for _ in range(2):  # the second writes anew what the first has found to hold forgotten text
        sync.cycle()


def _export(store, settings):
    model = None  # of which only an adapter's export asks
    path = settings.home.parent / "export"
    exports = Exports(store, model)
    if not path.exists():
        exports.write(EVERYTHING, path, None)


# --- what is seen ------------------------------------------------------------------------------------


def state(settings):
    """All that a store keeps, as it reads, without numbers and times of events."""
    with closing(opening.open_store(settings)) as store:
        adapters = []
        for row in store.adapters.all():
            blob = hashlib.sha256(store.adapters.weights(row.id)).hexdigest()[:8]
            trained = hashlib.sha256(store.adapters.training_state(row.id) or b"").hexdigest()[:8]
            adapters.append((row.id, row.parent, row.status, blob, trained, len(store.adapters.seen(row.id))))
        return {
            "marker": _marker(settings),
            "texts": Counter(kept.text for kept in store.entries.select()),
            "ids": len({id_ for id_, _ in store.entries.token_ids()}),
            "files": [(Path(file.path).name, len(file.paragraphs)) for file in store.file_states.all()],
            "watches": store.watches.all(),
            "adapters": adapters,
            "active": store.adapters.active(),
            "rounds": [
                row.status
                for row in store.rounds.all()
                if row.status not in ("running", "interrupted", "failed")
            ],
            "mixture": store.state.get("base_mixture"),
        }


def _marker(settings):
    """What the marker says, without numbers and times."""
    found = marker.read(settings)
    return found and found.made


def _part_of_import(before, now, after):
    """Text comes in transactions, and each file's state after its text."""
    rest = {name: value for name, value in now.items() if name not in ("texts", "ids", "files")}
    return (
        before["texts"] <= now["texts"] <= after["texts"]
        and now["ids"] == now["texts"].total()
        and set(now["files"]) <= set(after["files"])
        and all(before[name] == value for name, value in rest.items())
    )


def _backup_state(settings):
    """What new backups hold, and whether the store tells of each; the store itself must stay as it was."""
    found = [*settings.home.parent.glob("idiolect-*.backup")]
    with opened(settings) as store:
        told = {row.path for row in store.backups.all()}
    return {
        "backups": {store_copies.check(path, COPY_KEY)["entries"] for path in found},
        "untold": len({*map(str, found)} - told),
        "drafts": len([*settings.home.parent.glob("idiolect-*.part")]),
        **state(settings),
    }


def _draft_at_most(before, now, after):
    """A draft may be left."""
    return now | {"drafts": 0} in (before, after)


def _stores(settings):
    """What the store holds, and the one that is kept."""
    former = settings.former_store_paths
    kept = store_copies.check(former[-1], store_copies.raw(KEY))["entries"] if former else None
    return {"kept": kept, **state(settings)}


def _kept_already(before, now, _after):
    """The store has a second name, and is still in its place."""
    return now == before | {"kept": before["ids"]}


def _exported(settings):
    """What the export holds, how many drafts of it there are, and what the store holds."""
    path = settings.home.parent / "export"
    holds = {one.name: len(one.read_bytes().splitlines()) for one in path.glob("*.*")}
    drafts = len([*path.parent.glob(".export-*")])
    return {"export": holds | ({"events.jsonl": 0} if holds else {}), "drafts": drafts, **state(settings)}


def _draft_is_left(before, now, after):
    """One that is left is removed by the next export, or the next start."""
    return now["drafts"] == 1 and now | {"drafts": 0} in (before, after)


def _shared(settings):
    """What the store holds, and what the newest head of its log in the shared folder says that the log holds."""
    with opened(settings) as store:
        me = ThisDevice.load(store.state)
        number = max(me.folder.heads(me.device, 9), default=0)
        head = open_head(me.folder.read(me.device, head_name(number)), number, me.device, me.keys)
        sent = Counter()
        gone = 0
        for name in head.files if head else ():
            contents = open_log(me.folder.read(me.device, name), me.device, me.keys, store.shared)
            sent.update(one.text for one in contents.entries)
            gone += len(contents.rows)
    return {"sent": sent, "marks": gone, "twice": [t for t, n in sent.items() if n > 1], **state(settings)}


def _partly_shared(before, now, after):
    """What arrives comes in transactions, and the own log is published after that."""
    parts = {name: now[name] in (before[name], after[name]) for name in now}
    low, high = before["texts"] & after["texts"], before["texts"] | after["texts"]
    parts["texts"] = low <= now["texts"] <= high
    parts["ids"] = now["ids"] == now["texts"].total()
    return all(parts.values())


def _aside(settings):
    return len([path for path in settings.home.glob("store.db.lost-*") if path.suffix != ".db-wal"])


def _lost_or_not(settings):
    """What the store holds, or that it is lost, and that nothing of what was left is."""
    aside = sorted({path.name.partition(".lost-")[0] for path in settings.home.glob("store.db.lost-*")})
    try:
        return {"aside": aside, "lost": False, **state(settings)}
    except (marker.StoreLostError, StoreUnreadableError):
        return {"aside": aside, "lost": True, "marker": _marker(settings)}


def _put_aside_first(before, now, _after):
    """What was left of the store has other names, and the store is still missed."""
    return bool(now["lost"]) and now["marker"] == before["marker"]


OPERATIONS = (
    Operation("import", with_notes, _of_store(_import), state, _part_of_import),
    Operation("watch", with_notes, _of_store(_follow), state, _part_of_import),
    Operation("text sent", lived_in, _of_store(_send), state),
    Operation("training round", lived_in, _round, state),
    Operation("promotion", lived_in, _of_store(lambda store, _: store.adapters.activate(1)), state),
    Operation(
        "forget",
        lived_in,
        _of_store(lambda store, _: store.forget(Selector(text="purple"))),
        state,
        gone="To be forgotten",
    ),
    Operation("first start", lambda settings: None, _first_start, state),
    Operation("backup", with_backup, _backup, _backup_state, _draft_at_most),
    Operation("export", lived_in, _of_store(_export), _exported, _draft_is_left, plain="export"),
    Operation("restore", with_backup, _restore, _stores, _kept_already),
    Operation("restore of a lost store", lost, _restore, _lost_or_not, _put_aside_first),
    Operation("beginning anew", cut_short, _begin_anew, _lost_or_not, _put_aside_first),
    Operation("sharing", sharing, _of_store(_share), _shared, _partly_shared),
    Operation(
        "forgetting shared text",
        sharing_forgotten,
        _of_store(_share),
        _shared,
        _partly_shared,
        gone="To be forgotten",
    ),
)
