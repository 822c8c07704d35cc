"""The recorded flow for the engine `host`: the Numba twin of `RecordedFlow.next`, equal to it to the bit."""

# Numba's intrinsics are called without the typing context that they are defined with.
# pyright: reportCallIssue=false, reportAttributeAccessIssue=false, reportPrivateImportUsage=false, reportGeneralTypeIssues=false

import jax
import numpy as np

from lobjax.clock import NS
from lobjax.ffi.frame import integers
from lobjax.ffi.jit import inlined
from lobjax.flow.recorded import RecordedParams
from lobjax.types import INT32_MAX

LEAVES = 8  # parameters that the twin reads


def recorded_leaves(params: RecordedParams) -> list[jax.Array]:
    """What the twin reads of the parameters, in its order."""
    return [*params.messages, *params.time]


@inlined
def next_recorded(state, params, lengths, message):
    """The next message into `message` (int32 [6]); state: int32 [1]. Returns (wait in s, wait in ns)."""
    rows = lengths[0]
    at = _row(state[0], rows)
    for field in range(6):
        message[field] = integers(params[field], rows)[at]
    seconds, billionths = integers(params[6], rows), integers(params[7], rows)
    following = np.int32(state[0] + 1)
    due_s, due_ns = np.int64(INT32_MAX), np.int64(0)  # never
    if following < rows:
        due_s, due_ns = np.int64(seconds[following]), np.int64(billionths[following])
    s, ns = due_s - seconds[at], due_ns - billionths[at]
    state[0] = following
    return np.int32(s - (ns < 0)), np.int32(ns + NS if ns < 0 else ns)


@inlined
def _row(index, rows):
    return max(0, min(np.int64(index), rows - 1))
