"""Reading mail: how fast, in how much memory, and what a large history does to suggestions.

``python tests/bench/ingest.py`` prints what ``ingest()`` gives. The mailbox is made from real people's mail
(``../shared/corpora`` beside the checkout), packed as mail programs do: headers as they arrive, the answered mail
quoted below with a line on who wrote it, now and then a signature; a third of the mails are somebody else's. It is read
through the whole way in, by the service's own classes, into a store on disk. Speed is megabytes of the mailbox for each
second of processor time of the process and of the child that reads, so that other programs on the machine do not count;
both are kept to one core. Nothing here fails on a figure.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import psutil

ROOT = Path(__file__).resolve().parents[2]
CORPORA = ROOT.parent / "shared" / "corpora"
BASE = ROOT / ".cache" / "base"
ME, OTHER = "me@example.org", "other@example.org"
MAILBOX_MB = 40
ENTRIES = 100_000
_RECEIVED = (
    "Received: from mx{n}.example.org (mx{n}.example.org [192.0.2.{n}])\n"
    "\tby mail.example.org (Postfix) with ESMTPS id 4F{n:08x}\n\tfor <{to}>; {date}\n"
)


def _texts(*names: str) -> list[str]:
    lines = (line for name in names for line in (CORPORA / f"{name}.jsonl").read_text("utf-8").splitlines())
    return [json.loads(line)["text"] for line in lines]


def mails(texts: list[str], seed: int = 0) -> Iterator[bytes]:
    """Mails of an endless mailbox, each with the line that begins it."""
    random = np.random.default_rng(seed)
    at = datetime(2010, 1, 1, tzinfo=UTC)
    number = 0
    while True:
        number += 1
        at += timedelta(minutes=int(random.integers(1, 90)))
        mine = random.random() < 2 / 3
        date = at.strftime("%a, %d %b %Y %H:%M:%S +0000")
        body, quoted = (texts[int(random.integers(len(texts)))] for _ in range(2))
        sender, to = (ME, OTHER) if mine else (OTHER, ME)
        head = "".join(_RECEIVED.format(n=n, to=to, date=date) for n in range(1, 4))
        head += (
            f"From: A person <{sender}>\nTo: Another <{to}>\nSubject: Re: {body[:40]!r}\nDate: {date}\n"
            f"Message-ID: <{number}.{seed}@mail.example.org>\nIn-Reply-To: <{number - 1}.{seed}@mail.example.org>\n"
            "MIME-Version: 1.0\nContent-Type: text/plain; charset=UTF-8\nContent-Transfer-Encoding: 8bit\n"
            "User-Agent: Example Mail 1.0\nX-Mailer: Example\nContent-Language: en-US\n"
        )
        text = f"{body}\n"
        if random.random() < 0.7:
            answered = "\n".join(f"> {line}" for line in quoted.splitlines())
            text += f"\nOn {date[:16]}, Another person <{to}> wrote:\n{answered}\n"
        if random.random() < 0.3:
            text += "-- \nA person\nAn office, example.org\n"
        yield f"From - {at.strftime('%a %b %d %H:%M:%S %Y')}\n{head}\n{text}\n".encode()


def write_mailbox(path: Path, size_bytes: int, seed: int = 0) -> None:
    """An mbox file of about this size."""
    texts = _texts("email_clinton", "email_mills")
    done = 0
    with path.open("wb") as file:
        for mail in mails(texts, seed):
            done += file.write(mail)
            if done >= size_bytes:
                return


def ingest(mailbox_mb: int = MAILBOX_MB, entries: int = ENTRIES) -> dict:
    """Measure in a process of its own; {} where the corpora or the base model are absent."""
    if not (CORPORA / "email_clinton.jsonl").is_file() or not BASE.is_dir():
        return {}
    command = [sys.executable, str(Path(__file__).resolve()), "--measure", str(mailbox_mb), str(entries)]
    out = subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout
    return json.loads(out.splitlines()[-1])


def _measure(mailbox_mb: int, entries: int) -> dict:
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    from idiolect.daemon.service import Service
    from idiolect.daemon.settings import Settings

    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(home=Path(folder) / "home", keyring=False, threads=1, auto_train=False).prepare()
        settings.base_dir.rmdir()
        settings.base_dir.symlink_to(BASE.resolve())
        box = Path(folder) / "Sent"
        write_mailbox(box, mailbox_mb << 20)
        service = Service(settings)
        try:
            before = _latency(service)
            read = _read(service, box)
            after_mail = _latency(service)
            more = Path(folder) / "more.jsonl"
            _write_lines(more, max(1, entries - read["entries"]))
            lines = _read(service, more)
            after = _latency(service)
            kept = service.status()["entries"]
        finally:
            service.close()
    return {
        "mailbox_mb": mailbox_mb,
        **read,
        "history_entries": kept,
        "lines_per_cpu_s": lines["entries_per_cpu_s"],
        "suggest_p50_ms": {"before": before[0], "after_mail": after_mail[0], "after": after[0]},
        "suggest_p95_ms": {"before": before[1], "after_mail": after_mail[1], "after": after[1]},
        "ratio_p50": round(after[0] / before[0], 2),
        "ratio_p95": round(after[1] / before[1], 2),
    }


def _read(service, path: Path) -> dict:
    process = psutil.Process()
    started, own, began = _cpu_s(process), time.process_time(), time.perf_counter()
    rss = [process.memory_info().rss]
    entries = words = 0
    for event in service.imports.add([path], [ME]):
        rss.append(process.memory_info().rss)
        entries, words = event["entries"], event["words"]
    cpu_s = _cpu_s(process) - started
    size = path.stat().st_size
    return {
        "entries": entries,
        "words": words,
        "cpu_s": round(cpu_s, 2),
        "service_cpu_s": round(time.process_time() - own, 2),
        "wall_s": round(time.perf_counter() - began, 2),
        "mb_per_cpu_s": round(size / 2**20 / cpu_s, 2),
        "entries_per_cpu_s": round(entries / cpu_s),
        "rss_mb": [round(rss[place] / 2**20) for place in np.linspace(0, len(rss) - 1, 6).astype(int)],
    }


def _cpu_s(process: psutil.Process) -> float:
    """The processor time of a process and all that it has started."""
    own = process.cpu_times()
    alive = [child.cpu_times() for child in process.children()]
    return sum(own[:4]) + sum(times.user + times.system for times in alive)


def _write_lines(path: Path, count: int) -> None:
    texts = _texts("email_clinton", "email_mills", "sms_student")
    at = datetime(2015, 1, 1, tzinfo=UTC)
    with path.open("w", encoding="utf-8") as file:
        for number in range(count):
            text = texts[number % len(texts)]
            file.write(json.dumps({"text": text, "ts": (at + timedelta(minutes=number)).isoformat()}) + "\n")


def _latency(service) -> tuple[float, float]:
    """The median and the 95th percentile of a keystroke's processor time, in ms, over a few messages."""
    messages = [text for text in _texts("email_mills") if 60 <= len(text) <= 120][:3]
    times = []
    for message in messages:
        for end in range(1, len(message)):
            start = time.process_time()
            service.suggestions.suggest(message[:end], ghost_words=0)
            times.append(1000 * (time.process_time() - start))
    return round(float(np.percentile(times, 50)), 2), round(float(np.percentile(times, 95)), 2)


def main() -> None:
    """Print the figures."""
    if "--measure" in sys.argv:
        print(json.dumps(_measure(*map(int, sys.argv[-2:]))))
        return
    print(json.dumps(ingest(), indent=2))


if __name__ == "__main__":
    main()
