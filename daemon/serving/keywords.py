"""The words and phrases that set the user's text apart from general English."""

from __future__ import annotations

from typing import TYPE_CHECKING

from idiolect.adapters.keyness import Keyword, keywords
from idiolect.daemon.redaction.redact import without_placeholders
from idiolect.models.lexicon import read_lexicon

if TYPE_CHECKING:
    from idiolect.daemon.storage.store import Store
    from idiolect.models.build import BasePaths


class Keywords:
    """Finds them in the entries of a store; `base` has the word counts of general English."""

    def __init__(self, store: Store, base: BasePaths) -> None:
        self._store = store
        self._base = base

    def find(self, limit: int, contains: str) -> list[Keyword]:
        """The `limit` most characteristic words and phrases among those that `contains` is a part of."""
        texts = (without_placeholders(entry.text) for entry in self._store.entries.select(prose=True))
        found = keywords(texts, read_lexicon(self._base.lexicon))
        return [one for one in found if contains.casefold() in one.text.casefold()][:limit]
