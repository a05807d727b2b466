"""Forgetting any part of a history leaves what a profile has that never had it: memory, words, context, store."""

import shutil
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from publishing import publish

from idiolect.adapters.prediction.loaded_model import LoadedModel
from idiolect.daemon.ingest.ingest import Ingest
from idiolect.daemon.profile.events import Learned
from idiolect.daemon.profile.profile import Profile
from idiolect.daemon.settings import Settings
from idiolect.daemon.storage.selectors import Selector
from idiolect.daemon.storage.store import Store

KEY = "7e" * 32
WORDS = [
    "the",
    "heron",
    "keeps",
    "appointments",
    "at",
    "noon",
    "4821",
    "a@example.org",
    "Zorvelin",
    "dock",
    "and",
]
MESSAGES = st.lists(
    st.lists(st.sampled_from(WORDS), min_size=1, max_size=8).map(" ".join), min_size=1, max_size=12
)


@pytest.fixture(scope="module")
def serving(tiny):
    return LoadedModel(tiny, threads=1, context_tokens=64, recent_tokens=40, rare_min_count=2)


class Written:
    """A store that texts are taken into, as programs send them."""

    def __init__(self, serving):
        self.folder = Path(tempfile.mkdtemp(prefix="idiolect-test-"))
        home = Settings(home=self.folder / "home").prepare()
        self.store = Store.open(home.store_path, KEY)
        self.serving = serving
        self.grown = serving.build_user_model([])
        self.profile = Profile(self.store)
        self.profile.events.subscribe(Learned, lambda event: self.learn(event.entries))
        self.ingest = Ingest(self.profile, serving.tokenizer.encode, home)
        self.numbers = []

    def learn(self, entries):
        for entry, ids in entries:
            self.numbers.append(entry)
            self.grown.learn(self.serving.tokenizer.decode(ids), ids)

    def write(self, text):
        return self.ingest.add_text(text, source="chat").id

    def train(self, parent, seen):
        return publish(self.store, parent=parent, seen=seen)

    def knowledge(self):
        return self.serving.build_user_model(
            np.frombuffer(ids, "<u4") for _, ids in self.store.entries.token_ids()
        )

    def close(self):
        self.store.close()
        shutil.rmtree(self.folder)


def flat(value):
    """Whatever a memory, the words or the rare strings hold, as values that compare bit for bit."""
    if isinstance(value, np.ndarray):
        return (value.dtype.str, value.shape, value.tobytes())
    if isinstance(value, dict):
        return {key: flat(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [flat(each) for each in value]
    if hasattr(value, "__dict__"):
        return {name: flat(each) for name, each in vars(value).items() if not callable(each)}
    return None if "lock" in type(value).__name__ else value


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts=MESSAGES, data=st.data())
def test_forgetting_is_as_if_it_had_never_been_there(serving, texts, data):
    gone = data.draw(st.sets(st.integers(0, len(texts) - 1), min_size=1))
    rounds = data.draw(st.lists(st.sets(st.integers(0, len(texts) - 1)), max_size=4))
    profile, never = Written(serving), Written(serving)
    try:
        ids = {place: profile.write(text) for place, text in enumerate(texts)}
        parent, made = None, []
        for seen in rounds:
            parent = profile.train(parent, [ids[place] for place in seen])
            made.append((parent, set(seen)))
        kept = {place: never.write(text) for place, text in enumerate(texts) if place not in gone}
        parent, pure = None, []
        for number, (_, seen) in enumerate(made):
            if set().union(*(each for _, each in made[: number + 1])) & gone:
                break
            parent = never.train(parent, [kept[place] for place in seen])
            pure.append(parent)

        receipt = profile.store.forget(Selector(ids=tuple(ids[place] for place in gone)))

        assert receipt.entries == len(gone)
        assert receipt.adapters_dropped == tuple(adapter for adapter, _ in made[len(pure) :])
        assert flat(profile.knowledge()) == flat(never.knowledge())
        # One that grew as it was written foretells the same, though its pages may be cut elsewhere.
        rebuilt, grown = profile.knowledge(), never.grown
        for text in texts:
            tokens = serving.tokenizer.encode(text)
            for end in range(len(tokens) + 1):
                one, other = rebuilt.memory.predict(tokens[:end]), grown.memory.predict(tokens[:end])
                assert flat(vars(one)) == flat(vars(other))
        assert flat(rebuilt.rare) == flat(grown.rare)
        assert [each.text for each in profile.store.entries.select()] == [
            each.text for each in never.store.entries.select()
        ]
        assert profile.store.entries.counts() == never.store.entries.counts()
        assert len(profile.store.adapters.all()) == len(never.store.adapters.all())
        assert (profile.store.adapters.active() is None) == (never.store.adapters.active() is None)
        back = {ids[place]: number for place, number in kept.items()}
        for one, other in zip(profile.store.adapters.all(), never.store.adapters.all(), strict=True):
            assert {
                back[entry] for entry in profile.store.adapters.seen(one.id)
            } == never.store.adapters.seen(other.id)
            assert (one.status, one.kept) == (other.status, other.kept)
    finally:
        profile.close()
        never.close()
