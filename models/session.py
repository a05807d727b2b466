"""Inference: one loaded graph, and sessions over it that each own a KV cache.

A :class:`Model` holds the weights once. A :class:`Session` is a token sequence with its cached keys
and values and, bound for its whole life, one adapter: switching adapters means taking another
session, so no request ever sees two.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from idiolect.models.kv_cache import (
    WORTH,
    EvictedKV,
    EvictedMatch,
    common_prefix_length,
    lazy_zeros,
    stands_in,
)
from idiolect.models.llama import DamagedModelError, LlamaConfig, adapter_inputs

Adapter = Mapping[str, NDArray[np.float32]]
"""An adapter's tensors by graph input name (:func:`~idiolect.models.llama.adapter_inputs`)."""


class InterruptedPassError(Exception):
    """A pass was stopped by its :class:`Interrupt`; the session holds what it held before, or a part more."""


class Interrupt:
    """Stops a pass from another thread, within a few milliseconds."""

    def __init__(self) -> None:
        self.options = ort.RunOptions()

    def stop(self) -> None:
        """Stop the pass that was given this, or that will be."""
        self.options.terminate = True


_CHUNK = 64
"""Tokens that are read at a time where no logits are wanted: faster by no more, and in far less memory."""


_DRAFTED = 16
"""Tokens that a draft has at the most, with what may be behind it."""


class Model:
    """The served graph, loaded once and shared by all sessions.

    Raises:
        DamagedModelError: onnxruntime can't load the graph.
    """

    def __init__(self, path: Path, config: LlamaConfig, *, threads: int = 2) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        # Threads that spin between operators burn the core that the user's own programs, or a
        # training round, need: a busy neighbour then turns one token into hundreds of milliseconds.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0" if threads > 1 else "1")
        self.config = config
        self.path = path
        try:
            self.runtime = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime's classes share no base below Exception
            raise DamagedModelError(
                f"The base model in {path.parent} can't be loaded ({type(error).__name__}). "
                "Run `idiolect start --rebuild`, which builds it again."
            ) from error
        given = [*self.runtime.get_inputs(), *self.runtime.get_overridable_initializers()]
        self.names = names = {item.name for item in given}
        self.inputs = [(name, shape) for name, shape in adapter_inputs(config) if name in names]


@dataclass(frozen=True)
class _Reading:
    """A text that is read on in a pass for several.

    Its first ``shared`` tokens are the present text's, too; then come ``cached`` places and ``new`` tokens.
    """

    number: int  # among those who asked
    lent: EvictedMatch | None
    shared: int
    cached: range
    new: list[int]


class Session:
    """A token sequence with its KV cache, extended and cut back at its end.

    Args:
        model: the loaded graph.
        length: the most tokens that fit; the cache takes ``layers * 2 * kv_heads * head_dim * 4`` bytes a token.
        adapter: the tensors to serve with, or None for the base. They are kept, not copied.
        aside: the most tokens to keep of texts that others took the place of, see
            :meth:`rewind_to_common_prefix`; each takes as much.
    """

    def __init__(
        self, model: Model, *, length: int = 512, adapter: Adapter | None = None, evicted_tokens: int = 0
    ) -> None:
        self.model = model
        self.length = length
        self.tokens: list[int] = []
        self._begins = 0  # where in them begins what was the text's own when it was last reused
        self._reused = -math.inf  # when that was
        self.seconds = 0.0
        self.calls = 0
        config = model.config
        self._binding = model.runtime.io_binding()
        # (layer, k or v, batch, kv head, position, feature)
        self._cache = lazy_zeros((config.layers, 2, 1, config.kv_heads, length, config.head_dim))
        self._evicted = EvictedKV(self._cache, evicted_tokens)
        self._adapter = self._bind(adapter)
        self._last = np.zeros((1, config.vocab), dtype=np.float32)

    def _bind(self, adapter: Adapter | None) -> list[NDArray[np.float32]]:
        kept = []
        for name, (features_in, features_out) in self.model.inputs:
            if adapter is not None and name in adapter:
                array = np.ascontiguousarray(adapter[name], dtype=np.float32)
            else:
                array = np.zeros(
                    (features_in, 0) if name.endswith("A") else (0, features_out), dtype=np.float32
                )
            kept.append(array)
            self._input(name, array)
        for layer, pair in enumerate(self._cache):
            for side, array in zip("kv", pair, strict=True):
                self._input(f"past.{layer}.{side}", array)
                self._output(f"present.{layer}.{side}", array)
        return kept

    def _input(self, name: str, array: NDArray[Any]) -> None:
        self._binding.bind_input(name, "cpu", 0, array.dtype.type, array.shape, array.ctypes.data)

    def _output(self, name: str, array: NDArray[Any]) -> None:
        self._binding.bind_output(name, "cpu", 0, array.dtype.type, array.shape, array.ctypes.data)

    def feed(
        self,
        ids: Sequence[int],
        logits: Literal["none", "last", "all"] = "last",
        interrupt: Interrupt | None = None,
    ) -> NDArray[np.float32]:
        """Append tokens and return logits (P, vocab): none, of the last token, or of every one given.

        The row returned for ``"last"`` is overwritten by the next call.

        Raises:
            ValueError: more tokens than there is room for, or none.
            InterruptedPassError: ``interrupt`` was stopped.
        """
        count, past = len(ids), len(self.tokens)
        if not 0 < count <= self.length - past:
            raise ValueError(f"{count} tokens do not fit: {past} of {self.length} are taken")
        if logits != "all" and count > _CHUNK:
            self.feed(ids[:_CHUNK], "none", interrupt)
            return self.feed(ids[_CHUNK:], logits, interrupt)
        first = {"none": count, "last": count - 1, "all": 0}[logits]
        rows = self._pass(ids, range(first, count), interrupt=interrupt)
        self.tokens.extend(ids)
        return rows

    def _pass(
        self,
        ids: Sequence[int],
        wanted: Sequence[int] | NDArray[np.int64],
        position_ids: NDArray[np.int64] | None = None,
        bias: NDArray[np.float32] | None = None,
        interrupt: Interrupt | None = None,
    ) -> NDArray[np.float32]:
        """Logits of those of these tokens that are ``wanted``; their keys and values come behind all that is cached.

        ``position_ids`` (S,) and ``bias`` (S, T) say where in its text each stands and where it looks, unless there is
        but one.
        """
        started = time.perf_counter()
        count, past = len(ids), len(self.tokens) if bias is None else bias.shape[1] - len(ids)
        positions = np.asarray(wanted, dtype=np.int64)
        rows = (
            self._last if len(positions) == 1 else np.empty((len(positions), self._last.shape[1]), np.float32)
        )
        arrays: dict[str, NDArray[Any]] = {
            "input_ids": np.asarray(ids, dtype=np.int64),
            "positions": positions,
            "seqlens_k": np.array([past + count - 1], dtype=np.int32),
            "total_length": np.array(past + count, dtype=np.int32),
            "position_ids": np.arange(past, past + count)[None]
            if position_ids is None
            else position_ids[None],
            "attention_bias": (np.zeros((count, past + count), np.float32) if bias is None else bias)[
                None, None
            ],
        }
        for name, array in arrays.items():
            if name in self.model.names:
                self._input(name, array)
        self._output("logits", rows)
        self._run(interrupt)
        self.seconds += time.perf_counter() - started
        self.calls += 1
        return rows

    def feed_beside(
        self, ids: Sequence[int], others: Sequence[tuple[Sequence[int], int]], most: int
    ) -> dict[int, NDArray[np.float32]]:
        """Append tokens, and in the same pass read on in other texts, which stay set aside.

        A pass fetches all weights, for one token or for ten: those who write at the same time share it.

        Args:
            ids: what to append, a few tokens.
            others: whole texts, each with how many of its last tokens are its own, as
                :meth:`rewind_to_common_prefix` takes them.
            most: how many tokens may be read of them, together. One with more, without room, that is read already, or
                that goes on from another of them, is left out.

        Returns:
            Logits (vocab,) of the last token of ``ids``, under -1, and of the last of each text that was read, by its
            number in ``others``.

        Raises:
            ValueError: there is no room for ``ids``, or there are none; or the graph reads one text at a time.
        """
        if "attention_bias" not in self.model.names:
            raise ValueError("this graph reads one text at a time")
        past, room = len(self.tokens), self.length - len(self.tokens) - len(ids)
        if not ids or room < 0:
            raise ValueError(f"{len(ids)} tokens do not fit: {past} of {self.length} are taken")
        reading, lent = [_Reading(-1, None, past, range(past, past), [*ids])], set[tuple[int, ...]]()
        for number, (text, _) in enumerate(others):
            one = self._rest_of(number, text, reading[-1].cached.stop)
            fits = 0 < len(one.new) <= most and len(one.cached) + len(one.new) <= room
            if not fits or (one.lent is not None and one.lent.key in lent):
                continue
            reading.append(one)
            room -= len(one.cached) + len(one.new)
            most -= len(one.new)
            if one.lent is not None:
                self._evicted.restore(one.lent, one.cached.start)
                lent.add(one.lent.key)
        end, ends = reading[-1].cached.stop, np.cumsum([len(one.new) for one in reading])
        position_ids = np.zeros(ends[-1], np.int64)
        bias = np.full((ends[-1], end + ends[-1]), -np.inf, np.float32)
        for one, stop in zip(reading, ends, strict=True):
            rows = slice(stop - len(one.new), stop)
            position_ids[rows] = one.shared + len(one.cached) + np.arange(len(one.new))
            bias[rows, : one.shared] = 0
            bias[rows, one.cached.start : one.cached.stop] = 0
            bias[rows, end + rows.start : end + rows.stop] = 0  # the graph itself hides later ones
        logits = self._pass([token for one in reading for token in one.new], ends - 1, position_ids, bias)
        for one, stop in zip(reading[1:], ends[1:], strict=True):
            self._set_aside(one, *others[one.number], range(end + stop - len(one.new), end + stop))
        if end > past:  # behind what is lent
            self._cache[..., past : past + len(ids), :] = self._cache[..., end : end + len(ids), :].copy()
        self.tokens.extend(ids)
        return {one.number: row for one, row in zip(reading, logits, strict=True)}

    def _rest_of(self, number: int, text: Sequence[int], end: int) -> _Reading:
        """What would be left to read of a text, were what is set aside of it behind the first ``end`` places."""
        shared = common = common_prefix_length(self.tokens, text)
        lent = self._evicted.find_longest(text, shared)
        if lent is not None:
            shared, common = lent.begins, lent.common
        return _Reading(number, lent, shared, range(end, end + common - shared), [*text[common:]])

    def _set_aside(self, one: _Reading, text: Sequence[int], own: int, new: range) -> None:
        """Keep what was read of a text, its new tokens' keys and values being at these places."""
        begins = len(text) - own if one.lent is None else one.lent.begins
        # Another text of the same pass may have taken its room.
        if one.lent is not None and one.lent.key in self._evicted:
            self._evicted.extend_text(one.lent, text, new)
        elif len(text) - begins >= WORTH:
            own_places = [*range(begins, one.shared), *one.cached, *new]
            self._evicted.store(text, begins, own_places[begins - len(text) :])

    def _run(self, interrupt: Interrupt | None) -> None:
        if interrupt is None:
            self.model.runtime.run_with_iobinding(self._binding)
            return
        try:
            self.model.runtime.run_with_iobinding(self._binding, interrupt.options)
        except Exception as error:  # onnxruntime's classes share no base below Exception
            if interrupt.options.terminate:
                raise InterruptedPassError from error
            raise

    def truncate(self, count: int) -> None:
        """Keep the first ``count`` tokens."""
        if not 0 <= count <= len(self.tokens):
            raise ValueError(f"can't keep {count} of {len(self.tokens)} tokens")
        del self.tokens[count:]

    def fork(self, count: int | None = None) -> Session:
        """A session of its own that holds the first ``count`` tokens (default: all)."""
        kept = len(self.tokens) if count is None else count
        other = Session(
            self.model, length=self.length, adapter=dict(zip(self._names(), self._adapter, strict=True))
        )
        other._cache[..., :kept, :] = self._cache[..., :kept, :]
        other.tokens = self.tokens[:kept]
        return other

    def _names(self) -> list[str]:
        return [name for name, _ in self.model.inputs]

    def rewind_to_common_prefix(self, ids: Sequence[int], own: int = 0) -> list[int]:
        """Cut back to the longest common beginning with ``ids`` and return what is left to feed.

        The last ``own`` of them are one of several texts behind the same beginning. What is cut off is set aside for a
        while, and comes back when that text does: whoever writes two texts in turn has neither read again.
        """
        common = common_prefix_length(self.tokens, ids)
        left = len(self.tokens) - max(common, self._begins)
        # Where little is cut off and more stays, it is the same text, without a draft that did not hold.
        if left > _DRAFTED or left >= max(WORTH, common - self._begins):
            self._evicted.store(self.tokens, self._begins)
        if back := self._evicted.restore_longest(ids, common):
            self.tokens, common = back, len(back)
        self._begins, self._reused = len(ids) - own, time.monotonic()
        self.truncate(common)
        return list(ids[common:])

    def active_texts(self, within_s: float) -> Iterator[Sequence[int]]:
        """The texts' own tokens that were gone on with so lately and are worth setting aside, the present one last."""
        since = time.monotonic() - within_s
        yield from self._evicted.used_since(since)
        present = self.tokens[self._begins :]
        if self._reused > since and len(present) >= WORTH:
            yield present

    def end(self, text: Sequence[int]) -> None:
        """Let go of texts that stand in this one: nobody goes on with them."""
        whole = np.asarray(text, np.int64).tobytes()
        self._evicted.end(whole)
        if stands_in(self.tokens[self._begins :], whole):
            self.truncate(self._begins)
