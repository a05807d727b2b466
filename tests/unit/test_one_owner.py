"""Typing, learning, forgetting, switching and generating at once: every answer comes from one state of the model.

The threads of a whole service are those that docs/architecture.md names.
"""

import contextlib
import threading

import pytest
from publishing import publish
from serving import suggest
from waiting import DEADLINE_S, until

from idiolect.adapters.generation.requests import Piece, Prompt, SamplingParams
from idiolect.adapters.memory.steps import in_one_step
from idiolect.daemon.profile.events import Learned
from idiolect.daemon.service import Service
from idiolect.daemon.serving.model_queue import Priority
from idiolect.daemon.storage.records import ForgottenMeanwhileError
from idiolect.daemon.storage.selectors import Selector

TIMES = 5
PAUSE_S = 0.005  # between two keys


@pytest.fixture
def service(tmp_path, tiny_profile):
    with contextlib.closing(Service(tiny_profile(tmp_path / "home"))) as made:
        yield made


def all_at_once(*work):
    """Do each in a thread of its own; raises the first error."""
    errors = []

    def run(one):
        try:
            one()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(one,)) for one in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(DEADLINE_S)
        assert not thread.is_alive(), "it waits for ever"
    if errors:
        raise errors[0]


def known_words(service, prefix):
    return {word.text for word in suggest(service, prefix, candidates=9).words}


def test_everything_at_once_and_nothing_forgotten_comes_back(service, tiny, make_lora):
    metrics = {"base_sha256": tiny.source_sha256}
    adapter = publish(service.store, blob=make_lora(tiny.config).to_bytes(), metrics=metrics)
    service.model.use(None)
    service.ingest.add_text("We met the Xylographers at noon. " * 3, source="test")
    ended, offered = threading.Event(), []

    def type_on():
        while not ended.wait(PAUSE_S):
            found = suggest(service, "We met the Xy")
            offered.append((found.adapter, {word.text for word in found.words}))

    def forget_and_learn():
        try:
            for number in range(TIMES):
                word = "Quombat" + "abcdefghijkl"[number]
                added = service.ingest.add_text(f"The {word} sang. " * 3, source="test")
                assert word[3:] in known_words(service, "The Quo"), "the fast memory knows it on return"
                service.profile.forget(Selector(ids=(added.id,)))
                assert word[3:] not in known_words(service, "The Quo"), "nothing that is forgotten is offered"
        finally:
            ended.set()

    def learn_much():
        encode = service.model.loaded.tokenizer.encode
        while not ended.wait(PAUSE_S):
            newest = service.model.served.newest
            service.model.learn([(newest - place, encode("It is known.")) for place in range(200)])

    def switch():
        while not ended.is_set():
            service.model.use(adapter)
            assert suggest(service, "We met the Xy").adapter == adapter
            service.model.use(None)

    def generate():
        while not ended.is_set():
            with contextlib.suppress(ForgottenMeanwhileError):
                generations = service.model.generations
                chosen = generations.choose("idiolect")
                steps = generations.generate(chosen, Prompt("We met"), SamplingParams(8))

                def write(steps=steps):
                    texts = []
                    for part in steps:
                        texts += [part.text] if isinstance(part, Piece) else []
                        yield
                    return "".join(texts)

                assert "Quombat" not in service.model.queue.run(Priority.REST, write())

    all_at_once(type_on, forget_and_learn, learn_much, switch, generate)
    assert {adapter for adapter, _ in offered} >= {None, adapter}
    assert all("lographers" in words for _, words in offered), "what stays known is always offered"


@contextlib.contextmanager
def occupied(service):
    """The model does nothing in the block."""
    begun, go_on = threading.Event(), threading.Event()

    def stand():
        begun.set()
        assert go_on.wait(DEADLINE_S)
        yield

    standing = threading.Thread(target=service.model.queue.run, args=(Priority.TYPING, stand()))
    standing.start()
    assert begun.wait(DEADLINE_S)
    try:
        yield
    finally:
        go_on.set()
        standing.join(DEADLINE_S)


def test_while_the_model_is_busy_no_more_than_so_much_text_waits_to_be_learned(service):
    ids = service.model.loaded.tokenizer.encode("The Quombat sang. " * 40)
    newest, fit = service.model.served.newest, 4096 // len(ids)
    *first, last = range(newest + 1, newest + fit + 2)
    one_more = threading.Thread(target=service.model.learning.learn, args=([(last, ids)],))
    with occupied(service):
        for number in first:
            service.model.learning.learn([(number, ids)])
        waiting = len(service.model.queue)
        one_more.start()
        until(lambda: len(service.model.queue) > waiting)  # who brings another waits for the model
    one_more.join(DEADLINE_S)
    assert service.model.served.user_model.words.count("Quombat") == 40 * (fit + 1)


def test_a_text_that_is_learned_while_the_user_model_is_built_is_in_both(service):
    service.ingest.add_text("We met the Xylographers at noon. " * 3, source="test")
    building = threading.Thread(target=service.model.rebuild)
    with occupied(service):
        building.start()
        until(lambda: len(service.model.queue) >= 2)
        service.ingest.add_text("The Quombat sang. " * 3, source="test")
        asked = in_one_step(service.model.learning.learn_postponed)  # as a question does first
        learning = threading.Thread(target=service.model.queue.run, args=(Priority.TYPING, asked))
        learning.start()
        until(lambda: len(service.model.queue) >= 3)
        former = service.model.served
    for thread in (building, learning):
        thread.join(DEADLINE_S)
    assert service.model.served is not former
    assert former.user_model.words.count("Quombat") == 3
    assert service.model.served.user_model.words.count("Quombat") == 3, "once, not twice"


def test_a_sent_text_does_not_wait_until_a_batch_is_learned(service, tmp_path):
    """An import's transaction keeps who sends a text waiting while it is written, and no longer."""
    held, go_on = threading.Event(), threading.Event()

    def wait_where_many(event):
        if len(event.entries) > 1:
            held.set()
            assert go_on.wait(DEADLINE_S)

    service.profile.events.subscribe(Learned, wait_where_many)
    (tmp_path / "notes.txt").write_text(
        "\n\n".join(f"Note {n} is about the harbour office." for n in range(20))
    )
    reading = threading.Thread(target=lambda: list(service.imports.add([tmp_path / "notes.txt"])))
    reading.start()
    assert held.wait(DEADLINE_S)
    sending = threading.Thread(target=service.ingest.add_text, args=("We met.",), kwargs={"source": "test"})
    sending.start()
    sending.join(DEADLINE_S)
    in_time = not sending.is_alive()
    go_on.set()
    for thread in (reading, sending):
        thread.join(DEADLINE_S)
    assert in_time
