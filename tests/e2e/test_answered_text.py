"""Of what the user answers nothing is left: in no file, no list and, after its time, no memory of the service."""

import json
import os
import signal
import textwrap

import numpy as np
import pytest
from waiting import until

from idiolect.daemon.runtime import process
from idiolect.models.tokenizer import Tokenizer

TIME_S = 2.0
_RUN_BYTES = 16
TAKEN = "Xanthoquell"
NAMES = ("Brombelwitz", "Kwiaciarnia", "Querfurter")
MESSAGES = [
    f"The ferry of {TAKEN} leaves on Thursday 14:37, says {NAMES[0]}. Ticket PQX-48213 is at the {NAMES[1]}.",
    f"Dear all, the {NAMES[2]} meeting is moved, and {NAMES[0]} brings the {NAMES[1]} maps with her to the ferry.",
]
# In the service: a signal has it write all that its memory holds to a file, and what is answered has a shorter time.
WATCHED = textwrap.dedent(f"""
    import os, signal, sys

    _memory = open("/proc/self/mem", "rb", buffering=0)

    def _tell(*_):
        with open("/proc/self/maps") as maps, open(os.environ["DUMP"] + ".part", "wb", buffering=0) as out:
            for line in [line for line in maps if line.split()[1].startswith("rw")]:
                start, end = (int(place, 16) for place in line.split()[0].split("-"))
                for at in range(start, end, 1 << 16):
                    try:
                        _memory.seek(at)
                        piece = _memory.read(min(1 << 16, end - at))
                    except (OSError, OverflowError, ValueError):
                        break
                    if piece.strip(b"\\0"):
                        out.write(piece)
        os.rename(os.environ["DUMP"] + ".part", os.environ["DUMP"])

    def _shorten(event, args):
        if event == "import" and args[0].startswith("idiolect.daemon.service"):
            from idiolect.daemon.serving import answered_text

            answered_text.KEPT_S = {TIME_S}

    signal.signal(signal.SIGUSR1, _tell)
    sys.addaudithook(_shorten)
""")


def patterns(tokenizer: Tokenizer) -> dict[str, bytes]:
    """What would be left of it: text in any of the ways that memory holds it, and tokens."""
    found = {}
    for name in (*NAMES, "PQX-48213", "14:37, says", MESSAGES[0][40:80], MESSAGES[1][:40]):
        for code in ("utf-8", "utf-16-le", "utf-32-le"):
            found[f"{name} {code}"] = name.encode(code)
    for number, message in enumerate(MESSAGES):
        ids = tokenizer.encode(message)
        for start in (4, 12, 20):
            for kind in ("<i4", "<i8", "<u2"):
                found[f"tokens {number} {start} {kind}"] = np.array(ids[start : start + 8], kind).tobytes()
    return found


@pytest.fixture
def life(new_service, trust_memory, tmp_path, monkeypatch):
    """A service that was asked with what its user answers, and learned what they wrote."""
    (tmp_path / "watched").mkdir()
    (tmp_path / "watched" / "sitecustomize.py").write_text(WATCHED)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "watched"))
    monkeypatch.setenv("DUMP", str(tmp_path / "dump"))
    service = new_service(tmp_path / "profile")
    trust_memory(service.settings.prepare())
    process.start(service.settings)
    try:
        for _ in range(3):
            service.ask(
                "/v1/history", text="Please send the quarterly figures to the harbour office.", source="test"
            )
        yield service
    finally:
        process.stop(service.settings)


def in_memory(service, tmp_path, wanted):
    """The names of the patterns that the service's memory holds."""
    dump = tmp_path / "dump"
    dump.unlink(missing_ok=True)
    os.kill(process.find(service.settings).pid, signal.SIGUSR1)
    until(dump.exists)
    whole = dump.read_bytes()
    return {name for name, pattern in wanted.items() if pattern in whole}


def test_nothing_of_it_is_left(life, tiny, tmp_path):
    wanted = patterns(Tokenizer(tiny.tokenizer))
    assert not in_memory(life, tmp_path, wanted)
    written = f"We meet {TAKEN} on Thursday at the quay."
    for at in range(1, len(written), 3):
        found = life.ask("/v1/suggest", prefix=written[:at], context=MESSAGES, corrections=True)
        assert found["sees_context"]
    assert "elwitz" in {word["text"] for word in found_behind(life, "We ask Bromb")}
    assert in_memory(life, tmp_path, wanted), "the search finds what is there"
    life.ask("/v1/feedback", kind="word", outcome="accepted", p=0.5, characters=len(TAKEN))
    life.ask("/v1/history", text=written, source="test")
    # One fragment may be left where an object that lives has not written all of the memory that it took.
    whole = {f"message {number}": message.encode() for number, message in enumerate(MESSAGES)}
    runs = {name: pattern for name, pattern in wanted.items() if len(pattern) >= _RUN_BYTES} | whole
    left: set[str] = set()

    def is_gone():
        life.ask("/v1/suggest", prefix="The work goes on.")
        left.clear()
        left.update(in_memory(life, tmp_path, runs))
        return not left or (len(left) == 1 and next(iter(left)).endswith("utf-8"))

    until(is_gone, lambda: left)
    told = [life.ask(path) for path in ("/v1/status", "/v1/words", "/v1/audit", "/v1/report")]
    assert not [name for name in NAMES if name in json.dumps(told)]
    texts = [pattern for name, pattern in wanted.items() if "tokens" not in name]
    for path in life.settings.home.rglob("*"):
        if path.is_file() and not path.is_symlink():
            whole = path.read_bytes()
            assert not [text for text in texts if text in whole], path
    assert "elwitz" not in {word["text"] for word in life.ask("/v1/suggest", prefix="We ask Bromb")["words"]}
    assert TAKEN[4:] in {
        word["text"] for word in life.ask("/v1/suggest", prefix=f"We ask {TAKEN[:4]}")["words"]
    }


def found_behind(life, prefix):
    return life.ask("/v1/suggest", prefix=prefix, context=MESSAGES, candidates=9)["words"]
