"""The flow of a market on the engine `host`: which twin it has, what that reads, and its next message.

A twin reads and changes the flow's state (its leaves as int32, in order; what a flow adds to those of its twin comes last), reads the
book and its row of random words, writes the message, and returns the wait. To add a flow: write its twin beside this, under the flow's
name, call it in `draw`, and say in `twin_of` and `leaves_of` what its number is and which parameters it gets.
"""

# Numba's intrinsics are called without the typing context that they are defined with.
# pyright: reportCallIssue=false, reportAttributeAccessIssue=false, reportPrivateImportUsage=false, reportGeneralTypeIssues=false

from typing import Any

import jax
import numpy as np

from lobjax.ffi.jit import inlined
from lobjax.flow.host import poisson, recorded
from lobjax.flow.host.strategic import first_of_both, next_order, other_is_next
from lobjax.flow.mixed import MixedFlow, numbers_of
from lobjax.flow.poisson import PoissonFlow
from lobjax.flow.recorded import RecordedFlow
from lobjax.flow.strategic import StrategicFlow

POISSON, RECORDED = 0, 1
STRATEGIC = 2  # added to the number of the flow that the strategic trader acts beside


def twin_of(flow: Any) -> int | None:
    """The number of a flow in `draw`; None if it has no twin."""
    if type(flow) is MixedFlow:
        return twin_of(flow.flow)
    if type(flow) is StrategicFlow:
        other = None if type(flow.other) is MixedFlow else twin_of(flow.other)
        return None if other is None or other >= STRATEGIC else other + STRATEGIC
    return {PoissonFlow: POISSON, RecordedFlow: RECORDED}.get(type(flow))


def leaves_of(flow: Any, state: Any, params: Any) -> list[jax.Array]:
    """The parameters that the twin reads, in its order."""
    if type(flow) is MixedFlow:
        return leaves_of(flow.flow, state.one, numbers_of(params, state.which))
    if type(flow) is StrategicFlow:
        return [*leaves_of(flow.other, state.other, params.other), *params.every, params.lots]
    return poisson.poisson_leaves(params) if type(flow) is PoissonFlow else recorded.recorded_leaves(params)


@inlined
def draw(flow, state, book, words, params, lengths, levels, rates, message):
    """The flow's next message into `message` (int32 [6]); returns (wait in s, wait in ns). See the module's text.

    state: int32 [S]; words: uint32 `[W]`; params, lengths: addresses and numbers of elements of the flow's parameters, in their order.
    """
    trader = flow >= STRATEGIC
    other = flow - STRATEGIC if trader else flow
    of_other = not trader or other_is_next(state)
    s, ns = np.int32(0), np.int32(0)
    # One place for each twin: all are compiled into their caller.
    if not of_other:
        s, ns = next_order(state, book, params, poisson.LEAVES if other == POISSON else recorded.LEAVES, message)
    elif other == POISSON:
        s, ns = poisson.next_poisson(state, book, words, params, lengths, levels, rates, message)
    else:
        s, ns = recorded.next_recorded(state, params, lengths, message)
    if not trader:
        return s, ns
    return first_of_both(state, of_other, (np.int64(s) << 32) + ns)
