"""Keywords: the words and phrases that the user uses more than general English does."""

from __future__ import annotations

from idiolect.adapters.memory.keyness import Keyword, keywords
from idiolect.daemon.storage.matching import folded
from idiolect.daemon.storage.store import Store
from idiolect.daemon.text.redaction.redact import without_placeholders
from idiolect.models.lexicon import Lexicon


def find_keywords(store: Store, lexicon: Lexicon, limit: int, contains: str) -> list[Keyword]:
    """Return the `limit` most characteristic words and phrases in the entries that have `contains` in them."""
    texts = (without_placeholders(entry.text) for entry in store.entries.select())
    found = keywords(texts, lexicon)
    return [keyword for keyword in found if folded(contains) in folded(keyword.text)][:limit]
