"""The keyboard under a hand that never rests: every key in its place, how long a key takes, memory, idle time.

`python tests/bench/keyboard.py [--keys N]` types N keys, 20 a second, into Mousepad on a screen of its own,
while the service trains, is stopped, goes on, is killed and comes again. Then a client of IBus of its own presses 2,000
keys and times each answer. Needs what `tests/e2e/test_keyboard.py` needs.
"""

import argparse
import asyncio
import contextlib
import functools
import itertools
import json
import os
import sys
import tempfile
import threading
import time
from pathlib import Path

import psutil
from common import IDIOLECT, ROOT, served

sys.path.insert(0, str(ROOT / "tests" / "e2e"))

import desktop as session

from idiolect.adapters.memory.corpus import read_general_passages
from idiolect.daemon.clients.keyboard.bus import IBUS, Bus
from idiolect.daemon.runtime import process

LINES = (
    "Every key of these lines stands in its place, at 12 or b4 noon; nothing is lost.\n",
    "Dear all, thank you for the minutes of the last meeting, and for the keys!\n",
    "The new boathouse keys are in the red locker (bring the oars back on Friday).\n",
)
EVENT_S = 20.0


def disturb(desktop, settings, ended, counts):
    """Have the service train, stop it, let it go on, kill it and start it, over and over."""
    training = functools.partial(desktop.start, *IDIOLECT, "train", "--wait")
    training()
    for what in itertools.cycle(("suspend", "resume", "kill", "start")):
        if ended.wait(EVENT_S):
            break
        running = process.holder(settings)
        if what == "start":
            process.start(settings)
            training()
        elif running is not None:
            getattr(psutil.Process(running), what)()
        counts[what] = counts.get(what, 0) + 1
    if (running := process.holder(settings)) is not None:
        psutil.Process(running).resume()
    process.start(settings)


def mousepad(desktop, session, folder):
    """Mousepad, once it hears keys, and the file that it saves; some letters stand on the first line."""
    path = folder / "text.txt"
    path.write_text("")
    editor = desktop.start("mousepad", "--disable-server", str(path))
    desktop.window("mousepad")
    session.wait_for(
        lambda: desktop.press("q") or desktop.press("ctrl+s") or "q" in path.read_text(), "mousepad"
    )
    return editor, path


def typed(desktop, session, settings, keys, folder):
    """Whether all keys are in their places, with how often the service was disturbed."""
    editor, path = mousepad(desktop, session, folder)
    desktop.press("Return")
    text, lines = "", itertools.cycle(LINES)
    while len(text) < keys:
        text += next(lines)
    ended, counts = threading.Event(), {}
    disturbing = threading.Thread(target=disturb, args=(desktop, settings, ended, counts))
    disturbing.start()
    for line in text.splitlines(keepends=True):
        desktop.type(line, delay_ms=50)
    ended.set()
    disturbing.join()
    desktop.rest()
    desktop.press("ctrl+s")

    def found():
        return path.read_text().partition("\n")[2].rstrip("\n")

    with contextlib.suppress(AssertionError):
        session.wait_for(lambda: found() == text.rstrip("\n"), "the text")
    editor.terminate()
    return {"keys": len(text), **compared(text.rstrip("\n"), found()), "disturbed": counts}


def compared(wanted, found):
    """How many lines stand there otherwise than meant, and some of them: as meant, and as they stand there."""
    pairs = itertools.zip_longest(wanted.split("\n"), found.split("\n"))
    wrong = [pair for pair in pairs if pair[0] != pair[1]]
    return {"wrong_lines": len(wrong), "such_as": wrong[:5]}


async def timed(address, keys):
    """How long IBus takes to answer each key, in ms: the whole way to the keyboard and back."""
    bus = await Bus.open(address)
    serving = asyncio.ensure_future(bus.serve(lambda _message: None))
    [path] = await bus.call(IBUS, "CreateInputContext", "s", ("bench",))
    context = type(IBUS)(path, "org.freedesktop.IBus", "org.freedesktop.IBus.InputContext")
    await bus.call(context, "SetCapabilities", "u", (9,))
    await bus.call(context, "FocusIn")
    times = []
    for key in itertools.islice(itertools.cycle(map(ord, "dear all thank you for the minutes ")), keys):
        began = time.perf_counter()
        await bus.call(context, "ProcessKeyEvent", "uuu", (key, 0, 0))
        times.append(1000 * (time.perf_counter() - began))
        await asyncio.sleep(0.02)
    serving.cancel()
    return sorted(times)


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--keys", type=int, default=20_000)
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory() as name, served(Path(name) / "profile") as program:
        folder, settings = Path(name), program.settings
        with program.client() as client:
            for text in read_general_passages()[0]:  # something to train on
                client.post("/v1/history", json={"text": text, "source": "import"}).raise_for_status()
        (folder / "desktop").mkdir()
        desktop = session.Desktop(folder / "desktop", program.home)
        try:
            figures = typed(desktop, session, settings, given.keys, folder)
            figures["load"] = [round(one, 1) for one in os.getloadavg()]  # of 1, 5 and 15 minutes
            times = {}
            address = desktop.output("ibus", "address").strip()
            for how, before in (
                ("answers", lambda: None),
                ("is stopped", lambda: service(settings).suspend()),
            ):
                before()
                found = asyncio.run(timed(address, 1000))
                times[how] = {f"p{q}": round(found[int(len(found) * q / 100)], 2) for q in (50, 99)}
            service(settings).resume()
            desktop.rest()
            engine = desktop.engine()
            used = sum(engine.cpu_times()[:2])
            time.sleep(30)
            figures |= {
                "service": times,
                "memory_mb": round(engine.memory_info().rss / 1e6, 1),
                "idle_cpu_s_in_30_s": round(sum(engine.cpu_times()[:2]) - used, 2),
            }
        finally:
            desktop.close()
    print(json.dumps(figures, indent=1))


def service(settings):
    return psutil.Process(process.holder(settings))


if __name__ == "__main__":
    main()
