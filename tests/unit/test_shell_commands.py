"""Commands of a shell are suggested to a shell, and to nobody else; nothing else is made from them."""

from __future__ import annotations

import pytest

from idiolect.adapters.steps import finish
from idiolect.daemon.service import Service
from idiolect.daemon.storage.records import COMMANDS
from idiolect.daemon.storage.selectors import Selector


@pytest.fixture
def service(tiny_profile, tmp_path):
    service = Service(tiny_profile(tmp_path / "home"))
    yield service
    service.close()


def words(service, prefix, source=""):
    """The words that would stand there if a suggestion was taken."""
    typed = prefix.split()[-1]
    return [
        typed + word.text for word in service.suggestions.suggest(prefix, ghost_words=0, source=source).words
    ]


def read(service, path):
    *_, last = service.imports.add([path])
    return last["entries"]


@pytest.fixture
def history(tmp_path):
    path = tmp_path / ".bash_history"
    path.write_text("zquux --rebase\n" * 3 + "zquux --rebase again\n")
    return path


def test_commands_are_suggested_to_a_shell_only(service, history):
    read(service, history)
    assert "zquux" not in words(service, "zqu")
    assert "zquux" in words(service, "zqu", COMMANDS)
    assert "zquux" not in words(service, "Dear zqu")


def test_prose_is_not_suggested_to_a_shell(service, tmp_path):
    for _ in range(3):
        service.ingest.add_text("zwibble and so on", source="editor")
    assert "zwibble" in words(service, "zwi")
    assert "zwibble" not in words(service, "zwi", COMMANDS)


def test_after_a_start_commands_are_still_apart_and_no_text_to_train_on(service, history):
    read(service, history)
    service.model.rebuild()  # as at a start
    assert "zquux" not in words(service, "zqu")
    assert service.store.entries.counts().prose_tokens == 0
    assert service.store.entries.counts().tokens > 0
    assert list(service.store.entries.token_ids()) == []
    assert service.keywords.find(5, "") == []


def test_new_commands_are_known_and_forgotten_ones_are_not(service, history):
    read(service, history)
    assert "zquux" in words(service, "zqu", COMMANDS)
    service.ingest.add_text("zwobble status", source=COMMANDS)
    assert "zwobble" in words(service, "zwo", COMMANDS)
    service.forgetting.forget(Selector(source=COMMANDS), False)
    assert "zquux" not in words(service, "zqu", COMMANDS)


def test_one_more_command_is_learned_without_the_others_being_read_again(service, history, monkeypatch):
    read(service, history)
    assert "zquux" in words(service, "zqu", COMMANDS)
    monkeypatch.setattr(service.model.loaded, "build_user_model", None)  # all of them would go through it
    for _ in range(3):
        service.ingest.add_text("zwibble --verbose", source=COMMANDS)
    assert "zwibble" in words(service, "zwi", COMMANDS)
    assert "zquux" in words(service, "zqu", COMMANDS)


def test_commands_that_are_forgotten_while_they_are_read_are_not_suggested(service, history):
    read(service, history)
    asked = service.model.commands.suggest("zqu", "", 3, 0, lambda: False)
    next(asked)
    service.forgetting.forget(Selector(source=COMMANDS), False)
    assert "zquux" not in ["zqu" + word.text for word in finish(asked).words]
    assert "zquux" not in words(service, "zqu", COMMANDS)
