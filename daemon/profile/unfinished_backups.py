"""Clean-up of unfinished backups: drafts are removed, and the store lists the backup before again.

A backup is noted before a byte of it is written, as one that may hold anything, so that no text is ever in a file that
nobody tells of. One that fails takes the note back; one that was killed, or could not, is seen to here.
"""

from __future__ import annotations

import logging
import stat
from pathlib import Path

from idiolect.daemon.profile.backup_target import is_written, salt_of
from idiolect.daemon.storage.records import Unfinished
from idiolect.daemon.storage.store import Store
from idiolect.models import durable
from idiolect.models.errors import IdiolectError

log = logging.getLogger("idiolect")


def clear(store: Store) -> None:
    """See to what was begun and is not being written any more. What cannot be seen to now waits for the next time."""
    try:
        for work in store.backups.unfinished():
            _clear(store, work)
    except (IdiolectError, OSError) as error:
        log.warning("an unfinished backup could not be cleared away: %s", type(error).__name__)


def _clear(store: Store, work: Unfinished) -> None:
    draft, target = Path(work.draft), Path(work.target)
    if not draft.parent.is_dir():  # on a disk that is away
        return
    try:
        if stat.S_ISREG(draft.lstat().st_mode):
            if is_written(draft):
                return
            draft.unlink()
            durable.sync_folder(draft.parent)
        written = False
    except FileNotFoundError:  # it has its name already, or was removed
        written = target.exists() and salt_of(target) != work.salt
    if written:
        store.backups.end(work)
    else:
        store.backups.give_up(work)
    log.info("a backup that was cut off was cleared away")
