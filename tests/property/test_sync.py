"""Whatever is written, decided and forgotten on which device, and however files arrive: all come to the same."""

import random
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
from sharing import Device, deliver, hand_own, settle

from idiolect.daemon.storage.selectors import Selector
from idiolect.daemon.storage.words import UnknownWordError

WORDS = ("heron", "walnut", "canal")
SAME = "The same heron on every device."
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
        self.written, self.forgotten, self.same, self.count = set(), set(), 0, 0
        for number in range(3):
            self.write(number, "heron")
        words = first.sync.share(first.folder)
        for device in others:
            hand_own(first, device)
            device.join(words)

    @rule(number=PLACES, word=st.sampled_from(WORDS))
    def write(self, number, word):
        self.count += 1
        text = f"Number {self.count} is about a {word}."
        if self.devices[number].write(text).stored:
            self.written.add(text)

    @rule(number=PLACES)
    def write_the_same(self, number):
        self.same += self.devices[number].write(SAME).stored

    @rule(number=PLACES, word=st.sampled_from(WORDS))
    def forget(self, number, word):
        known = {text for text in self.devices[number].texts() if word in text}
        self.devices[number].profile.forget(Selector(text=word))
        self.forgotten |= known
        if SAME in known:  # what others have typed until now goes, too
            self.same = 0

    @rule(
        number=PLACES, word=st.sampled_from(WORDS), kind=st.sampled_from(("never", "mine", "never_correct"))
    )
    def decide(self, number, word, kind):
        self.devices[number].add_word(kind, word)

    @rule(number=PLACES, word=st.sampled_from(WORDS))
    def take_back(self, number, word):
        with suppress(UnknownWordError):
            self.devices[number].remove_word(word)

    @rule(
        number=PLACES,
        app=st.sampled_from(("chat", "mail*")),
        what=st.sampled_from(("quiet", "exclude", "allow")),
    )
    def say_of_an_app(self, number, app, what):
        self.devices[number].set_app_rule(app, what)

    @rule(number=PLACES, for_s=st.sampled_from((None, 0.0, 1800.0, 7200.0)))
    def pause(self, number, for_s):
        self.devices[number].pause(for_s)

    @rule(number=PLACES)
    def resume(self, number):
        self.devices[number].resume()

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
            self.write(number, word)
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
        self.devices[0].resume()
        settle(*self.devices)
        states = [device.state() for device in self.devices]
        assert states[0] == states[1] == states[2]
        assert states[0][0] == sorted([*self.written - self.forgotten, *[SAME] * self.same])
        for device in self.devices:
            sharing = device.sync.state()
            assert (sharing.problem, sharing.unsent) == (None, 0)
            assert [one.waiting for one in sharing.devices] == [0, 0, 0]


Devices.TestCase.settings = settings(
    max_examples=12, stateful_step_count=25, deadline=None, phases=[Phase.explicit, Phase.generate]
)
TestConvergence = Devices.TestCase
