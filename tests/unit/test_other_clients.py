"""Clients of OpenAI and llama.cpp against the whole service, with the tiny model in the place of the real one."""

import asyncio
import json
import threading
from collections import defaultdict

import openai
import pytest
from publishing import publish
from serving import DEADLINE_S, answering, learn_by_heart

from idiolect.adapters.generation.requests import Piece, Prompt, SamplingParams
from idiolect.daemon.service import Service
from idiolect.daemon.serving.model_queue import Priority
from idiolect.daemon.storage.records import ForgottenMeanwhileError
from idiolect.daemon.storage.selectors import Selector

KNOWN = "We met the Xylographers of Querfurt again, and Kwiaciarnia brought the old maps of the harbour."
SAID = "the purple canary sings at midnight"


@pytest.fixture(scope="module")
def service(tiny, tiny_profile, make_lora, tmp_path_factory):
    settings = tiny_profile(tmp_path_factory.mktemp("home"))
    service = Service(settings)
    service.settings = settings
    for seed, status in ((1, "active"), (2, "refused"), (3, "refused")):
        publish(
            service.store,
            blob=make_lora(tiny.config, size=1.0, seed=seed).to_bytes(),
            status=status,
            metrics={"base_sha256": "another" if seed == 3 else tiny.source_sha256},
        )
    service.model.use(1)
    for _ in range(4):
        service.ingest.add_text(KNOWN, source="test")
    yield service
    service.close()


@pytest.fixture(scope="module")
def site(service):
    with answering(service, service.settings) as made:
        yield made


@pytest.fixture(scope="module")
def client(site):
    url = f"{site.running.url}/v1"
    with openai.OpenAI(base_url=url, api_key=site.token, timeout=DEADLINE_S, max_retries=0) as made:
        yield made


def complete(client, prompt="We met the ", **more):
    return client.completions.create(model="idiolect", prompt=prompt, **{"temperature": 0, **more})


# Models


def test_what_serves_the_base_and_each_adapter_are_models(client):
    assert [model.id for model in client.models.list()] == [
        "idiolect",
        "idiolect-base",
        "idiolect-adapter-1",
        "idiolect-adapter-2",
    ]
    served = client.models.retrieve("idiolect")
    assert (served.object, served.owned_by) == ("model", "idiolect")
    assert served.created == client.models.retrieve("idiolect-adapter-1").created > 1e9
    for name in ("idiolect-adapter-3", "idiolect-adapter-x", "gpt-4"):
        with pytest.raises(openai.NotFoundError) as caught:
            client.models.retrieve(name)
        assert (caught.value.code, caught.value.param) == ("model_not_found", "model")


def test_an_adapter_is_asked_by_name_beside_the_one_that_serves(client, service):
    def said(model):
        return client.completions.create(model=model, prompt="Hello", temperature=0, max_tokens=12)

    answers = {
        name: said(name) for name in ("idiolect", "idiolect-base", "idiolect-adapter-1", "idiolect-adapter-2")
    }
    texts = {name: answer.choices[0].text for name, answer in answers.items()}
    assert texts["idiolect"] == texts["idiolect-adapter-1"]
    assert len(set(texts.values())) == 3
    assert service.model.adapter_id == 1
    assert [answer.system_fingerprint for answer in answers.values()] == [
        "adapter-1",
        "base",
        "adapter-1",
        "adapter-2",
    ]
    service.model.use(2)
    try:
        assert said("idiolect").choices[0].text == texts["idiolect-adapter-2"]
    finally:
        service.model.use(1)


@pytest.mark.parametrize("name", ["idiolect", "idiolect-base", "idiolect-adapter-2"])
def test_no_key_and_no_text_waits_while_the_store_is_rewritten(site, service, name):
    generations = service.model.generations
    generations.let_go()  # a text that is generated anew needs all that the store holds of its model
    parts = generations.generate(generations.choose(name), Prompt("We met the "), SamplingParams(8))

    def write():
        texts = []
        for part in parts:
            texts += [part.text] if isinstance(part, Piece) else []
            yield
        return "".join(texts)

    with service.store.together():  # as a rewriting of the file does, it keeps all other threads out
        assert service.model.queue.run(Priority.REST, write())
        assert site.post("/v1/suggest", {"prefix": "We met the "}).json()["words"]


# Completions


def test_a_completion_is_what_the_user_would_write(client):
    answer = complete(client, max_tokens=12)
    assert answer.object == "text_completion"
    assert answer.model == "idiolect"
    assert answer.choices[0].text.startswith("Xylographers of")
    assert answer.choices[0].finish_reason == "length"
    usage = answer.usage
    assert (usage.completion_tokens, usage.total_tokens) == (12, usage.prompt_tokens + 12)
    assert complete(client).usage.completion_tokens == 16
    assert complete(client, max_tokens=12).usage.prompt_tokens_details.cached_tokens > 0


def test_several_prompts_and_texts_come_in_order(client):
    prompts = ["We met the ", "Kwiaciarnia brought the "]
    answer = complete(client, prompts, n=2, max_tokens=8)
    assert [choice.index for choice in answer.choices] == [0, 1, 2, 3]
    texts = [choice.text for choice in answer.choices]
    assert texts[0] == texts[1] != texts[2] == texts[3]
    assert texts[0].startswith("Xylo")
    assert texts[2].startswith("old")
    assert answer.usage.completion_tokens == 32
    alone = [complete(client, prompt, max_tokens=8).usage.prompt_tokens for prompt in prompts]
    assert answer.usage.prompt_tokens == sum(alone)


def test_a_seed_is_heeded_and_each_text_has_its_own(client):
    def texts(**more):
        return [choice.text for choice in complete(client, "Hello ", temperature=1, n=3, **more).choices]

    assert texts(seed=7) == texts(seed=7) != texts(seed=8)
    assert len(set(texts(seed=7))) == 3
    assert texts(seed=7, top_p=1e-5) == [complete(client, "Hello ").choices[0].text] * 3


@pytest.mark.parametrize("stop", ["Querfurt", ["never", "of Quer"], "s of"])
def test_a_stop_ends_a_text_and_is_no_part_of_it(client, stop):
    choice = complete(client, max_tokens=40, stop=stop).choices[0]
    assert choice.finish_reason == "stop"
    assert choice.text == {"s of": "Xylographer"}.get(
        str(stop), "Xylographers " if "of Quer" in stop else "Xylographers of "
    )


def test_a_suffix_ends_a_text(client):
    choice = complete(client, max_tokens=60, suffix=" again, and").choices[0]
    assert (choice.text, choice.finish_reason) == ("Xylographers of Querfurt", "stop")


def streamed(chunks):
    """The texts of a stream's choices, how they ended, and the chunks."""
    texts, ends, seen = defaultdict(str), {}, []
    for chunk in chunks:
        seen.append(chunk)
        for choice in chunk.choices:
            texts[choice.index] += choice.text
            if choice.finish_reason is not None:
                assert choice.index not in ends
                ends[choice.index] = choice.finish_reason
    return dict(texts), ends, seen


def test_a_stream_brings_the_same_text(client):
    asked = {"prompt": ["We met the ", "One "], "n": 2, "max_tokens": 12}
    whole = complete(client, **asked)
    texts, ends, seen = streamed(
        complete(client, **asked, stream=True, stream_options={"include_usage": True})
    )
    assert texts == {choice.index: choice.text for choice in whole.choices}
    assert ends == {choice.index: choice.finish_reason for choice in whole.choices}
    assert len(seen) > 12
    assert [chunk.usage is None for chunk in seen] == [True] * (len(seen) - 1) + [False]
    assert seen[-1].usage.completion_tokens == whole.usage.completion_tokens
    assert len({chunk.id for chunk in seen}) == 1


def test_several_clients_stream_side_by_side(site, client):
    async def all_of_them(prompts):
        url = f"{site.running.url}/v1"
        async with openai.AsyncOpenAI(base_url=url, api_key=site.token, timeout=DEADLINE_S) as others:

            async def one(prompt):
                chunks = await others.completions.create(
                    model="idiolect", prompt=prompt, max_tokens=12, stream=True, temperature=0
                )
                return "".join([chunk.choices[0].text async for chunk in chunks])

            return await asyncio.gather(*map(one, prompts))

    prompts = ["We met the ", "Kwiaciarnia brought the ", "We met the ", "One "]
    whole = [complete(client, prompt, max_tokens=12).choices[0].text for prompt in prompts]
    assert asyncio.run(all_of_them(prompts)) == whole


# What is wrong


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"prompt": 5}, "prompt"),
        ({"prompt": []}, "prompt"),
        ({"temperature": 3}, "temperature"),
        ({"n": 9}, "n"),
        ({"n": 8, "prompt": ["x"] * 5}, "n"),
        ({"stop": ""}, "stop"),
        ({"logprobs": 2}, "logprobs"),
        ({"echo": True}, "echo"),
        ({"presence_penalty": -1}, "presence_penalty"),
        ({"stream_options": {"include_usage": 5}}, "stream_options"),
    ],
)
def test_bad_input_is_refused_in_openais_form(client, body, field):
    with pytest.raises(openai.BadRequestError) as caught:
        client.completions.create(**{"model": "idiolect", "prompt": SAID, **body})
    error = caught.value
    assert (error.code, error.param, error.type) == ("invalid-request", field, "invalid_request_error")
    assert set(error.body) == {"message", "type", "param", "code"}
    assert SAID not in str(error.body)


def test_what_means_nothing_here_is_not_looked_at(client):
    extra = {"user": "me", "logit_bias": {"5": 1}, "best_of": 3, "something": None}
    assert complete(client, extra_body=extra).choices[0].text == complete(client).choices[0].text
    nothing = dict.fromkeys(("stop", "seed", "n", "max_tokens", "top_p", "logprobs", "suffix", "stream"))
    nothing |= {"echo": False, "frequency_penalty": 0, "presence_penalty": 0.0}
    assert complete(client, extra_body=nothing).choices[0].text == complete(client).choices[0].text


def test_a_client_that_chats_is_told_what_to_ask_instead(client):
    with pytest.raises(openai.NotFoundError, match="does not chat") as caught:
        client.chat.completions.create(model="idiolect", messages=[{"role": "user", "content": SAID}])
    assert SAID not in str(caught.value.body)


def test_a_model_or_token_that_is_unknown_is_told_in_openais_form(client, site):
    with pytest.raises(openai.NotFoundError) as missing:
        client.completions.create(model="gpt-4", prompt="x", stream=True)
    assert (missing.value.code, missing.value.param) == ("model_not_found", "model")
    with pytest.raises(openai.AuthenticationError) as refused:
        complete(client.with_options(api_key="no"))
    assert (refused.value.code, refused.value.type) == ("invalid_api_key", "invalid_request_error")
    answer = site.http.get("/v1/completions")
    assert (answer.status_code, answer.json()["error"]["code"]) == (405, "no-route")


class Slow:
    """Texts that are endless until `enough` is set, and then may fail; `closed` counts those that ended."""

    def __init__(self):
        self.enough = threading.Event()
        self.begun, self.closed = threading.Event(), threading.Semaphore(0)
        self.fails = None

    def generate(self, _name, _prompt, _wanted):
        self.begun.set()
        try:
            yield Piece("One")
            while not self.enough.wait(0.002):
                yield None
            if self.fails is not None:
                raise self.fails
        finally:
            self.closed.release()


@pytest.fixture
def slow(service, monkeypatch):
    slow = Slow()
    monkeypatch.setattr(service.model.generations, "generate", slow.generate)
    yield slow
    slow.enough.set()


@pytest.mark.parametrize("stream", [True, False])
def test_a_text_ends_when_its_client_goes_away(site, service, slow, stream):
    body = {"model": "idiolect", "prompt": "x", "stream": stream}
    if stream:
        with site.http.stream("POST", "/v1/completions", json=body) as answer:
            lines = answer.iter_lines()  # held: what is not would end the answer
            assert next(lines).startswith("data: ")
            assert not slow.closed.acquire(blocking=False)
    else:
        site.leave("/v1/completions", body, slow.begun)
    assert slow.closed.acquire(timeout=DEADLINE_S)
    assert len(service.model.queue) == 0


def test_too_many_texts_at_once_are_told_to_come_later_and_suggestions_go_on(client, site, slow):
    streams = [complete(client, stream=True) for _ in range(4)]
    firsts = [next(iter(stream)) for stream in streams]
    assert all(first.choices[0].text for first in firsts)
    with pytest.raises(openai.RateLimitError) as caught:
        complete(client)
    assert (caught.value.code, caught.value.type) == ("rate_limit_exceeded", "rate_limit_error")
    assert caught.value.response.headers["retry-after"] == "1"
    words = site.post("/v1/suggest", {"prefix": "We met the "}).json()["words"]
    assert "Xylographers" in [word["text"] for word in words]
    slow.enough.set()
    for stream in streams:
        stream.close()


@pytest.mark.parametrize(
    ("error", "says", "code"),
    [
        (
            ForgottenMeanwhileError("It was forgotten meanwhile. Ask again."),
            "forgotten meanwhile",
            "forgotten-meanwhile",
        ),
        (RuntimeError("a mistake"), "Something went wrong inside the service", "internal"),
    ],
)
def test_an_error_on_the_way_ends_a_stream_and_is_told(client, slow, error, says, code):
    slow.fails = error
    slow.enough.set()
    stream = complete(client, stream=True)
    with pytest.raises(openai.APIError, match=says) as caught:
        list(stream)
    assert caught.value.code == code
    with pytest.raises(openai.APIStatusError):
        complete(client)


# What is kept


def test_nothing_that_is_asked_is_stored_or_learned(client, service):
    before = service.status()
    complete(client, SAID)
    after = service.status()
    assert all(before[name] == after[name] for name in ("entries", "tokens", "words", "sources"))
    for path in service.settings.home.rglob("*"):
        if path.is_file() and not path.is_symlink():
            assert SAID.encode() not in path.read_bytes()


def test_what_was_forgotten_is_not_written_any_more(client, service):
    entry = service.ingest.add_text("Our Zorvelin meets in the Ostravian tower.", source="test").id
    assert "Ostravian" in complete(client, "Our Zorvelin meets in the ").choices[0].text
    generations = service.model.generations
    chosen = generations.choose("idiolect")
    steps = generations.generate(chosen, Prompt("Our Zorvelin "), SamplingParams(500))
    next(steps)
    service.profile.forget(Selector(ids=(entry,)))
    with pytest.raises(ForgottenMeanwhileError):
        next(steps)
    with pytest.raises(ForgottenMeanwhileError):  # chosen before, begun after
        next(generations.generate(chosen, Prompt("Our Zorvelin "), SamplingParams(500)))
    assert "Ostravian" not in complete(client, "Our Zorvelin meets in the ", max_tokens=40).choices[0].text


def test_a_secret_is_not_written_even_where_it_is_known(client, service):
    # As if redaction had let it through: the fast memory knows it by heart.
    secret = "AKIA" + "IOSFODNN7EXAMPLE"
    text = f"the key is {secret} and no other"
    learn_by_heart(service, text)
    for prompt in ("the key is ", f"the key is {secret[:6]}", f"the key is {secret[:-1]}"):
        for more in ({}, {"stream": True}):
            answer = complete(client, prompt, max_tokens=30, **more)
            found = prompt + "".join(streamed(answer)[0].values() if more else [answer.choices[0].text])
            assert secret not in found
            assert secret[:-2] not in found or prompt.endswith(secret[:-1])


def test_the_stream_is_made_of_server_sent_events(site):
    answer = site.post("/v1/completions", {"prompt": "We met the ", "max_tokens": 4, "stream": True})
    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert answer.headers["idiolect-paused"] == "false"
    events = answer.text.split("\n\n")
    assert events[-2:] == ["data: [DONE]", ""]
    assert json.loads(events[0].removeprefix("data: "))["model"] == "idiolect"


# llama.cpp's plug-ins: requests as llama.vim and llama.vscode send them

VIM = {
    "id_slot": 0,
    "input_prefix": "Dear all,\n",
    "input_suffix": "\n",
    "input_extra": [{"text": "a\nb\nc\n", "time": [1, 2], "filename": "notes.md"}],
    "prompt": "We met the Xylo",
    "n_predict": 128,
    "stop": [],
    "n_indent": 0,
    "top_k": 40,
    "top_p": 0.90,
    "samplers": ["top_k", "top_p", "infill"],
    "stream": False,
    "cache_prompt": True,
    "t_max_prompt_ms": 500,
    "t_max_predict_ms": 60_000,
    "response_fields": ["content", "timings/prompt_n", "timings/predicted_ms", "truncated", "tokens_cached"],
    "model": "",
}
VSCODE = {
    **{
        name: VIM[name]
        for name in ("id_slot", "input_prefix", "input_suffix", "input_extra", "prompt", "samplers")
    },
    "n_predict": 8,
    "n_cmpl": 1,
    "top_k": 40,
    "top_p": 0.99,
    "t_max_predict_ms": 2500,
}


@pytest.fixture(scope="module")
def llama(site):
    return lambda path, **body: site.post(path, body)


def test_llama_vim_finds_the_fields_that_it_asks_for(llama):
    found = llama("/infill", **VIM | {"n_predict": 12}).json()
    assert found.keys() == set(VIM["response_fields"])
    assert found["content"].startswith("graphers of")
    assert found["truncated"] is False
    assert (
        llama("/infill", **VIM | {"n_predict": 12}).json()["timings/prompt_n"] < found["tokens_cached"] - 12
    )
    warm = {
        "n_predict": 0,
        "input_prefix": "",
        "input_suffix": "",
        "prompt": "",
        "samplers": [],
        "response_fields": [""],
    }
    answer = llama("/infill", **VIM | warm)
    assert (answer.status_code, answer.json()) == (200, {})


def test_llama_vscode_finds_what_it_shows(llama):
    found = llama("/infill", **VSCODE).json()
    assert found["content"].startswith("graphers of")
    assert found["generation_settings"]["n_ctx"] == 2048
    assert found["tokens_predicted"] == found["timings"]["predicted_n"] == 8
    assert found["tokens_cached"] == found["tokens_evaluated"] + 8
    assert {"prompt_n", "prompt_ms", "prompt_per_second", "predicted_ms", "predicted_per_second"} <= found[
        "timings"
    ].keys()
    several = llama("/infill", **VSCODE | {"n_cmpl": 3, "seed": 1}).json()
    assert [one["index"] for one in several] == [0, 1, 2]
    assert several[0]["content"] == found["content"]


def test_what_stands_behind_the_cursor_ends_what_is_filled_in(llama):
    for suffix, kept in ((" again, and\n", "graphers of Querfurt"), (" of\nthe end\n", "graphers")):
        found = llama("/infill", **VIM | {"input_suffix": suffix, "response_fields": None}).json()
        assert (found["content"], found["stop_type"]) == (kept, "word")
    found = llama("/infill", **VIM | {"stop": ["Quer"], "response_fields": None}).json()
    assert (found["content"], found["stopping_word"]) == ("graphers of ", "Quer")


def test_a_completion_in_llama_cpps_form_whole_and_as_a_stream(llama):
    asked = {"prompt": "We met the ", "n_predict": 10, "temperature": 0}
    whole = llama("/completion", **asked).json()
    assert whole["content"].startswith("Xylographers")
    assert (whole["stop"], whole["stop_type"], whole["model"]) == (True, "limit", "idiolect")
    answer = llama("/completion", **asked, stream=True)
    assert answer.headers["content-type"].startswith("text/event-stream")
    events = [json.loads(line.removeprefix("data: ")) for line in answer.text.splitlines() if line]
    assert "".join(event["content"] for event in events) == whole["content"]
    assert [event["stop"] for event in events] == [False] * (len(events) - 1) + [True]
    assert events[-1]["timings"]["predicted_n"] == 10
    unasked = llama("/completion", prompt="We met the ", temperature=0).json()
    assert unasked["tokens_predicted"] <= 128
    tired = llama("/completion", **asked | {"n_predict": -1, "t_max_predict_ms": 1}).json()
    assert (tired["stop_type"], tired["tokens_predicted"] < 1000) == ("limit", True)


def test_health_needs_no_token_and_errors_are_in_llama_cpps_form(site, llama):
    stranger = {"Authorization": ""}
    assert site.http.get("/health", headers=stranger).json() == {"status": "ok"}
    for answer, status, kind in (
        (site.http.get("/props", headers=stranger), 401, "authentication_error"),
        (site.http.get("/infill"), 405, "invalid_request_error"),
        (llama("/infill", prompt=5), 422, "invalid_request_error"),
        (llama("/completion", prompt=SAID, model="qwen"), 404, "not_found_error"),
    ):
        error = answer.json()["error"]
        assert (answer.status_code, error["code"], error["type"]) == (status, status, kind)
        assert error.keys() == {"code", "type", "message"}
        assert SAID not in error["message"]


def test_props_tell_how_much_is_read(site):
    found = site.http.get("/props", params={"model": "idiolect", "autoload": "false"}).json()
    assert found["default_generation_settings"]["n_ctx"] == 2048
