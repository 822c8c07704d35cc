"""What a market is made of: its numbers, everything in it that moves, and its opening."""

from typing import Any, NamedTuple

import flax.struct
import jax
import jax.numpy as jnp

from lobjax.book import Depth, depth, mid2
from lobjax.clock import Time
from lobjax.flow.base import Opening
from lobjax.market.accounts import Accounts, Fees, open_accounts
from lobjax.market.inflight import InFlight, nothing_in_flight
from lobjax.market.journal import Journal
from lobjax.market.risk import Limits
from lobjax.market.safeguards import Halting, Safeguards
from lobjax.market.tape import Tape, blank_tape
from lobjax.types import Counters


class MarketParams(flax.struct.PyTreeNode):
    """The numbers of a market with A accounts; row 0 of each `[A + 1]` is the background's and not used."""

    flow: Any  # the flow's own parameters
    fees: Fees
    feed_delay: Time  # int32 [A + 1], from the market to each account
    order_delay: Time  # int32 [A + 1], and back
    limits: Limits
    safeguards: Safeguards | None = None  # price bands and halts, where the venue has them


class MarketState(flax.struct.PyTreeNode):
    """Everything that moves in one market."""

    book: Any  # Book; on the engine kernel a FlatBook, which has the same views
    depth: Depth  # the best L levels at `now`
    flow: Any
    now: Time
    due: Time  # when the flow's next message comes
    opened: Time  # when the episode began
    in_flight: InFlight
    accounts: Accounts
    tape: Tape  # what happened since the last step began
    counters: Counters  # int32 each, of agents' messages
    flow_counters: Counters  # of the flow's messages
    clipped_lots: jax.Array  # int32, lots that the limits cut off agents' orders
    late: jax.Array  # int32, steps that hit the bound on messages before their time
    journal: Journal | None = None  # the messages of the step, where they are kept
    halting: Halting | None = None  # where the venue has safeguards

    def counts(self) -> dict[str, jax.Array]:
        """What was counted since the opening (a warm-up included), int32 each: agents' by name, the flow's under `flow_`."""
        halting = self.halting
        refused = {} if halting is None else {
            "refused_by_band": halting.refused_by_band, "refused_by_halt": halting.refused_by_halt, "halts": halting.halts,
        }  # fmt: skip
        return {
            **self.counters._asdict(),
            **{f"flow_{name}": count for name, count in self.flow_counters._asdict().items()},
            "dropped": self.in_flight.dropped,
            "clipped_lots": self.clipped_lots,
            "late": self.late,
            "inexact": self.accounts.inexact,
            **refused,
        }


class Sizes(NamedTuple):
    """Static sizes of a market."""

    capacity: int  # N, orders a side
    accounts: int  # A
    queue_places: int  # Q, messages in flight
    max_messages: int  # M, messages of one step
    levels: int  # L, of the depth snapshot
    step_messages: int = 0  # of the flow, after which a step ends; 0 where it ends by the clock

    @property
    def draws(self) -> int:
        """The most messages of the flow in one step."""
        return min(self.max_messages, self.step_messages or self.max_messages)


def open_state(opening: Opening, sizes: Sizes) -> MarketState:
    """A market at its opening, with empty accounts."""
    zero = jnp.int32(0)
    none = Counters(zero, zero, zero, zero, zero)
    return MarketState(
        book=opening.book,
        depth=depth(opening.book, sizes.levels),
        flow=opening.flow,
        now=opening.now,
        due=opening.due,
        opened=opening.now,
        in_flight=nothing_in_flight(sizes.queue_places),
        accounts=open_accounts(sizes.accounts),
        tape=blank_tape(mid2(opening.book)),
        counters=none,
        flow_counters=none,
        clipped_lots=zero,
        late=zero,
    )


class Orders(NamedTuple):
    """What agents have for one step: messages on the wire, and messages that the venue applies itself when the step ends."""

    sent: Any  # Message of int32 [K]
    closing: Any  # Message of int32 [C]
