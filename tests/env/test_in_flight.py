"""What an account has on the wire: every kind that may trade or rest counts, whoever else sends, until it arrives."""

from types import SimpleNamespace

import jax.numpy as jnp
import numpy as np
import pytest

from lobjax.clock import Time
from lobjax.env.views import lots_in_flight
from lobjax.kinds import Kind
from lobjax.market.inflight import nothing_in_flight, send
from lobjax.types import Message

OPENS = {
    Kind.LIMIT,
    Kind.MARKET,
    Kind.IOC,
    Kind.FOK,
    Kind.POST_ONLY,
    Kind.REPLACE,
}  # by hand: the table's own opinion is tested
OWN, OTHER = 1, 2


def on_the_wire(rows) -> SimpleNamespace:
    """A market that has sent (kind, owner, size) rows, a second apart, and nothing else."""
    kind, owner, size = np.array(rows, np.int32).T
    fields = {"kind": kind, "owner": owner, "size": size, "side": 0 * kind, "price": 0 * kind + 100, "order_id": kind}
    message = Message(**{name: jnp.asarray(field) for name, field in fields.items()})
    arrival = Time(jnp.arange(1, len(rows) + 1, dtype=jnp.int32), jnp.zeros(len(rows), jnp.int32))
    return SimpleNamespace(in_flight=send(nothing_in_flight(2 * len(rows)), message, arrival))


@pytest.mark.parametrize("kind", Kind)
def test_a_kind_counts_where_it_may_open_a_position(kind):
    found = lots_in_flight(on_the_wire([(kind, OWN, 7), (kind, OTHER, 100)]), OWN)  # pyright: ignore[reportArgumentType]
    assert found.dtype == jnp.int32 and int(found) == (7 if kind in OPENS else 0)


def test_what_has_arrived_counts_no_more():
    market = on_the_wire([(kind, OWN, 1 << kind) for kind in Kind])
    whole = sum(1 << kind for kind in OPENS)
    assert int(lots_in_flight(market, OWN)) == whole  # pyright: ignore[reportArgumentType]
    arrived = int(np.flatnonzero(np.asarray(market.in_flight.message.kind) == Kind.LIMIT)[0]) + 1
    market.in_flight = market.in_flight.replace(head=jnp.int32(arrived))
    assert int(lots_in_flight(market, OWN)) == whole - (1 << Kind.LIMIT)  # pyright: ignore[reportArgumentType]
