"""Whatever is written, decided and forgotten on which device, and however files arrive: all come to the same."""

import random
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
from sharing import Device, deliver, hand_own, settle

from idiolect.daemon.storage.selectors import Selector
from idiolect.daemon.storage.words import UnknownWordError

WORDS = ("heron", "walnut", "canal")
_MEMORY = Path("/dev/shm")  # where nothing waits for a disk
PLACES = st.integers(0, 2)


class Devices(RuleBasedStateMachine):
    """Three devices whose files are late, torn, doubled and out of order; two clocks are wrong."""

    @initialize()
    def join(self):
        self.root = Path(tempfile.mkdtemp(dir=_MEMORY if _MEMORY.is_dir() else None))
        self.devices = [Device(self.root, name) for name in "abc"]
        first, *others = self.devices
        self.devices[1].off_s, self.devices[2].off_s = 3600.0, -3600.0
        self.written, self.forgotten, self.count = {}, [], 0
        for number, device in enumerate(self.devices):
            self._write(number, "heron", device.write)
        code = first.join()
        for device in others:
            hand_own(first, device)
            device.join(code)
            hand_own(device, first)
            first.cycle()
            code = first.sync.membership.invite()

    def _write(self, number, word, write):
        self.count += 1
        text = f"Number {self.count} is about a {word}."
        if write(text).stored:
            self.written[text] = (number, word, len(self.forgotten))

    @rule(number=PLACES, word=st.sampled_from(WORDS))
    def write(self, number, word):
        self._write(number, word, self.devices[number].write)

    @rule(number=PLACES, word=st.sampled_from(WORDS))
    def forget(self, number, word):
        self.devices[number].store.forget(Selector(text=word))  # also what has not arrived here yet
        self.forgotten.append((number, word))

    @rule(
        number=PLACES, word=st.sampled_from(WORDS), kind=st.sampled_from(("never", "mine", "never_correct"))
    )
    def decide(self, number, word, kind):
        self.devices[number].store.words.add(kind, word)

    @rule(number=PLACES, word=st.sampled_from(WORDS))
    def take_back(self, number, word):
        with suppress(UnknownWordError):
            self.devices[number].store.words.remove(word)

    @rule(
        number=PLACES,
        app=st.sampled_from(("chat", "mail*")),
        what=st.sampled_from(("quiet", "exclude", "allow")),
    )
    def say_of_an_app(self, number, app, what):
        self.devices[number].ingest.app_policy.give(app, what)

    @rule(number=PLACES, for_s=st.sampled_from((None, 0.0, 1800.0, 7200.0)))
    def pause(self, number, for_s):
        self.devices[number].ingest.pause.begin(for_s)

    @rule(number=PLACES)
    def resume(self, number):
        self.devices[number].ingest.pause.end()

    @rule(number=PLACES, send=st.booleans())
    def cycle(self, number, send):
        self.devices[number].sync.cycle(send=send)

    @rule(here=PLACES, there=PLACES, seed=st.integers(0, 999))
    def arrive(self, here, there, seed):
        if here != there:
            deliver(self.devices[here], self.devices[there], chance=random.Random(seed))

    @rule(number=PLACES)
    def restart(self, number):
        self.devices[number].again()

    @precondition(lambda self: self.count < 60)
    @rule(number=PLACES)
    def write_much(self, number):
        for word in WORDS * 3:
            self._write(number, word, self.devices[number].write)
            self.devices[number].sync.cycle()

    def teardown(self):
        if not hasattr(self, "devices"):
            return
        try:
            self._judge()
        finally:
            for device in self.devices:
                device.close()
            shutil.rmtree(self.root)

    def _judge(self):
        settle(*self.devices, rounds=3)
        self.devices[0].ingest.pause.end()
        settle(*self.devices)
        states = [device.state() for device in self.devices]
        assert states[0] == states[1] == states[2]
        left = states[0][0]
        assert len({*left}) == len(left)  # nothing is there twice
        for text, (number, word, before) in self.written.items():
            if any(word == gone for _, gone in self.forgotten[before:]):
                assert text not in left
            elif all(by == number for by, gone in self.forgotten[:before] if gone == word):
                assert text in left
        for device in self.devices:
            assert device.sync.state().problem is None
            assert device.store.shared.waiting() == 0


Devices.TestCase.settings = settings(max_examples=12, stateful_step_count=25, deadline=None)
TestConvergence = Devices.TestCase
