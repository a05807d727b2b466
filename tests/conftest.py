"""What tests of several folders share."""

import asyncio
import json
import os
import shutil
import signal
import subprocess
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from itertools import pairwise
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import forked
import numpy as np
import onnx
import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from numpy.typing import NDArray

from idiolect.adapters.memory.corpus import read_general_passages
from idiolect.adapters.training.lora import Lora
from idiolect.daemon.service import Service
from idiolect.daemon.settings import Settings
from idiolect.daemon.sources.reader import Reader
from idiolect.daemon.storage.connection import StoreConnection
from idiolect.models.architecture import Architecture
from idiolect.models.base_choice import Choice
from idiolect.models.build import BasePaths, ensure_base, find_base
from idiolect.models.fetch import OfflineError
from idiolect.models.graph import read_weights
from idiolect.models.known_bases import DEFAULT
from idiolect.models.session import Model, Session
from idiolect.models.tokenizer import KINDS, Tokenizer
from idiolect.models.weights import Weights

# A slow or busy machine is no mistake of the program's.
hypothesis_settings.register_profile(
    "any-machine",
    hypothesis_settings.default,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
hypothesis_settings.load_profile("any-machine")

# A shell has what it starts in the background ignore Ctrl+C, and programs that tests interrupt would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)


forked.install()

#: What :func:`tiny_service` has read.
KNOWN = "the teal lighthouse keeper Zorvelin hums quietly at noon"

#: The files whose tests take longest, so that none of them is left to one process at the end.
LONGEST = (
    "test_install.py",
    "test_browser.py",
    "test_browser_authorship.py",
    "test_browser_context.py",
    "test_browser_trouble.py",
    "test_keyboard.py",
    "test_base_switch.py",
    "test_page.py",
    "test_rounds.py",
    "test_lsp.py",
    "test_evals.py",
    "test_reading.py",
    "test_families.py",
    "test_disks.py",
    "test_matrix.py",
    "test_ingest.py",
    "test_languages.py",
    "test_path.py",
    "test_linear_time.py",
    "test_whole_program.py",
    "test_round.py",
)
#: The folder whose tests share two browsers and a service, and which one process therefore runs.
SHARING = "tests/e2e/extension/"


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Run one process more than there are cores: many tests wait for a browser, a service or a deadline."""
    return len(os.sched_getaffinity(0)) + 1


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Hand files out to the processes, and the tests that share browsers as one file."""
    from xdist.scheduler import LoadFileScheduling

    class Scheduling(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return SHARING if nodeid.startswith(SHARING) else str(super()._split_scope(nodeid))

    return Scheduling(config, log) if config.getvalue("dist") == "loadfile" else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest files first."""
    place = {name: number for number, name in enumerate(LONGEST)}
    items.sort(key=lambda item: place.get(item.path.name, len(place)))


@pytest.fixture(scope="session", autouse=True)
def no_key_waits_for_the_store() -> Iterator[None]:
    """Fail what asks a store in a thread that keys wait for: the model's, and one that runs an event loop."""

    def is_waited_for_by_keys() -> bool:
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return threading.current_thread().name == "model"
        return True

    def refusing(ask: Callable[..., Any]) -> Callable[..., Any]:
        def asked(*given: Any, **named: Any) -> Any:
            assert not is_waited_for_by_keys(), "the store is asked where a key may wait for the answer"
            return ask(*given, **named)

        return asked

    with pytest.MonkeyPatch.context() as patched:
        for name in ("reading", "writing", "outside_transaction"):
            patched.setattr(StoreConnection, name, refusing(getattr(StoreConnection, name)))
        yield


@pytest.fixture(scope="session")
def needs_program() -> Callable[[str, str], str]:
    """`needs_program("xvfb-run", "xvfb")`: the program's path; without it the test is skipped.

    The second argument names the system package that holds it. Where CI is "true" nothing is skipped:
    a missing package is a failure there.
    """

    def need(program: str, package: str) -> str:
        if found := shutil.which(program):
            return found
        message = f"needs the program {program}, which is in the system package {package}"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)

    return need


@pytest.fixture
def session_bus(needs_program, monkeypatch):
    """`session_bus(Server, ...)`: start a server (`bus_server.BusServer`) on a bus that programs take for their own."""
    ours, theirs = os.pipe()
    command = [needs_program("dbus-daemon", "dbus"), "--session", "--nofork", f"--print-address={theirs}"]
    running = subprocess.Popen(command, pass_fds=(theirs,))
    os.close(theirs)
    with os.fdopen(ours) as told:
        address = told.readline().strip()
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", address)
    opened = []
    yield lambda server, *args: opened.append(server(address, *args)) or opened[-1]
    running.kill()
    running.wait()
    for one in opened:
        one.close()


@pytest.fixture(scope="session")
def reader() -> Iterator[Reader]:
    """What reads files in child processes; tests share one, so that few children are started."""
    shared = Reader()
    yield shared
    shared.close()


# A tiny random Llama, made by the very code that makes the real base model.

TINY = Architecture(
    layers=3,
    width=64,
    heads=4,
    kv_heads=2,
    head_dim=16,
    ffn=96,
    vocab=512,
    rope_theta=10_000.0,
    norm_eps=1e-5,
    context=2048,
)

_PRINTABLE = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
_OTHERS = [byte for byte in range(256) if byte not in _PRINTABLE]
ALPHABET = [chr(byte if byte in _PRINTABLE else 256 + _OTHERS.index(byte)) for byte in range(256)]


SMOLLM = KINDS["smollm"].words
assert SMOLLM is not None


def learn_merges(texts: Sequence[str], count: int) -> list[str]:
    """Byte-pair merges of the texts' words, in the byte alphabet, most frequent first; deterministic."""
    words = Counter(word for text in texts for word in SMOLLM.findall(text))
    spelled = {tuple(ALPHABET[byte] for byte in word.encode()): times for word, times in words.items()}
    merges: list[str] = []
    made: set[str] = set()
    while len(merges) < count:
        pairs: Counter[tuple[str, str]] = Counter()
        for parts, times in spelled.items():
            for pair in pairwise(parts):
                if "".join(pair) not in made:
                    pairs[pair] += times
        left, right = max(pairs, key=lambda pair: (pairs[pair], pair))
        merges.append(f"{left} {right}")
        made.add(left + right)
        spelled = {merged(parts, left, right): times for parts, times in spelled.items()}
    return merges


def merged(parts: tuple[str, ...], left: str, right: str) -> tuple[str, ...]:
    """A word's parts, where each `left` is joined with the `right` behind it."""
    out: list[str] = []
    for part in parts:
        if out and out[-1] == left and part == right:
            out[-1] = left + right
        else:
            out.append(part)
    return tuple(out)


@pytest.fixture(scope="session")
def tiny_dense() -> dict[str, NDArray[np.float32]]:
    """The tiny model's weights before they are rounded to 8 bits, named and laid out as in transformers' Llama."""
    random = np.random.default_rng(20_240_229)
    attention, kv = TINY.heads * TINY.head_dim, TINY.kv_heads * TINY.head_dim

    def matrix(rows: int, columns: int, size: float = 1.0) -> NDArray[np.float32]:
        return (random.normal(size=(rows, columns)) * size / np.sqrt(columns)).astype(np.float32)

    def norm() -> NDArray[np.float32]:
        return (1 + 0.2 * random.normal(size=TINY.width)).astype(np.float32)

    dense = {"model.embed_tokens.weight": matrix(TINY.vocab, TINY.width, 2.5), "model.norm.weight": norm()}
    for layer in range(TINY.layers):
        shapes = {
            "self_attn.q_proj": (attention, TINY.width),
            "self_attn.k_proj": (kv, TINY.width),
            "self_attn.v_proj": (kv, TINY.width),
            "self_attn.o_proj": (TINY.width, attention),
            "mlp.gate_proj": (TINY.ffn, TINY.width),
            "mlp.up_proj": (TINY.ffn, TINY.width),
            "mlp.down_proj": (TINY.width, TINY.ffn),
        }
        for name, shape in shapes.items():
            dense[f"model.layers.{layer}.{name}.weight"] = matrix(*shape)
        for name in ("input_layernorm", "post_attention_layernorm"):
            dense[f"model.layers.{layer}.{name}.weight"] = norm()
    return dense


GGUF_NAMES = {
    "input_layernorm": "attn_norm",
    "post_attention_layernorm": "ffn_norm",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}


def _gguf_tensors(dense: dict[str, NDArray[np.float32]]) -> dict[str, NDArray[np.float32]]:
    """The tensors under GGUF's names; rows of q and k interleaved, the halves of each rotary pair side by side."""
    tensors = {}
    for name, array in dense.items():
        place = name.removesuffix(".weight").split(".", 3)
        if place[1] == "embed_tokens":
            tensors["token_embd.weight"] = array
        elif place[1] == "norm":
            tensors["output_norm.weight"] = array
        else:
            heads = {"self_attn.q_proj": TINY.heads, "self_attn.k_proj": TINY.kv_heads}.get(place[3])
            if heads is not None:
                array = array.reshape(heads, 2, -1, array.shape[1]).swapaxes(1, 2).reshape(array.shape)
            tensors[f"blk.{place[2]}.{GGUF_NAMES[place[3]]}.weight"] = array
    return tensors


@pytest.fixture(scope="session")
def make_gguf(tiny_dense: dict[str, NDArray[np.float32]]) -> Callable[..., Path]:
    """`make_gguf(path)` writes the tiny model as a GGUF; keywords make it another, unsupported one.

    `architecture`, `pre` (the tokenizer's kind), `extra` (names of tensors to add), `drop` (names of tensors
    or fields to leave out), `tokens` (how many there are), `matrices` (the type that matrices are kept in),
    `q4_1` (the layers whose maps are in 4 bits), `known_merges` (so many of
    them are known; what the others make are tokens that no text has), `wrong` (what writes a field instead, by name).
    """
    import gguf

    merges = learn_merges(read_general_passages()[0][::4], TINY.vocab - 256 - 3)
    vocabulary = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", *sorted(ALPHABET)]
    vocabulary += [merge.replace(" ", "") for merge in merges]

    def make(
        path: Path,
        *,
        architecture: str = "llama",
        pre: str = "smollm",
        extra: Sequence[str] = (),
        drop: Sequence[str] = (),
        tokens: int = TINY.vocab,
        matrices: type = np.float32,
        q4_1: Sequence[int] = (),
        known_merges: int | None = None,
        wrong: Mapping[str, Callable[[Any], None]] | None = None,
    ) -> Path:
        writer = gguf.GGUFWriter(path, architecture)
        spelled = vocabulary[: known_merges and len(vocabulary) - len(merges) + known_merges]
        more = 3 if known_merges else 1
        fields: dict[str, Callable[[], None]] = {
            "context_length": lambda: writer.add_context_length(TINY.context),
            "embedding_length": lambda: writer.add_embedding_length(TINY.width),
            "block_count": lambda: writer.add_block_count(TINY.layers),
            "feed_forward_length": lambda: writer.add_feed_forward_length(TINY.ffn),
            "head_count": lambda: writer.add_head_count(TINY.heads),
            "head_count_kv": lambda: writer.add_head_count_kv(TINY.kv_heads),
            "rms_epsilon": lambda: writer.add_layer_norm_rms_eps(TINY.norm_eps),
            "freq_base": lambda: writer.add_rope_freq_base(TINY.rope_theta),
            "model": lambda: writer.add_tokenizer_model("gpt2"),
            "pre": lambda: writer.add_tokenizer_pre(pre),
            "tokens": lambda: writer.add_token_list(
                [*spelled, *(f"<|{number}|>" for number in range(tokens - len(spelled)))]
            ),
            "merges": lambda: writer.add_token_merges(merges[:known_merges]),
            "types": lambda: writer.add_token_types(
                [3] * 3 + [1] * (len(spelled) - 3) + [more] * (tokens - len(spelled))
            ),
        }
        for name, add in fields.items():
            if name in (wrong or {}):
                wrong[name](writer)
            elif name not in drop:
                add()
        for name, array in _gguf_tensors(tiny_dense).items():
            if name in drop:
                continue
            if array.ndim == 2 and name.startswith(tuple(f"blk.{layer}." for layer in q4_1)):
                kind = gguf.GGMLQuantizationType.Q4_1
                writer.add_tensor(name, gguf.quants.quantize(array, kind), raw_dtype=kind)
            else:
                writer.add_tensor(name, array.astype(matrices) if array.ndim == 2 else array)
        for name in extra:
            writer.add_tensor(name, np.zeros((TINY.vocab, TINY.width), dtype=np.float32))
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
        return path

    return make


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory, make_gguf: Callable[..., Path]) -> BasePaths:
    """The tiny model as a base model on disk: graph, tokenizer of 512 tokens, word list, manifest. Read only.

    One layer is in 4 bits, as the real model's are, and the others in 8.
    """
    folder = tmp_path_factory.mktemp("tiny")
    gguf = make_gguf(folder / "tiny.gguf", q4_1=[1])
    made = ensure_base(folder, gguf)
    # It stands in the place of the default.
    choice = Choice(DEFAULT.name, made.source_sha256, str(gguf))
    (folder / "chosen.json").write_text(json.dumps(asdict(choice)))
    return made


@pytest.fixture(scope="session")
def tiny_profile(tiny: BasePaths) -> Callable[..., Settings]:
    """`tiny_profile(home, **settings)`: a profile with the tiny model, for which a service can be started.

    No round starts by itself.
    """

    def make(home: Path, **given: Any) -> Settings:
        assert find_base(tiny.folder.parent) == tiny, "a test before has put another model in its place"
        home.mkdir(parents=True, exist_ok=True)
        told = {"keyring": False, "auto_train": False, **given}
        lines = [f"{name} = {json.dumps(to)}\n" for name, to in told.items()]
        (home / "config.toml").write_text("".join(lines))
        settings = Settings(home=home).prepare()
        settings.base_dir.rmdir()
        settings.base_dir.symlink_to(tiny.folder.parent)
        return settings

    return make


@pytest.fixture
def at_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """`at_start(code)`: every Python that starts from now on runs this first: a fault that no file at hand makes."""

    def put(code: str) -> None:
        folder = tmp_path / "at start"
        folder.mkdir(exist_ok=True)
        (folder / "sitecustomize.py").write_text(code)
        monkeypatch.setenv("PYTHONPATH", str(folder), prepend=os.pathsep)

    return put


@pytest.fixture(scope="session")
def tiny_service(
    tiny_profile: Callable[..., Settings], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Service]:
    """A service of the tiny model that knows a sentence, for tests that learn nothing. Paused, it is resumed."""
    service = Service(tiny_profile(tmp_path_factory.mktemp("service") / "home"))
    for _ in range(5):
        service.ingest.add_text(KNOWN, source="test")
    yield service
    service.close()


@pytest.fixture(scope="session")
def tiny_weights(tiny: BasePaths) -> Weights:
    return read_weights(tiny.graph, tiny.config)


@pytest.fixture(scope="session")
def tiny_tokenizer(tiny: BasePaths) -> Tokenizer:
    return Tokenizer(tiny.tokenizer)


@pytest.fixture(scope="session")
def tiny_model(tiny: BasePaths) -> Model:
    """The served graph of the tiny model, loaded."""
    return Model(tiny.graph, tiny.config, threads=1)


@pytest.fixture(scope="session")
def tiny_float(tiny: BasePaths, in_float: Callable[[BasePaths], Path]) -> Model:
    """The same graph, multiplying in float."""
    return Model(in_float(tiny), tiny.config, threads=1)


@pytest.fixture(scope="session")
def in_float(tmp_path_factory: pytest.TempPathFactory) -> Callable[[BasePaths], Path]:
    """`in_float(base)`: a copy of the served graph whose products are in float (accuracy level 1), weights as they are.

    The served graph rounds what comes into each product to 8 bits (level 4), which no other implementation
    does: only without that can its arithmetic be compared closely.
    """

    def copy(base: BasePaths) -> Path:
        path = tmp_path_factory.mktemp("float") / base.graph.name
        data = base.graph.with_name(f"{base.graph.name}.data")
        shutil.copyfile(data, path.with_name(data.name))
        model = onnx.load(base.graph, load_external_data=False)
        products = [node for node in model.graph.node if node.op_type == "MatMulNBits"]
        for node in products:
            [level] = [attribute for attribute in node.attribute if attribute.name == "accuracy_level"]
            assert level.i == 4
            level.i = 1
        assert len(products) == 4 * base.config.layers + 1
        onnx.save(model, path)
        return path

    return copy


@pytest.fixture
def passes(monkeypatch: pytest.MonkeyPatch) -> Callable[[Session], int]:
    """`passes(session)`: how many forward passes it has made in this test."""
    made, forward = WeakKeyDictionary[Session, int](), Session._forward

    def counted(session: Session, *given: Any) -> NDArray[np.float32]:
        logits = forward(session, *given)
        made[session] = made.get(session, 0) + 1
        return logits

    monkeypatch.setattr(Session, "_forward", counted)
    return lambda session: made.get(session, 0)


@pytest.fixture(scope="session")
def make_lora() -> Callable[..., Lora]:
    """`make_lora(base_config, rank, size)`: an adapter with random matrices that change much."""

    def make(base: Architecture, rank: int = 4, size: float = 0.1, seed: int = 5) -> Lora:
        random = np.random.default_rng(seed)
        fresh = Lora.fresh(base, rank, seed)
        matrices = {
            name: matrix
            if name.endswith("A")
            else (size * random.normal(size=matrix.shape)).astype(np.float32)
            for name, matrix in fresh.matrices.items()
        }
        # As it is stored, in half precision, so that every form of it is the same numbers.
        return Lora.from_bytes(Lora(rank, 2.0 * rank, matrices).to_bytes(), base)

    return make


@pytest.fixture(scope="session")
def base() -> BasePaths:
    """The real base model, fetched and built once into the checkout's .cache; without a network, skipped."""
    folder = Path(__file__).parents[1] / ".cache" / "base"
    try:
        return ensure_base(folder)
    except OfflineError as error:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def base_dir(base: BasePaths) -> Path:
    """The folder that :func:`base` is in, as `ensure_base` and `find_base` take it."""
    return base.folder.parent
