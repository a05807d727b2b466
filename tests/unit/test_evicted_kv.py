"""What is set aside comes back as it was, in a room that never grows."""

import math

import numpy as np
from numpy.typing import NDArray

from idiolect.models.evicted_kv import EvictedKV

ROOM, LENGTH = 40, 64


def filled(seed: int) -> NDArray[np.float32]:
    """Keys and values (layers, side, batch, head, position, feature), all different."""
    return np.random.default_rng(seed).random((2, 2, 1, 3, LENGTH, 4), np.float32)


def test_texts_come_back_bit_for_bit_whatever_came_and_went_between():
    cache = filled(0)
    evicted = EvictedKV(cache, ROOM)
    random = np.random.default_rng(1)
    written: dict[tuple[int, ...], NDArray[np.float32]] = {}
    came_back = 0
    for step in range(200):
        begins, count = 5, int(random.integers(8, 20))
        tokens = [*range(begins), *random.integers(9, 99, count).tolist()]
        cache[...] = filled(step)
        evicted.store(tokens, begins)
        written[tuple(tokens)] = cache[..., begins : len(tokens), :].copy()
        cache[...] = 0
        wanted = [*written][-int(random.integers(1, 5))] if len(written) > 4 else tuple(tokens)
        back = evicted.restore(wanted, begins)
        if len(back) == len(wanted):
            came_back += 1
            assert np.array_equal(cache[..., begins : len(back), :], written[wanted])
        assert sum(map(len, evicted.evicted_since(-math.inf))) <= ROOM
    assert came_back > 60


def test_a_part_that_is_shared_comes_back_alone():
    cache = filled(3)
    evicted, before = EvictedKV(cache, ROOM), cache.copy()
    evicted.store([*range(30)], 10)
    cache[...] = 0
    assert evicted.restore([*range(22), 99, 98], 12) == [*range(22)]
    assert np.array_equal(cache[..., 10:22, :], before[..., 10:22, :])
    assert not cache[..., 22:, :].any()
    assert [*evicted.evicted_since(-math.inf)] == []


def test_a_text_longer_than_the_room_pushes_nothing_out():
    evicted = EvictedKV(filled(4), ROOM)
    evicted.store([*range(30)], 10)
    evicted.store([*range(100, 160)], 0)
    assert len([*evicted.evicted_since(-math.inf)]) == 1
    assert evicted.restore([*range(30)], 10) == [*range(30)]
