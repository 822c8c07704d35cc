"""Random words for the engine `host`: what `jax.random.bits` gives for a Threefry key, made a block at a time, no more than a step needs.

Threefry-2x32 with 20 rounds (Salmon et al., Parallel Random Numbers: As Easy as 1, 2, 3, SC11); word i is the two halves of the cipher of
the counter i, exclusive-or, which is JAX's partitionable form.
"""

# Numba's intrinsics are called without the typing context that they are defined with.
# pyright: reportCallIssue=false, reportAttributeAccessIssue=false, reportPrivateImportUsage=false

import jax
import numpy as np

from lobjax.ffi.jit import inlined

BLOCK = 96  # words made at a time
_PARITY = 0x1BD11BDA


def follows(key: jax.Array) -> bool:
    """Whether `fill` makes the words of `jax.random.bits` for this key."""
    return str(jax.random.key_impl(key)) == "threefry2x32" and bool(jax.config.jax_threefry_partitionable)  # pyright: ignore


@inlined
def fill(out, first, stop, key):
    """Words `first` to `stop - 1` of a key (uint32 [2]) into `out`, uint32."""
    k0, k1 = key[0], key[1]
    k2 = np.uint32(k0 ^ k1 ^ np.uint32(_PARITY))
    for at in range(np.uint64(first), np.uint64(stop)):
        x, y = k0, np.uint32(np.uint32(at) + k1)
        x, y = _four(x, y, 13, 15, 26, 6)
        x, y = np.uint32(x + k1), np.uint32(y + k2 + np.uint32(1))
        x, y = _four(x, y, 17, 29, 16, 24)
        x, y = np.uint32(x + k2), np.uint32(y + k0 + np.uint32(2))
        x, y = _four(x, y, 13, 15, 26, 6)
        x, y = np.uint32(x + k0), np.uint32(y + k1 + np.uint32(3))
        x, y = _four(x, y, 17, 29, 16, 24)
        x, y = np.uint32(x + k1), np.uint32(y + k2 + np.uint32(4))
        x, y = _four(x, y, 13, 15, 26, 6)
        x, y = np.uint32(x + k2), np.uint32(y + k0 + np.uint32(5))
        out[at] = x ^ y


@inlined
def _four(x, y, a, b, c, d):
    """Four rounds."""
    x, y = _round(x, y, np.uint32(a))
    x, y = _round(x, y, np.uint32(b))
    x, y = _round(x, y, np.uint32(c))
    return _round(x, y, np.uint32(d))


@inlined
def _round(x, y, by):
    x = np.uint32(x + y)
    y = np.uint32(np.uint32(y << by) | np.uint32(y >> np.uint32(np.uint32(32) - by)))
    return x, np.uint32(y ^ x)
