"""A trie over word forms in arrays: what words begin with a run of letters, and which letters come next.

Forms are filed in lower case. Nodes are numbered level by level, so the children of a node stand side by side.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MAX_DEPTH = 32
"""Letters; longer forms are not filed, and are never what a mistyped word is mended to."""

ROOT = 0


@dataclass(frozen=True)
class LetterTrie:
    """N filed forms in V nodes.

    ``rows`` (N,) says which form of the table stands at each place of the sorted order. A node ``v`` stands for the
    letters on its way from the root: ``letters[v]`` is the last letter. The forms that begin with them
    are ``rows[low[v]:high[v]]``; the first of them, up to ``whole[v]``, are no longer than that. Its children are the
    nodes from ``children[v]`` up to, not including, ``children[v + 1]``.
    """

    rows: NDArray[np.int32]
    letters: str
    low: NDArray[np.int32]
    high: NDArray[np.int32]
    whole: NDArray[np.int32]
    children: array[int]

    def descend(self, node: int, letters: str) -> int:
        """Return the node that ``letters`` lead to from another, -1 if there is none."""
        for letter in letters:
            node = self.letters.find(letter, self.children[node], self.children[node + 1])
            if node < 0:
                return -1
        return node


def build_trie(forms: NDArray[np.bytes_]) -> LetterTrie:
    """File the forms (N,) of a table, UTF-8, in lower case. Forms with letters beyond U+FFFF are left out."""
    texts = [form.decode().lower().replace("’", "'") for form in forms.tolist()]
    kept = np.array(
        [index for index, text in enumerate(texts) if 0 < len(text) <= MAX_DEPTH and max(text) <= "\uffff"],
        np.int32,
    )
    count = len(kept)
    words = np.array([texts[index] for index in kept.tolist()], f"<U{MAX_DEPTH}")
    order = np.argsort(words, kind="stable")  # without the interpreter's lock, unlike Python's own
    matrix = words[order].view("<u4").reshape(count, MAX_DEPTH)
    lengths = (matrix != 0).sum(1)
    differs = np.ones((count, MAX_DEPTH + 1), bool)  # the last, where it is the same word in other capitals
    differs[1:, :-1] = matrix[1:] != matrix[:-1]
    common = np.argmax(differs, axis=1)  # letters shared with the form before
    letters, low, high = [np.zeros(1, np.uint16)], [np.zeros(1, np.int32)], [np.array([count], np.int32)]
    whole, parents = [np.zeros(1, np.int32)], []
    offset, above = 0, np.zeros(count, np.intp)  # the node one level up, of each form
    for depth in range(1, int(lengths.max(initial=0)) + 1):
        breaks = np.flatnonzero(common < depth)
        begins = breaks[lengths[breaks] >= depth]
        ends = np.append(breaks, count)[np.searchsorted(breaks, begins, side="right")]
        letters.append(matrix[begins, depth - 1].astype(np.uint16))
        low.append(begins.astype(np.int32))
        high.append(ends.astype(np.int32))
        short = np.concatenate(([0], np.cumsum(lengths == depth)))
        whole.append((begins + short[ends] - short[begins]).astype(np.int32))
        parents.append(above[begins])
        size = len(letters[depth - 1])
        offset += size
        above = offset + np.maximum(np.searchsorted(begins, np.arange(count), side="right") - 1, 0)
    total = offset + len(letters[-1])
    parent = np.concatenate(parents) if parents else np.zeros(0, np.intp)
    children = 1 + np.searchsorted(parent, np.arange(total + 1))
    return LetterTrie(
        kept[order],
        np.concatenate(letters).astype("<u4").tobytes().decode("utf-32-le", "surrogatepass"),
        np.concatenate(low),
        np.concatenate(high),
        np.concatenate(whole),
        array("i", children.astype(np.intc).tobytes()),
    )
