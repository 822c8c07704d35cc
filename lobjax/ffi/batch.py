"""Custom calls over a batch: where each item's share of every buffer lies, however often `vmap` batched the call.

An item is what the call is written for, one book or one market; all its elements have four bytes. A handler over items is
a loop over ranges of items; it says itself what one item is, since Numba caches no handler that is given a function.
"""

import numpy as np

from lobjax.ffi.frame import data, dims, results
from lobjax.ffi.jit import inline, inner, outer

_BYTES = 4


@inline
def batch_of(frame, rank):
    """The axes of a call's batch, int64; rank: of one item's first result."""
    shape = dims(results(frame)[0])
    return shape[: shape.shape[0] - rank]


@inner
def count_items(frame, rank):
    """The number of items of a call; rank: of one item's first result."""
    shape = dims(results(frame)[0])
    items = np.int64(1)
    for axis in range(shape.shape[0] - rank):
        items *= shape[axis]
    return items


@inner
def range_start(items, ranges, k):
    """The first item of range `k`, if `items` are divided evenly over `ranges`."""
    return np.int64(items * k // ranges)


@outer
def tables(buffers, axes):
    """For each buffer: its address, the elements that belong to one item, and the step in bytes along every axis of the batch.

    An axis of size 1 has step 0: under `vmap` an argument that is not mapped comes with such an axis, shared by all items.
    """
    n = buffers.shape[0]
    address, length, step = np.empty(n, np.int64), np.ones(n, np.int64), np.zeros((n, axes), np.int64)
    for leaf in range(n):
        shape = dims(buffers[leaf])
        address[leaf] = data(buffers[leaf])
        for axis in range(axes, shape.shape[0]):
            length[leaf] *= shape[axis]
        stride = length[leaf] * _BYTES
        for axis in range(axes - 1, -1, -1):
            step[leaf, axis] = stride if shape[axis] > 1 else 0
            stride *= shape[axis]
    return address, length, step


@outer
def locate(address, step, batch, item, out):
    """Addresses of one item's share of every buffer."""
    out[:] = address
    rest = item
    for axis in range(batch.shape[0] - 1, -1, -1):
        at, rest = rest % batch[axis], rest // batch[axis]
        for leaf in range(out.shape[0]):
            out[leaf] += at * step[leaf, axis]
