"""A base model is whole or not there: built once, checked, and made again when it is damaged."""

import hashlib
import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from idiolect.models.build import FORMAT, BasePaths, MissingModelError, ensure_base, find_base
from idiolect.models.errors import DamagedModelError, UnsupportedModelError
from idiolect.models.fetch import BASE, shipped
from idiolect.models.lexicon import read_lexicon
from idiolect.models.session import Model, Session
from idiolect.models.tokenizer import Tokenizer


@pytest.fixture(autouse=True, scope="module")
def short_list():
    """The word list takes most of the time that a tiny model takes to build; here it has few words."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("idiolect.models.lexicon.SIZE", 200)
        yield


@pytest.fixture
def gguf(make_gguf, tmp_path):
    return make_gguf(tmp_path / "mine.gguf")


@pytest.fixture
def home(tmp_path):
    return tmp_path / "base"


@pytest.fixture(scope="module")
def first(short_list, make_gguf, tmp_path_factory):
    """A folder with the base model of what `gguf` is, built."""
    folder = tmp_path_factory.mktemp("first")
    ensure_base(folder / "base", make_gguf(folder / "mine.gguf"))
    return folder / "base"


@pytest.fixture
def base(first, gguf, home):
    """The base model in `home`, a copy that a test may spoil."""
    shutil.copytree(first, home)
    base = find_base(home)
    assert ensure_base(home, gguf, lambda _phase, _done: pytest.fail("it is not built again")) == base
    return base


def state(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Every file below, with the time it was written and what it holds."""
    return {
        str(path.relative_to(folder)): (path.stat().st_mtime_ns, path.read_bytes())
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_a_gguf_becomes_a_base_model_that_runs(gguf, home):
    reported: list[tuple[str, float]] = []
    base = ensure_base(home, gguf, lambda phase, done: reported.append((phase, done)))
    assert base == find_base(home, verify=True)
    assert base.name == "mine"
    assert base.source_sha256 == hashlib.sha256(gguf.read_bytes()).hexdigest()
    tokenizer = Tokenizer(base.tokenizer)
    assert tokenizer.vocab_size == base.config.vocab == 512
    assert len(read_lexicon(base.lexicon).forms) > 200
    logits = Session(Model(base.graph, base.config)).feed(tokenizer.encode("The boat left"))
    assert logits.shape == (1, 512)
    assert np.isfinite(logits).all()
    assert [*home.iterdir()] == [base.folder], "nothing else is left"
    assert gguf.exists(), "a file of the user's own is not ours to delete"

    assert {phase for phase, _ in reported} == {"build"}, "nothing is fetched, and nobody is told so"
    shares = [done for _, done in reported]
    assert shares == sorted(shares)
    assert (shares[0], shares[-1]) == (0.0, 1.0)


def test_what_the_package_brings_along_is_built_from_where_it_lies(home, gguf, tmp_path, monkeypatch):
    made = (tmp_path / "prefix" / "base").resolve() / Path(BASE.member).name
    made.parent.mkdir(parents=True)
    gguf.rename(made)
    pin = replace(BASE, member_sha256=hashlib.sha256(made.read_bytes()).hexdigest())
    monkeypatch.setattr("idiolect.models.build.BASE", pin)
    monkeypatch.setattr("idiolect.models.build.fetch", lambda *_: pytest.fail("it is fetched"))
    monkeypatch.setattr("sys.prefix", str(tmp_path / "prefix"))
    told = []
    ensure_base(home, progress=lambda phase, _done: told.append(phase))
    assert set(told) == {"build"}
    assert made.exists()
    made.write_bytes(made.read_bytes()[:-1])
    assert shipped(pin) is None


def test_another_gguf_takes_its_place(base, home, make_gguf, tmp_path):
    first = base
    other = make_gguf(tmp_path / "other.gguf", matrices=np.float16)
    second = ensure_base(home, other)
    assert (second.name, second.folder) == ("other", first.folder)
    assert second.source_sha256 != first.source_sha256
    assert find_base(home, verify=True) == second
    assert [*home.iterdir()] == [second.folder]


def test_no_base_is_missing(home, tmp_path):
    for folder in (home, tmp_path):
        with pytest.raises(MissingModelError, match="idiolect start"):
            find_base(folder)


def spoil(base: BasePaths, damage: str) -> None:
    data = base.graph.with_name("graph.onnx.data")
    manifest = base.folder / "manifest.json"
    content = data.read_bytes()
    if damage == "a file is gone":
        base.tokenizer.unlink()
    elif damage == "a file is a folder":
        base.lexicon.unlink()
        base.lexicon.mkdir()
    elif damage == "a bit is wrong":
        data.write_bytes(content[:9000] + bytes([content[9000] ^ 1]) + content[9001:])
    else:
        manifest.write_bytes(
            {
                "the manifest is cut": manifest.read_bytes()[:-40],
                "the manifest lists nothing": json.dumps({"format": FORMAT}).encode(),
                "the manifest has another shape": re.sub(rb'"width"', b'"breadth"', manifest.read_bytes()),
            }[damage]
        )


DAMAGE = [
    "a file is gone",
    "a file is a folder",
    "a bit is wrong",
    "the manifest is cut",
    "the manifest lists nothing",
    "the manifest has another shape",
]


@pytest.mark.parametrize("damage", DAMAGE)
def test_damage_is_found_and_repaired(base, gguf, home, damage):
    spoil(base, damage)
    with pytest.raises(DamagedModelError, match="idiolect start") as raised:
        find_base(home, verify=True)
    assert str(base.folder) in str(raised.value)
    assert ensure_base(home, gguf) == base
    assert find_base(home, verify=True) == base
    assert [*home.iterdir()] == [base.folder]


def test_a_base_of_another_version_is_built_again(base, gguf, home):
    manifest = base.folder / "manifest.json"
    values = json.loads(manifest.read_text())
    manifest.write_text(json.dumps({"format": FORMAT + 1, "made_of": "something else"}))
    with pytest.raises(MissingModelError, match="another version"):
        find_base(home)
    assert ensure_base(home, gguf) == base
    assert json.loads(manifest.read_text()) == values | {"gguf": str(gguf)}


@pytest.mark.parametrize(
    ("kind", "error"),
    [("missing", MissingModelError), ("text", DamagedModelError), ("unsupported", UnsupportedModelError)],
)
def test_an_unusable_gguf_leaves_the_former_base(base, home, make_gguf, tmp_path, kind, error):
    before = state(home)
    other = tmp_path / "other.gguf"
    if kind == "text":
        other.write_text("Dear diary, " * 999)
    elif kind == "unsupported":
        make_gguf(other, architecture="gpt2")
    with pytest.raises(error) as raised:
        ensure_base(home, other)
    assert str(other) in str(raised.value)
    assert state(home) == before
    assert find_base(home, verify=True) == base
    assert [*home.iterdir()] == [base.folder]
