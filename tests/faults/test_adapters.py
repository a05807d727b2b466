"""Adapters whose weights are damaged: the real service serves the nearest sound one, says so, and goes on learning."""

import base64
import json
import os
import subprocess
from contextlib import closing

import pytest
from pages import plain_pages
from program import IDIOLECT
from publishing import execute, publish

from idiolect.daemon.clients.link import ServiceClient
from idiolect.daemon.rounds.round_runner import RoundFailedError
from idiolect.daemon.rounds.round_tuning import RoundTuning
from idiolect.daemon.runtime import process
from idiolect.daemon.runtime.child_processes import ChildProcesses
from idiolect.daemon.service import Service
from idiolect.daemon.settings import Settings
from idiolect.daemon.storage.records import AdapterDamagedError
from idiolect.daemon.storage.store import Store
from idiolect.daemon.vault import store_key

TEXT = "We met at the harbour at noon and the boat was late again, so we took the train."


@pytest.fixture
def settings(tiny, tmp_path):
    """A profile with the tiny model, whose three adapters descend from each other; the last one serves."""
    settings = Settings(home=tmp_path / "home").prepare()
    settings.config_path.write_text("keyring = false\nauto_train = false\n")
    settings.base_dir.rmdir()
    settings.base_dir.symlink_to(tiny.folder.parent)
    return Settings(home=tmp_path / "home")


@pytest.fixture
def lineage(settings, tiny, make_lora):
    """Fill the store; the three adapters' bytes."""
    blobs = [make_lora(tiny.config, seed=seed).to_bytes() for seed in range(3)]
    with closing(Store.open(settings.store_path, store_key.obtain(settings).hex)) as store:
        for blob in blobs:
            parent = store.adapters.active()
            publish(store, blob=blob, parent=parent, metrics={"base_sha256": tiny.source_sha256})
    return blobs


def damage(settings, adapter):
    """Change a byte in the middle of an adapter's weights, past the store."""
    path, key = settings.store_path, store_key.obtain(settings).hex
    [(blob,)] = execute(path, "SELECT blob FROM adapter_blobs WHERE adapter = ?", adapter, key=key)
    changed = bytearray(blob)
    changed[len(blob) // 2] ^= 1
    execute(path, "UPDATE adapter_blobs SET blob = ? WHERE adapter = ?", bytes(changed), adapter, key=key)


def program(settings, *arguments):
    environment = {**os.environ, "IDIOLECT_HOME": str(settings.home), "COLUMNS": "200"}
    done = subprocess.run(
        [*IDIOLECT, *arguments], env=environment, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout


@pytest.mark.parametrize(("which", "serves"), [((3,), 2), ((2, 3), 1), ((1, 2, 3), None), ((2,), 3)])
def test_the_nearest_sound_ancestor_serves_and_everybody_is_told(settings, lineage, which, serves):
    for adapter in which:
        damage(settings, adapter)
    found = [adapter for adapter in which if 3 in which]  # one that does not serve is not even looked at
    process.start(settings)
    try:
        with ServiceClient(settings) as client:
            assert client.post("/v1/suggest", {"prefix": "We met at "})["adapter"] == serves
            status = client.get("/v1/status")
            rows = client.get("/v1/adapters")["adapters"]
        assert (status["adapter"], status["damaged"]) == (serves, found)
        assert [row["id"] for row in rows if row["status"] == "damaged"] == found
        _, shown = program(settings, "status")
        code, said = program(settings, "doctor", "--json")
        findings = [each for each in json.loads(said) if each["check"] == "adapters"]
        log = settings.log_path.read_text()
        if not found:
            assert "damaged" not in shown
            assert findings == []
            assert "can't be served" not in log
        else:
            now = "the base model alone" if serves is None else f"adapter {serves}"
            assert "train --wait" in shown
            assert code == 1
            assert findings[0]["level"] == "wrong"
            assert f"{now} serves instead" in findings[0]["found"]
            assert "restore" in findings[0]["mend"]
            assert all(
                f"adapter {adapter} can't be served: Adapter {adapter} is damaged" in log for adapter in found
            )
            assert f"in its place serves {now.removesuffix(' model alone')}" in log
    finally:
        process.stop(settings)


def test_a_damaged_page_of_the_file_is_found_too(settings, lineage):
    pages = plain_pages(settings.store_path, store_key.obtain(settings).hex)
    # Page 1 begins with 16 bytes that are not deciphered; each page ends with 80 that are left out.
    number, _ = divmod(pages.index(lineage[2][5000:5200]) + 16, 4096 - 80)
    with settings.store_path.open("r+b") as file:
        file.seek(number * 4096 + 100)
        file.write(bytes(16))
    with closing(Service(settings)) as service:
        assert service.status()["adapter"] == 2
        assert service.status()["damaged"] == [3]


def test_the_next_promoted_adapter_ends_the_warning(settings, lineage, tiny, make_lora):
    damage(settings, 3)
    with closing(Service(settings)) as service:
        assert service.status()["damaged"] == [3]
        publish(
            service.store,
            blob=make_lora(tiny.config, seed=9).to_bytes(),
            parent=2,
            metrics={"base_sha256": tiny.source_sha256},
        )
        service.model.use(4)
        assert service.status()["damaged"] == []


def test_one_that_is_asked_for_by_number_is_refused_and_noted(settings, lineage):
    damage(settings, 2)
    with closing(Service(settings)) as service:
        with pytest.raises(AdapterDamagedError, match="Adapter 2"):
            service.model.use(2)
        assert service.status()["adapter"] == 3
        assert service.store.adapters.all()[1].status == "damaged"


def test_a_round_begins_from_a_sound_one_where_the_served_one_was_damaged_since(
    settings, lineage, monkeypatch
):
    """What is served is in memory, and sound; what a round would start from is in the store."""
    orders = []

    def follow(_self, _work, order, entries, _count):
        orders.append(order)
        yield from ()
        raise RoundFailedError("That is all.")

    monkeypatch.setattr(ChildProcesses, "follow", follow)
    with closing(Service(settings, tuning=RoundTuning(min_tokens=1))) as service:
        service.ingest.add_text(TEXT, source="chat")
        damage(settings, 3)
        for _ in range(2):
            with pytest.raises(RoundFailedError):
                service.rounds.run(1.0, "asked")
        assert service.status()["adapter"] == 2
        assert [row.parent for row in service.store.rounds.all()[-2:]] == [2, 2]
        assert [base64.b64decode(order.serving) for order in orders] == [lineage[1]] * 2
