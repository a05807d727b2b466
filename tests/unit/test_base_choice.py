"""Which base model serves, and what one of the user's own is made from."""

import hashlib
from dataclasses import replace

import pytest

from idiolect.models.base_choice import Choice, MissingModelError, read_choice, require_source, resolve_base
from idiolect.models.errors import DamagedModelError
from idiolect.models.known_bases import DEFAULT, GEMMA


def test_a_base_model_is_made_from_the_chosen_file_alone(tmp_path):
    path = tmp_path / "mine.gguf"
    path.write_bytes(b"first")
    choice = resolve_base(tmp_path, str(path))
    assert choice == Choice("mine", hashlib.sha256(b"first").hexdigest(), str(path))
    assert require_source(choice) == path
    path.write_bytes(b"second")
    with pytest.raises(MissingModelError, match="another file now"):
        require_source(choice)
    path.unlink()
    with pytest.raises(MissingModelError, match="not there any more"):
        require_source(choice)
    with pytest.raises(MissingModelError, match="not known which GGUF"):
        require_source(replace(choice, gguf=None))
    assert require_source(Choice(GEMMA.name, GEMMA.sha256, str(path))) is None, "that is fetched"


@pytest.mark.parametrize(
    ("stem", "name"),
    [
        ("My model", "My-model"),
        ("..-x-..", "x"),
        ("\x1b[31mred\n", "31mred"),
        ("模型", "own"),
        ("a" * 39 + ".b", "a" * 39),
        (DEFAULT.name, f"{DEFAULT.name}-{hashlib.sha256(b'any').hexdigest()[:8]}"),
    ],
)
def test_a_file_of_any_name_makes_a_folder_of_its_own(tmp_path, stem, name):
    path = tmp_path / f"{stem}.gguf"
    path.write_bytes(b"any")
    assert resolve_base(tmp_path, str(path)).name == name


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"name": 5, "sha256": ""}', '{"name": "../model", "sha256": ""}']
)
def test_a_choice_that_cannot_be_read_is_named_with_its_remedy(tmp_path, text):
    (tmp_path / "chosen.json").write_text(text)
    with pytest.raises(DamagedModelError, match="Choose it again"):
        read_choice(tmp_path)
