"""Accounts against a ledger of exact Python integers kept fill by fill, on random messages of several owners."""

import jax
import jax.numpy as jnp
import numpy as np

from lobjax.book import empty_book, mid2, step
from lobjax.kinds import Kind
from lobjax.market.accounts import Fees, book_trades, open_accounts
from lobjax.types import Message
from lobjax.wide import to_int

OWNERS, MAKER, TAKER = 3, -150, 275


def random_messages(rng, n, price, size):
    kinds = rng.choice([Kind.LIMIT, Kind.LIMIT, Kind.LIMIT, Kind.MARKET, Kind.IOC, Kind.FOK, Kind.CANCEL], n)
    columns = [kinds, rng.integers(0, 2, n), price + rng.integers(-4, 5, n), rng.integers(1, size, n)]
    columns += [
        np.where(kinds == Kind.CANCEL, rng.integers(1, n, n), np.arange(1, n + 1)),
        rng.integers(-1, OWNERS + 1, n),
    ]
    return np.stack(columns, axis=1).astype(np.int32)


def run(table):
    fees = Fees(*(jnp.full((OWNERS + 1,), fee, jnp.int32).at[0].set(0) for fee in (MAKER, TAKER)))

    def one(carry, row):
        book, accounts = carry
        message = Message(*row)
        new, outcome = step(book, message)
        return (new, book_trades(accounts, message, outcome, fees, mid2(book), jnp.int32(5000))), outcome

    return jax.lax.scan(one, (empty_book(32), open_accounts(OWNERS)), jnp.asarray(table))


def ledger(table, outcomes):
    """The same by Python integers: (lots, cash, fees, lot_ms) by owner."""
    lots, cash, fees, lot_ms = np.zeros((4, OWNERS + 1), object)
    for row, lot, price, owner in zip(
        table,
        np.asarray(outcomes.fills.lots),
        np.asarray(outcomes.fills.price),
        np.asarray(outcomes.fills.owner),
        strict=True,
    ):
        sign, taker = (1 if row[1] == 0 else -1), max(int(row[5]), 0)
        for n, p, rests in zip(lot.tolist(), price.tolist(), owner.tolist(), strict=True):
            for account, way, fee in ((taker, sign, TAKER), (max(rests, 0), -sign, MAKER)):
                lots[account] += way * n
                cash[account] -= way * n * p
                fees[account] += n * fee if account else 0
                lot_ms[account] += n * 5000
    return lots, cash, fees, lot_ms


def check(table):
    (_, accounts), outcomes = jax.jit(run)(table)
    wanted = ledger(table, outcomes)
    assert wanted[3].sum() > 0
    for exact, got in zip(
        wanted, (accounts.lots, to_int(accounts.cash), to_int(accounts.fees), to_int(accounts.lot_ms)), strict=True
    ):
        assert np.asarray(got).tolist() == exact.tolist()
    assert int(accounts.lots.sum()) == 0 and int(to_int(accounts.cash).sum()) == 0
    return accounts


def test_accounts_equal_a_ledger_and_sum_to_zero():
    accounts = check(random_messages(np.random.default_rng(1), 600, 1000, 30))
    assert int(accounts.inexact) == 0


def test_cash_passes_32_bits_exactly():
    accounts = check(random_messages(np.random.default_rng(2), 600, 1_000_000_000, 200_000))
    assert np.abs(to_int(accounts.cash)).max() > 2**40
    assert int(accounts.inexact) == 0


def test_a_fill_too_large_and_too_far_from_the_mid_is_counted():
    rows = [[Kind.LIMIT, 1, 2_000_000_000, 1000, 1, 0], [Kind.LIMIT, 1, 10, 1, 2, 0], [Kind.MARKET, 0, 0, 1001, 0, 1]]
    (_, accounts), _ = run(np.asarray(rows, np.int32))
    assert int(accounts.inexact) == 1


def test_prices_whose_sum_passes_32_bits_are_counted():
    rows = [
        [Kind.LIMIT, 1, 2_000_000_001, 1, 1, 0],
        [Kind.LIMIT, 0, 2_000_000_000, 1, 2, 0],
        [Kind.MARKET, 0, 0, 1, 0, 1],
    ]
    (_, accounts), _ = run(np.asarray(rows, np.int32))
    assert int(accounts.inexact) == 1
