"""The arena keeps accounts to the lot, serves seats fairly, and its markets are those of a book written by hand."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from bench.verification.arena.tape import tape_of
from lobjax.arena import make_arena
from lobjax.arena.seats import order_of_service
from lobjax.book import listing
from lobjax.kinds import Kind
from lobjax.settings import key_of
from lobjax.types import Message
from lobjax.wide import to_int
from tests.arena.small import config, mixed, player_of
from tests.book.plain_book import Order, PlainBook
from tests.compiling import quick_jit

EPISODES = 6
KEYS = jax.random.split(jax.random.key(3), EPISODES)


def sampled(arena, key):
    """Random actions of every seat; an account's draw is its own."""
    sample = lambda group, account: group.role.action_space.sample(jax.random.fold_in(key, account))  # noqa: E731
    return {group.name: jnp.stack([sample(group, account) for account in group.accounts]) for group in arena.groups}


@pytest.fixture(scope="module", params=["random", "rules"])
def episodes(request):
    """The episodes of a mixed arena by one way of playing: (opening, last, watched), batch first, then decisions."""
    arena = mixed()
    return jax.device_get(player_of(arena, request.param)(KEYS, arena.default_params))


def test_lots_and_cash_of_all_accounts_sum_to_zero_at_every_venue_after_every_decision(episodes):
    accounts = episodes[2]["state"].markets.accounts
    assert not accounts.lots.sum(-1).any() and not to_int(accounts.cash).sum(-1).any()
    assert np.abs(accounts.lots[..., 1:]).any(axis=(0, 1)).any(axis=0).all()  # every seat held something
    assert not accounts.inexact.any()


def test_profit_is_cash_and_inventory_at_mid_less_fees(episodes):
    state, info = episodes[2]["state"], episodes[2]["info"]
    accounts, mid2 = state.markets.accounts, info["mid2_ticks"].astype(np.int64)
    worth = 2 * to_int(accounts.cash) + accounts.lots * mid2[..., None]
    profit = (worth * 500 - to_int(accounts.fees))[..., 1:].sum(axis=2) / 1000
    np.testing.assert_allclose(info["profit_ticks"], profit, rtol=1e-6, atol=1e-3)
    assert np.abs(info["fees_ticks"]).max() > 0


def test_seats_end_once_and_positions_are_closed(episodes):
    watched, arena = episodes[2], mixed()
    for group in arena.groups:
        ends = watched["terminated"][group.name] | watched["truncated"][group.name]
        assert (ends.sum(axis=1) == 1).all()
        after = np.cumsum(ends, axis=1) - ends > 0
        assert not watched["rewards"][group.name][after].any()
    assert not watched["state"].markets.counters.unknown[..., -1].max() > 100
    closed = watched["state"].markets.accounts.lots[:, -1, :, 1:5]  # all but the execution agent's: to nothing
    assert not closed.any()


def test_a_seat_decides_by_its_own_clock(episodes):
    acts = episodes[2]["info"]["acts"]  # after the decision: of the next one
    over = episodes[2]["info"]["over"]
    np.testing.assert_array_equal(acts[:, ::2, 2], False)
    np.testing.assert_array_equal(acts[:, 1::2, 2], ~over[:, 1::2, 2])


def test_the_tape_replayed_through_the_plain_book_gives_the_same_books_and_accounts():
    """And so do the engine host, and episodes side by side: the tape's are xla's, each alone."""
    described = config()
    tape = tape_of(described, 2, 5, "random")
    arena = mixed()
    fees = np.stack(arena.default_params.markets.fees, axis=-1)  # [V, A + 1, (maker, taker)]
    keys = jax.vmap(lambda episode: jax.random.fold_in(key_of(5), episode))(jnp.arange(EPISODES))
    last = jax.device_get(player_of(arena, "random")(keys, arena.default_params)[1])
    assert arena.engine.engine == "host"
    kinds = set()
    for row, venue in enumerate(tape["venue_of"]):
        book, cash, paid = (
            PlainBook(described.capacity),
            np.zeros(arena.seats + 1, np.int64),
            np.zeros(arena.seats + 1, np.int64),
        )
        lots = np.zeros(arena.seats + 1, np.int64)
        for side, name in enumerate(("opening_bids", "opening_asks")):
            for price, size, order_id, owner in tape[name][row][tape[name][row][:, 1] > 0].tolist():
                book.join(book.sides[side], Order(price, size, order_id, owner))
        for message in (Message(*fields) for fields in tape["messages"][row].tolist()):
            kinds.add(message.kind)
            for _, maker, price, traded in book.apply(message):
                sign = 1 if message.side == 0 else -1
                for owner, way, role in ((message.owner, sign, 1), (maker, -sign, 0)):
                    at = owner if owner > 0 else 0
                    lots[at] += way * traded
                    cash[at] -= way * traded * price
                    paid[at] += traded * int(fees[venue, at, role])
        for side, name in enumerate(("bids", "asks")):
            orders = [(order.price, order.size, order.order_id, order.owner) for order in book.sides[side].orders()]
            assert orders == [tuple(order) for order in tape[name][row][tape[name][row][:, 1] > 0].tolist()]
        np.testing.assert_array_equal(lots, tape["lots"][row])
        host = jax.tree.map(lambda x, episode=row // 2, venue=row % 2: x[episode, venue], last.markets)
        for side, name in zip(listing(host.book), ("bids", "asks"), strict=True):
            np.testing.assert_array_equal(side, tape[name][row])
        np.testing.assert_array_equal(host.accounts.lots, lots)
        np.testing.assert_array_equal(to_int(host.accounts.cash), cash)
        np.testing.assert_array_equal(cash, tape["cash"][row])
        np.testing.assert_array_equal(paid, tape["fees"][row])
    assert {Kind.LIMIT, Kind.MARKET, Kind.IOC, Kind.REDUCE, Kind.POST_ONLY, Kind.CANCEL_ALL} <= kinds


def test_the_order_of_service_is_drawn_afresh_and_belongs_to_labels():
    keys = jax.random.split(jax.random.key(0), 3000)
    label = jnp.arange(5, dtype=jnp.int32)
    orders = np.asarray(jax.vmap(order_of_service, in_axes=(0, None))(keys, label))
    assert (np.sort(orders, axis=1) == np.arange(5)).all()
    place = np.argsort(orders, axis=1)
    share = np.stack([(place == k).mean(axis=0) for k in range(5)])
    assert np.abs(share - 0.2).max() < 0.035  # five deviations
    swapped = label[jnp.asarray([3, 1, 2, 0, 4])]
    other = np.asarray(jax.vmap(order_of_service, in_axes=(0, None))(keys, swapped))
    np.testing.assert_array_equal(np.asarray(swapped)[other], orders)


def test_permuted_seats_give_permuted_results():
    """Two market makers exchange places, labels and actions: everything of theirs is exchanged, to the bit."""
    arena = mixed()
    params = arena.default_params
    label = params.seats.label
    swapped = params.replace(seats=params.seats.replace(label=label[jnp.asarray([1, 0, 2, 3, 4])]))
    step, reset = arena.transition, quick_jit(arena.reset)

    def play(params, swap):
        observations, state = reset(jax.random.key(1), params)
        rows = []
        for t in range(4):
            draw = jax.random.fold_in(jax.random.key(7), t)
            actions = sampled(arena, draw)
            if swap:
                actions["market_maker"] = actions["market_maker"][::-1]
            observations, state, rewards, _, _, info = jitted(
                jax.random.fold_in(jax.random.key(2), t), state, actions, params
            )
            rows.append((observations, rewards, info["profit_ticks"], info["mid2_ticks"]))
        return rows

    jitted = quick_jit(step)
    for one, other in zip(play(params, False), play(swapped, True), strict=True):
        for name in ("market_maker", "arbitrageur"):
            turn = slice(None, None, -1) if name == "market_maker" else slice(None)
            np.testing.assert_array_equal(one[0][name], other[0][name][turn])
            np.testing.assert_array_equal(one[1][name], other[1][name][turn])
        np.testing.assert_array_equal(one[2], other[2][jnp.asarray([1, 0, 2, 3, 4])])
        np.testing.assert_array_equal(one[3], other[3])


def test_a_seat_that_is_taken_out_leaves_every_other_word_as_it_was():
    arena = mixed()
    active = arena.default_params.seats.active
    without = arena.default_params.replace(seats=arena.default_params.seats.replace(active=active & False))
    play = player_of(arena, "random")
    whole, empty = play(KEYS, arena.default_params)[2], play(KEYS, without)[2]
    np.testing.assert_array_equal(whole["info"]["value2"], empty["info"]["value2"])
    np.testing.assert_array_equal(whole["info"]["event"], empty["info"]["event"])
    np.testing.assert_array_equal(whole["actions"]["momentum"], empty["actions"]["momentum"])
    assert not empty["state"].markets.accounts.lots[..., 1:].any()
    # At the other venue the flow's draws meet the same book until somebody trades there: its first messages are the same.
    assert (whole["state"].markets.flow_counters.invalid == 0).all()


def test_a_seat_of_one_venue_cannot_trade_at_the_other(episodes):
    lots = episodes[2]["state"].markets.accounts.lots  # [episode, decision, venue, account]
    assert not lots[:, :, 1, 1:4].any() and not lots[:, :, 0, 5].any()


def test_a_stopped_seat_is_flat_and_out_and_the_others_go_on():
    arena = make_arena(
        config(
            roles={"momentum": {"seats": 2, "capital": 3_000, "risk_tolerance": 0.001}, "market_maker": 1}, venues=[{}]
        )
    )
    _, last, watched = jax.device_get(player_of(arena, "random")(KEYS, arena.default_params))
    stopped = watched["info"]["stopped"]
    assert stopped[:, -1, :2].any() and not stopped[:, :, 2].all()
    early = np.argwhere(stopped[:, 8, 0])
    assert len(early)
    for episode in early[:, 0]:
        owners = last.markets.book.owner[episode][last.markets.book.size[episode] > 0]
        assert last.markets.accounts.lots[episode, 0, 1] == 0 and 1 not in owners
        assert not watched["info"]["acts"][episode, 8:, 0].any()
        first = int(np.argmax(stopped[episode, :, 0]))
        assert watched["terminated"]["momentum"][episode, first, 0]


def test_without_margin_cash_never_falls_below_zero_and_nothing_is_sold_short():
    roles = {
        "market_maker": {"seats": 2, "capital": 3_500, "margin": "none", "sizes_lots": [2, 5], "risk_tolerance": 1.0},
        "momentum": {"seats": 1, "capital": 2_500, "margin": "none"},
    }
    arena = make_arena(config(roles=roles, venues=[{"taker_fee_milliticks": 900}], events={"start_probability": 0.5}))
    _, _, watched = jax.device_get(player_of(arena, "random")(KEYS, arena.default_params))
    accounts = watched["state"].markets.accounts
    cash = 1000 * to_int(accounts.cash)[..., 0, 1:] - to_int(accounts.fees)[..., 0, 1:]
    capital = np.asarray([3_500, 3_500, 2_500]) * 1000
    assert (cash + capital >= 0).all() and (accounts.lots[..., 1:] >= 0).all()
    assert accounts.lots[..., 1:].max(axis=(0, 1, 2)).min() > 0  # they do trade: as much as a little capital pays for


def test_a_faster_seat_is_served_first():
    """Two momentum traders want the whole best ask at market: whoever's order takes less time gets the better price, in every episode."""
    big = {"role": "momentum", "maximum_position_lots": 40, "levels": 1}
    roles = {"slow": big | {"order_delay_ns": 50_000_000}, "fast": big}
    arena = make_arena(config(roles=roles, venues=[{}], decisions=2))
    params = arena.default_params

    def one(key):
        _, state = arena.reset(key, params)
        buys = jnp.asarray([[2, 0]], jnp.int32)
        return arena.transition(key, state, {"slow": buys, "fast": buys}, params)[1].markets.accounts

    accounts = jax.device_get(quick_jit(jax.vmap(one))(KEYS))
    assert (accounts.lots[:, 0, 1:3] == 40).all()
    cash = to_int(accounts.cash)[:, 0]
    assert (cash[:, 2] > cash[:, 1]).all()


def test_reset_and_step_begin_a_new_episode_after_the_last_seat_ended():
    arena = mixed()
    arena = replace(arena, decisions=2)
    step = quick_jit(arena.step)
    observations, state = quick_jit(arena.reset)(jax.random.key(0))
    for t in range(2):
        actions = sampled(arena, jax.random.key(t))
        observations, state, _, terminated, _, info = step(jax.random.key(t), state, actions)
    assert bool(info["done"]) and int(state.step) == 0
    assert all(bool(x.all()) for x in terminated.values())
    assert not np.array_equal(info["final_observation"]["market_maker"], observations["market_maker"])


def test_steps_may_be_counted_in_messages_of_the_one_venue():
    arena = make_arena(config(roles={"market_maker": 1}, venues=[{}], events=None, step_messages=7, decisions=3))
    state = quick_jit(arena.reset)(jax.random.key(0))[1]
    step = quick_jit(arena.transition)
    for t in range(3):
        before = int(state.markets.tape.messages[0]), state
        state = step(jax.random.key(t), state, {"market_maker": jnp.asarray([[5, 5, 0]], jnp.int32)})[1]
        assert int(state.markets.tape.messages[0]) == (7 if t < 2 else 9), before  # and two pulls as the episode ends
