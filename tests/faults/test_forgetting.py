"""A whole profile with a secret in it, and then without: every page, every file, the memory, what is served."""

import json

import numpy as np
import pytest
from pages import plain_pages
from publishing import publish
from serving import suggest

from idiolect.daemon.service import Service
from idiolect.daemon.storage.selectors import Selector
from idiolect.daemon.vault.store_key import obtain

SECRETS = {1: "QUORVEX", 5: "ZANTHIL", 20: "MIRPODA"}
OTHERS = [f"Message {n} about the harbour, the weather and the {n % 7} boats in it." for n in range(60)]


@pytest.fixture
def profiles(tmp_path, tiny_profile):
    """`profiles(name, texts)`: the settings of a new profile that has read these from a file, and its service."""
    running = []

    def make(name, texts):
        settings = tiny_profile(tmp_path / name)
        service = Service(settings)
        running.append(service)
        path = tmp_path / f"{name}.jsonl"
        path.write_text(
            "".join(
                json.dumps({"text": text, "ts": f"2024-03-{1 + n // 24:02d}T{n % 24:02d}:00:00Z"}) + "\n"
                for n, text in texts
            )
        )
        *_, last = service.imports.add([path])
        assert last["entries"] == len(texts)
        return settings, service

    yield make
    for service in running:
        service.close()


def learned_by_heart(service, tiny, lora, marker, *, parent, seen):
    """An adapter whose bytes end in a marker, and its training's state, as if both had learned that by heart."""
    return publish(
        service.store,
        blob=lora.to_bytes() + marker,
        parent=parent,
        seen=seen,
        metrics={"base_sha256": tiny.source_sha256},
        state=b"values, moments and average " + marker,
    )


def written(settings):
    """All that is in the profile's folder, its store deciphered."""
    key = obtain(settings).hex
    files = [path for path in settings.home.rglob("*") if path.is_file()]
    plain = [path.read_bytes() for path in files if not path.is_relative_to(settings.base_dir)]
    return b"\n".join([*plain, plain_pages(settings.store_path, key)])


def test_nothing_is_left_of_secrets_that_were_forgotten(profiles, tiny, make_lora):
    texts = list(enumerate(OTHERS))
    places = iter(range(0, 60, 2))
    for times, secret in SECRETS.items():
        for place in [next(places) for _ in range(times)]:
            texts[place] = (place, f"{OTHERS[place]} The boat is called {secret}.")
    settings, service = profiles("planted", texts)
    entries = {entry.id: entry.text for entry in service.store.entries.select()}
    tainted = {id_ for id_, text in entries.items() if any(s in text for s in SECRETS.values())}
    assert len(tainted) == 26
    lora = make_lora(tiny.config)
    clean = learned_by_heart(service, tiny, lora, b"", parent=None, seen=entries.keys() - tainted)
    learned = "".join(SECRETS.values()).encode()
    learned_by_heart(service, tiny, lora, learned, parent=clean, seen=tainted)
    service.model.use(clean)
    suggest(service, "The boat is called ")
    for secret in SECRETS.values():
        assert secret[2:] in {w.text for w in suggest(service, f"The boat is called {secret[:2]}").words}
        assert secret.encode() in written(settings)

    receipts = [service.profile.forget(Selector(text=secret)) for secret in SECRETS.values()]

    assert [receipt.entries for receipt in receipts] == [*SECRETS]
    assert [len(receipt.adapters_dropped) for receipt in receipts] == [1, 0, 0]
    assert service.status()["adapter"] == clean
    assert service.store.state.get("round_due") is True
    never_settings, never = profiles("never", [each for each in texts if each[1] == OTHERS[each[0]]])
    kept = {entry.text: entry.id for entry in never.store.entries.select()}
    seen = [kept[text] for id_, text in entries.items() if id_ not in tainted]
    learned_by_heart(never, tiny, lora, b"", parent=None, seen=seen)
    never.model.rebuild()  # as at its next start: the recent context is cut anew then
    assert [text for _, text in _texts(service)] == [text for _, text in _texts(never)]
    for text in ("The boat is called ", "The boat is called Z", "The boat is called QUO", *OTHERS[:3]):
        one, other = suggest(service, text), suggest(never, text)
        assert (one.words, one.ghost) == (other.words, other.ghost)
        ids = service.model.loaded.tokenizer.encode(text)
        told, wanted = (each.model.served.user_model.memory.predict(ids) for each in (service, never))
        assert np.array_equal(told.p, wanted.p)
        assert np.array_equal(told.ids, wanted.ids)
    assert service.status()["adapter"] is not None
    assert never.status()["adapter"] is not None
    # A save of the file brings none of it back, nor does reading it again.
    path = settings.home.parent / "planted.jsonl"
    path.write_text(path.read_text() + '{"text": "One more message."}\n')
    *_, last = service.imports.add([path])
    assert last["entries"] == 1
    for settings_now in (settings, never_settings):
        held = written(settings_now)
        assert not any(secret.encode() in held for secret in SECRETS.values())
        assert not any(secret.lower().encode() in held.lower() for secret in SECRETS.values())
    service.close()
    assert not any(secret.encode() in written(settings) for secret in SECRETS.values())


def _texts(service):
    return [(entry.at, entry.text) for entry in service.store.entries.select()]
