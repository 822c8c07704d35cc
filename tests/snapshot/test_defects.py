"""The defects of the system that this one replaces, each by name; two more are `test_defect_windows_materialised` (in test_files.py) and
`test_defect_backtest_cannot_run` (in test_commands.py).

Process groups of one rank each, which never shared a gradient, are the learners' matter: tests/learn/test_devices.py, and for torch the
test of two processes against one on the whole batch.
"""

import json
from itertools import pairwise

import jax.numpy as jnp
import numpy as np
import pytest

from bench.commands.snapshot import snapshot
from lobjax.nets import Categoricals
from lobjax.snapshot import Costs, find_fill_price, settled
from lobjax.snapshot.account import opened
from lobjax.snapshot.host import account, fills
from lobjax.snapshot.money import from_int
from lobjax.wide import to_int
from tests.compiling import quick_jit
from tests.snapshot.days import day, environment, flat, play


@pytest.fixture(scope="module")
def trader(tmp_path_factory):
    """An environment on a day whose prices are another at every snapshot."""
    return environment(tmp_path_factory.mktemp("day") / "day.npz", day(), patience=0, fee_milliticks=250, fee_bps=2)


@pytest.mark.parametrize(("size", "filled"), [(3, 3), (40, 10)])
def test_defect_fee_multiplied_by_leftover(size, filled):
    """It was always 0: an order that fills has no leftover. The fee is due on what was executed, all of it and nothing else."""
    side = np.array([[100, 4], [101, 6]], np.int32)

    def fees(size):
        got = find_fill_price(jnp.asarray(side), size)
        return settled(opened(from_int(10_000)), got.cash, got.filled, Costs(jnp.int32(250), jnp.int32(2))).fees

    there = fills.find_fill_price(side, size)
    wanted = filled * 250 * 10 + abs(there.cash) * 2
    assert wanted > 0 and there.filled == filled
    assert int(to_int(quick_jit(fees)(jnp.int32(size)))) == wanted
    assert account.settled((10_000, 0, 0), there.cash, there.filled, (250, 2))[1] == wanted


def test_defect_prices_read_256_snapshots_away(trader, tmp_path):
    """Every trade is at the prices of the very snapshot that was shown; delayed by one, at those of the next."""
    snapshots, start = day(), 100
    late = environment(tmp_path / "late.npz", snapshots, patience=0, delay_snapshots=1)
    for env, delay in ((trader, 0), (late, 1)):
        rows = play(env, [1, -1, 1, -1, 1], start)
        for k, ((_, before, *_), (_, after, *_)) in enumerate(pairwise(rows)):
            np.testing.assert_array_equal(before.market.asks, snapshots.asks[start + k])
            paid = int(to_int(after.market.account.cash)) - int(to_int(before.market.account.cash))
            bought, at = k % 2 == 0, start + k + delay
            assert paid == (-snapshots.asks[at, 0, 0] if bought else snapshots.bids[at, 0, 0])


def test_defect_action_counted_twice_in_the_reward(tmp_path):
    """On a day on which nothing happens, a lot bought costs the spread once, however often it is looked at afterwards."""
    spread, capital, discount, horizon = 2, 20 * 10_002, 0.9, 16
    env = environment(tmp_path / "day.npz", flat(), reward="hindsight", hindsight_discount=discount)
    weights = discount ** np.arange(1, horizon + 1)
    rewards = [float(row[2]) for row in play(env, [1, 0, 0, 3])[1:]]
    once = -spread / capital * weights.sum() / horizon * 1e4
    np.testing.assert_allclose(rewards[:3], [once, 0, 0], rtol=1e-5)
    np.testing.assert_allclose(rewards[3], 3 * once * capital / (capital - spread), rtol=1e-5)
    plain = environment(tmp_path / "day.npz", flat())
    rewards = [float(row[2]) for row in play(plain, [1, 0, 0, 3])[1:]]
    np.testing.assert_allclose(rewards, np.array([-spread, 0, 0, -3 * spread]) / capital * 1e4, rtol=1e-5)


def test_defect_argmax_index_used_as_size(trader):
    """Index 0 is the largest sale, not nothing; the middle index holds. The mode of a policy that prefers index 0 sells."""
    assert trader.action_space.nvec == (11,)
    head = Categoricals(trader.action_space.nvec)
    for index, lots in ((0, -5), (4, -1), (5, 0), (6, 1), (10, 5)):
        chosen = head.to_action(head.mode(head.inputs((), jnp.zeros(11).at[index].set(3.0), 0.0)))
        _, sent = trader.task.act(trader.task.begin(play(trader, [])[0][1].market, None), None, chosen, None)
        assert int(sent.lots) == lots
        assert int(play(trader, [lots], start=7)[-1][1].market.account.position) == lots


def test_defect_about_25_steps_a_second(capsys, tmp_path):
    """A record of this machine, with its spread, says how many; a quiet one is measured in bench/records."""
    snapshot(envs="16", reward="value", levels=3, steps=20, out=tmp_path / "records.jsonl")
    capsys.readouterr()
    record = json.loads((tmp_path / "records.jsonl").read_text())
    assert record["steps_per_s_min"] > 25 and record["runs"] == 5 and record["commit"] and record["compile_s"] > 0
    assert record["steps_per_s_min"] <= record["steps_per_s"] <= record["steps_per_s_max"]
