"""Whether the machine runs on battery, and that less is computed ahead then."""

import contextlib
import queue
from types import SimpleNamespace

import psutil
import pytest
from serving import suggest
from waiting import DEADLINE_S

from idiolect.daemon.runtime.power import PowerSource, is_on_battery
from idiolect.daemon.service import Service


@pytest.mark.parametrize(
    ("battery", "expected"),
    [
        (None, False),
        (SimpleNamespace(power_plugged=True), False),
        (SimpleNamespace(power_plugged=None), False),
        (SimpleNamespace(power_plugged=False), True),
    ],
)
def test_only_a_battery_that_is_used_counts(battery, expected, monkeypatch):
    monkeypatch.setattr(psutil, "sensors_battery", lambda: battery, raising=False)
    assert is_on_battery() is expected


@pytest.mark.parametrize(("plugged", "given"), [(True, ()), (False, (2 / 3,))])
def test_on_battery_only_words_that_come_two_times_of_three_are_computed_ahead(
    plugged, given, tmp_path, tiny_profile, monkeypatch
):
    battery = SimpleNamespace(power_plugged=plugged)
    monkeypatch.setattr(psutil, "sensors_battery", lambda: battery, raising=False)
    with contextlib.closing(Service(tiny_profile(tmp_path / "home"))) as service:
        asked = queue.Queue[tuple[float, ...]]()
        look_ahead = service.model.served.predictor.look_ahead
        make_passes = look_ahead.make_passes
        monkeypatch.setattr(
            look_ahead, "make_passes", lambda *least: (asked.put(least), make_passes(*least))[1]
        )
        suggest(service, "we met ")
        assert asked.get(timeout=DEADLINE_S) == given


def test_where_the_system_tells_nothing_it_runs_on_no_battery(monkeypatch):
    def lacks():
        raise FileNotFoundError("/sys/class/power_supply")

    monkeypatch.setattr(psutil, "sensors_battery", lacks, raising=False)
    assert not is_on_battery()


def test_the_battery_is_not_looked_up_at_every_key(monkeypatch):
    looked: list[bool] = []
    battery = SimpleNamespace(power_plugged=False)
    monkeypatch.setattr(psutil, "sensors_battery", lambda: (looked.append(True), battery)[1], raising=False)
    now = [100.0]
    monkeypatch.setattr("idiolect.daemon.runtime.power.time.monotonic", lambda: now[0])
    source = PowerSource()
    assert all(source.is_battery for _ in range(50))
    battery.power_plugged, now[0] = True, 111.0
    assert not source.is_battery
    assert len(looked) == 2
