"""Inference: one loaded graph, and sessions over it that each own a KV cache.

A :class:`Model` holds the weights once. A :class:`Session` is a token sequence with its keys and values and one
adapter, bound for its whole life: who switches adapters takes another session, so no request ever sees two.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, Literal

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from idiolect.models.architecture import DOCUMENT, Architecture, adapter_inputs
from idiolect.models.errors import DamagedModelError
from idiolect.models.evicted_kv import (
    MIN_EVICTED_TOKENS,
    EvictedKV,
    common_prefix_length,
    is_contained,
    lazy_zeros,
)

Adapter = Mapping[str, NDArray[np.float32]]
"""An adapter's tensors by graph input name (:func:`~idiolect.models.architecture.adapter_inputs`)."""

_PREFILL_CHUNK_TOKENS = 64
"""Tokens read in one pass where no logits are wanted: more would hardly be faster, and take far more memory."""

_MAX_DRAFT_TOKENS = 16
"""The longest draft, with the tokens that may stand behind it."""


_SPIN_US = 20
"""Microseconds that a thread looks for the next operator before it sleeps, where several compute a pass."""


class InterruptedPassError(Exception):
    """A pass was stopped by its :class:`Interrupt`; the session holds what it held before, or a part more."""


class Interrupt:
    """Stops a forward pass from another thread, within a few milliseconds."""

    def __init__(self) -> None:
        self.options = ort.RunOptions()

    def stop(self) -> None:
        """Stop the pass that has this interrupt, or that will have it."""
        self.options.terminate = True


class Model:
    """The served graph, loaded once and shared by all sessions.

    Args:
        path: the ONNX graph that :func:`~idiolect.models.graph.build_graph` wrote.
        config: the shape of its model.
        threads: that compute one pass.

    Attributes:
        input_names: the names of all inputs of the graph.
        adapter_inputs: (name, (in, out) features) of the inputs that take an adapter.

    Raises:
        DamagedModelError: onnxruntime can't load the graph.
    """

    def __init__(self, path: Path, config: Architecture, *, threads: int = 2) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        options.enable_cpu_mem_arena = False  # it keeps what the longest pass took, and is no faster
        # A thread that sleeps between operators takes longer to wake than many operators take. One that never sleeps
        # burns the core that the user's own programs need.
        options.add_session_config_entry("session.intra_op.spin_duration_us", str(_SPIN_US))
        self.config = config
        self.path = path
        try:
            self.runtime = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime's classes share no base below Exception
            raise DamagedModelError(
                f"The base model in {path.parent} can't be loaded ({type(error).__name__}). "
                "Run `idiolect start --rebuild`, which builds it again."
            ) from error
        inputs = [*self.runtime.get_inputs(), *self.runtime.get_overridable_initializers()]
        self.input_names = {item.name for item in inputs}
        self.adapter_inputs = [
            (name, shape) for name, shape in adapter_inputs(config) if name in self.input_names
        ]


def load_beside(path: Path, config: Architecture, *, threads: int) -> Future[Model]:
    """Load a graph in another thread, which hardly keeps Python from running meanwhile. As :class:`Model`."""
    loader = ThreadPoolExecutor(max_workers=1, thread_name_prefix="load")
    loading = loader.submit(Model, path, config, threads=threads)
    loader.shutdown(wait=False)
    return loading


class Session:
    """A token sequence with its KV cache; tokens are appended and cut off at its end.

    Args:
        model: the loaded graph.
        length: the most tokens that fit; the cache takes ``layers * 2 * kv_heads * head_dim * 4`` bytes a token.
        adapter: the LoRA tensors, or None for the base. They are kept, not copied.
        evicted_tokens: the most tokens to keep of texts that left the cache, see :meth:`rewind_to_common_prefix`; each
            takes as many bytes.

    Attributes:
        tokens: what the cache holds.
    """

    def __init__(
        self, model: Model, *, length: int = 512, adapter: Adapter | None = None, evicted_tokens: int = 0
    ) -> None:
        self.model = model
        self.length = length
        self.tokens: list[int] = []
        self._own_begins = 0  # where in them the text's own tokens begin
        self._continued_at = -math.inf  # when the text was last continued
        self._written = 0  # positions of the cache that may hold something
        self._private = False  # whether nothing of the text may be kept once it is cut off
        config = model.config
        self._binding = model.runtime.io_binding()
        self._start = [DOCUMENT] if config.starts_with_document else []
        self._started = False  # whether what every sequence begins with is in the cache
        # (layer, k or v, batch, kv head, position, feature)
        shape = (config.layers, 2, 1, config.kv_heads, length + len(self._start), config.head_dim)
        self._whole_cache = lazy_zeros(shape)
        self._cache = self._whole_cache[..., len(self._start) :, :]  # of the tokens
        self._evicted = EvictedKV(self._cache, evicted_tokens)
        self._adapter = self._bind(adapter)
        self._last_logits = np.zeros((1, config.vocab), dtype=np.float32)

    def _bind(self, adapter: Adapter | None) -> list[NDArray[np.float32]]:
        """Bind the adapter and the cache; return the adapter's arrays, which must live as long as the binding."""
        kept = []
        for name, (features_in, features_out) in self.model.adapter_inputs:
            if adapter is not None and name in adapter:
                array = np.ascontiguousarray(adapter[name], dtype=np.float32)
            else:
                array = np.zeros(
                    (features_in, 0) if name.endswith("A") else (0, features_out), dtype=np.float32
                )
            kept.append(array)
            self._bind_input(name, array)
        for layer, pair in enumerate(self._whole_cache):
            for side, array in zip("kv", pair, strict=True):
                self._bind_input(f"past.{layer}.{side}", array)
                self._bind_output(f"present.{layer}.{side}", array)
        return kept

    def _bind_input(self, name: str, array: NDArray[Any]) -> None:
        self._binding.bind_input(name, "cpu", 0, array.dtype.type, array.shape, array.ctypes.data)

    def _bind_output(self, name: str, array: NDArray[Any]) -> None:
        self._binding.bind_output(name, "cpu", 0, array.dtype.type, array.shape, array.ctypes.data)

    def feed(
        self,
        ids: Sequence[int],
        logits: Literal["none", "last", "all"] = "last",
        interrupt: Interrupt | None = None,
    ) -> NDArray[np.float32]:
        """Append tokens and return logits (P, vocab): none, of the last token, or of every token.

        The row returned for ``"last"`` is overwritten by the next call.

        Raises:
            ValueError: more tokens than there is room for, or none.
            InterruptedPassError: ``interrupt`` was stopped.
        """
        count, past = len(ids), len(self.tokens)
        if not 0 < count <= self.length - past:
            raise ValueError(f"{count} tokens do not fit: {past} of {self.length} are taken")
        if logits != "all" and count > _PREFILL_CHUNK_TOKENS:
            self.feed(ids[:_PREFILL_CHUNK_TOKENS], "none", interrupt)
            return self.feed(ids[_PREFILL_CHUNK_TOKENS:], logits, interrupt)
        rows = self._forward(ids, {"none": 0, "last": 1, "all": count}[logits], interrupt)
        self.tokens.extend(ids)
        return rows

    def _forward(self, ids: Sequence[int], rows: int, interrupt: Interrupt | None) -> NDArray[np.float32]:
        """Run the graph on ``ids``, behind the cached tokens; return the logits (rows, vocab) of the last ones."""
        self._written = max(self._written, len(self.tokens) + len(ids))
        if not self._started:
            ids = [*self._start, *ids]
        past = len(self.tokens) + (len(self._start) if self._started else 0)
        count = len(ids)
        logits = self._last_logits if rows == 1 else np.empty((rows, self._last_logits.shape[1]), np.float32)
        arrays: dict[str, NDArray[Any]] = {
            "input_ids": np.asarray(ids, dtype=np.int64),
            "positions": np.arange(count - rows, count, dtype=np.int64),
            "seqlens_k": np.array([past + count - 1], dtype=np.int32),
            "total_length": np.array(past + count, dtype=np.int32),
            # A graph that takes an adapter asks for these two; one sequence needs nothing but their defaults.
            "position_ids": np.arange(past, past + count, dtype=np.int64)[None],
            "attention_bias": np.zeros((1, 1, count, past + count), np.float32),
        }
        for name, array in arrays.items():
            if name in self.model.input_names:
                self._bind_input(name, array)
        self._bind_output("logits", logits)
        try:
            self.model.runtime.run_with_iobinding(self._binding, interrupt and interrupt.options)
        except Exception as error:  # onnxruntime's classes share no base below Exception
            if interrupt is not None and interrupt.options.terminate:
                raise InterruptedPassError from error
            raise
        self._started = True
        return logits

    def truncate(self, count: int) -> None:
        """Keep the first ``count`` tokens. Raises ValueError if there are not as many."""
        if not 0 <= count <= len(self.tokens):
            raise ValueError(f"can't keep {count} of {len(self.tokens)} tokens")
        del self.tokens[count:]

    def wipe(self, common: Sequence[int]) -> None:
        """Cut the sequence back to its longest common prefix with ``common``, and zero the cache behind it."""
        self.truncate(common_prefix_length(self.tokens, common))
        self._own_begins = len(self.tokens)
        self._cache[..., len(self.tokens) : self._written, :] = 0
        self._last_logits[:] = 0
        self._written, self._private = len(self.tokens), False

    def rewind_to_common_prefix(
        self, ids: Sequence[int], own: int = 0, rows: int = 0, *, private: bool = False
    ) -> list[int]:
        """Cut the sequence back to its longest common prefix with ``ids`` and return what is left to feed.

        What is cut off is kept for a while and restored when that text is asked for again, so that two texts that are
        written in turn are each read once.

        Args:
            ids: the tokens that will be read, at most :attr:`length`.
            own: how many of the last ``ids`` are the text's own; what stands before them is common to several texts.
            rows: how many of the last ``ids`` need logits, which are not cached: as many are left to feed.
            private: nothing of this text is kept when it is cut off.
        """
        common = common_prefix_length(self.tokens, ids)
        cut_off = len(self.tokens) - max(common, self._own_begins)
        # Where little is cut off and more stays, it is the same text without a draft that was not accepted.
        much = cut_off > _MAX_DRAFT_TOKENS or cut_off >= max(MIN_EVICTED_TOKENS, common - self._own_begins)
        if much and not self._private:
            self._evicted.store(self.tokens, self._own_begins)
        if restored := self._evicted.restore(ids, common):
            self.tokens, common = restored, len(restored)
            self._written = max(self._written, common)
        self._own_begins, self._continued_at, self._private = len(ids) - own, time.monotonic(), private
        common = min(common, len(ids) - rows)
        self.truncate(common)
        return list(ids[common:])

    def active_texts(self, within_s: float) -> Iterator[Sequence[int]]:
        """Yield the own tokens of each text that was continued in the last ``within_s`` seconds, the present one last.

        Texts of fewer than 8 tokens are left out.
        """
        since = time.monotonic() - within_s
        yield from self._evicted.evicted_since(since)
        present = self.tokens[self._own_begins :]
        if self._continued_at > since and len(present) >= MIN_EVICTED_TOKENS:
            yield present

    def forget_all_texts(self, common: Sequence[int]) -> None:
        """Drop the present text and the evicted texts, but not ``common``, which stands before them all."""
        self._evicted.clear()
        self.wipe(common)

    def forget_text(self, text: Sequence[int]) -> None:
        """Drop the texts that are contained in ``text``, which is finished: nobody continues them."""
        whole = np.asarray(text, np.int64).tobytes()
        self._evicted.forget_text(whole)
        if is_contained(self.tokens[self._own_begins :], whole):
            self.truncate(self._own_begins)
