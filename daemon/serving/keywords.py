"""Keywords: the words and phrases that the user uses more than general English does."""

from __future__ import annotations

from collections.abc import Callable

from idiolect.adapters.memory.keyness import Keyword, keywords
from idiolect.daemon.storage.matching import folded
from idiolect.daemon.storage.store import Store
from idiolect.daemon.text.redaction.redact import without_placeholders
from idiolect.models.lexicon import Lexicon


class Keywords:
    """Finds them in the entries of a store; `lexicon` has how often people use words."""

    def __init__(self, store: Store, lexicon: Callable[[], Lexicon]) -> None:
        self._store = store
        self._lexicon = lexicon

    def find(self, limit: int, contains: str) -> list[Keyword]:
        """The `limit` most characteristic words and phrases among those that `contains` is a part of."""
        texts = (without_placeholders(entry.text) for entry in self._store.entries.select())
        found = keywords(texts, self._lexicon())
        return [one for one in found if folded(contains) in folded(one.text)][:limit]
