"""The snapshot environment: the contract of every environment, its limits, and that nothing but a training target looks ahead."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lobjax.env.base import EnvParams
from lobjax.errors import InputError
from lobjax.snapshot import Snapshots
from lobjax.snapshot.host.account import hold_values
from lobjax.wide import to_int
from tests.compiling import quick_jit
from tests.snapshot.days import COUNT, day, environment, flat, play, programs


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("days")


@pytest.fixture(scope="module")
def trader(folder):
    return environment(folder / "day.npz", day(), fee_milliticks=40)


@pytest.fixture(scope="module")
def seer(folder):
    return environment(folder / "day.npz", day(), fee_milliticks=40, reward="hindsight")


def test_the_contract(trader):
    reset, step = jax.vmap(trader.reset, in_axes=(0, None)), jax.vmap(trader.step, in_axes=(0, 0, 0, None))
    observation, state = quick_jit(reset)(jax.random.split(jax.random.key(0), 5), trader.default_params)
    assert observation.shape == (5, trader.observation_size) == (5, len(set(trader.observation_names)))
    assert len(set(np.asarray(state.market.row))) == 5, "episodes start at random snapshots"
    assert (state.market.row + trader.decisions < COUNT).all()
    step, opened = quick_jit(step), state.market.row
    for t in range(1, 10):
        keys = jax.random.split(jax.random.key(t), 5)
        action = jax.vmap(trader.action_space.sample)(keys)
        observation, state, reward, terminated, truncated, info = step(keys, state, action, trader.default_params)
        assert observation.dtype == reward.dtype == np.float32 and np.isfinite(observation).all()
        assert not terminated.any() and truncated.tolist() == [t == 8] * 5
        assert (info["episode_length"] == (t - 1) % 8 + 1).all()
        assert ((info["final_observation"] == observation).all(1) == ~truncated).all()
        if t < 8:
            np.testing.assert_array_equal(state.market.row, opened + t)


def test_one_at_a_time_and_side_by_side_are_the_same(trader):
    rows = play(trader, [3, -2, 0, 5, -5, 1], start=11)
    batch = quick_jit(jax.vmap(trader.transition, in_axes=(0, 0, 0, None)))
    _, state = quick_jit(jax.vmap(trader.reset, in_axes=(0, None, 0)))(
        jax.random.split(jax.random.key(0), 2), trader.default_params, jnp.array([11, 90])
    )
    for size, row in zip([3, -2, 0, 5, -5, 1], rows[1:], strict=True):
        action = jnp.full((2, 1), size + 5, jnp.int32)
        observation, state, reward, *_ = batch(
            jax.random.split(jax.random.key(1), 2), state, action, trader.default_params
        )
        for a, b in zip(jax.tree.leaves(row[1].market.account), jax.tree.leaves(state.market.account), strict=True):
            assert a == b[0]
        np.testing.assert_allclose(observation[0], row[0], rtol=1e-6, atol=1e-6)
        np.testing.assert_allclose(reward[0], row[2], rtol=1e-6)


def test_an_observation_shows_the_present_snapshot_and_the_account(trader):
    observation, state, *_ = play(trader, [4, 0], start=20)[-1]
    seen = dict(zip(trader.observation_names, np.asarray(observation).tolist(), strict=True))
    bids, asks = (side[20:23] for side in day()[:2])
    mid = (bids[:, 0, 0] + asks[:, 0, 0]) / 2
    assert seen["position"] == pytest.approx(4 / 20) and seen["time_left"] == pytest.approx(1 - 2 / 8)
    assert seen["time_of_day"] == pytest.approx((34_200 + 22) / 86_400)
    assert seen["mid_change"] == pytest.approx((mid[2] - mid[1]) / 5) and seen["drift"] == pytest.approx(
        (mid[2] - mid[0]) / 5
    )
    assert seen["ask_gap_1"] == pytest.approx((asks[2, 1, 0] - mid[2]) / 5)
    assert seen["bid_lots_2"] == pytest.approx(np.log1p(bids[2, 2, 1]), rel=1e-6)
    value = int(to_int(state.market.value)) / 1e4
    assert seen["leverage"] == pytest.approx(4 * mid[2] / value, rel=1e-5)
    opened = 20 * asks[0, 0, 0]
    assert seen["cash"] == pytest.approx(int(to_int(state.market.account.cash)) / opened, rel=1e-6)


def test_a_leftover_goes_on_and_a_new_order_takes_its_place(folder):
    thin = flat(lots=2)
    env = environment(folder / "thin.npz", thin, patience=2)
    positions = [int(row[1].market.account.position) for row in play(env, [5, 0, 0, 0])]
    assert positions == [0, 2, 4, 5, 5]
    rows = play(env, [5, -1, 0, 5, 0, 0, 0])
    assert [int(row[1].market.account.position) for row in rows] == [0, 2, 1, 1, 3, 5, 6, 6]
    assert int(rows[-1][1].market.unfilled_lots) == 3, "of the first order, which the second replaced"
    short = environment(folder / "thin.npz", patience=1, snapshots=thin)
    rows = play(short, [5, 0, 0])
    assert [int(row[1].market.account.position) for row in rows] == [0, 2, 4, 4]
    assert int(rows[-1][1].market.unfilled_lots) == 1


def test_limits_hold_whatever_is_sent(folder):
    env = environment(folder / "flat.npz", flat(), position_limit_lots=7, capital_lots=20, leverage_limit=9.0)
    rows = play(env, [5, 5, 5, -5, -5, -5, -5, -5])
    assert [int(row[1].market.account.position) for row in rows] == [0, 5, 7, 7, 2, -3, -7, -7, -7]
    assert int(rows[3][-1]["clipped_lots"]) == 3 + 5
    env = environment(folder / "flat.npz", flat(), position_limit_lots=50, capital_lots=4, leverage_limit=1.5)
    position = [int(row[1].market.account.position) for row in play(env, [5, 5, -5, -5, -5])]
    assert position == [0, 5, 5, 0, -5, -5], "1.5 times the worth of just less than 4 lots is 5 lots"


def test_profit_is_the_sum_of_rewards_and_ruin_ends_an_episode(folder, trader):
    rows = play(trader, [5, -3, 0, 2, -5, -5, 4, 1], start=60)
    assert float(rows[-1][-1]["profit_bps"]) == pytest.approx(sum(float(row[2]) for row in rows[1:]), rel=1e-4)
    assert bool(rows[-1][4]) and not bool(rows[-1][3])
    crash = flat(bid=10_000, ask=10_001)
    crash.bids[3:, 0, 0], crash.asks[3:, 0, 0] = 5_000, 5_001
    env = environment(folder / "crash.npz", crash, capital_lots=1, leverage_limit=3.0, position_limit_lots=9)
    ends = [(bool(row[3]), bool(row[4])) for row in play(env, [3, 0, 0, 0])[1:]]
    assert ends[:2] == [(False, False)] * 2 and ends[2] == (True, False)


def test_benchmarks_are_what_the_pure_functions_say(trader):
    from lobjax.evaluation import Episodes
    from lobjax.results import compare
    from lobjax.tasks import strategies

    players = strategies(trader, trader.default_params)
    played = compare(trader, trader.default_params, players, Episodes(count=6, seed=0, starts=True))
    bids, asks, _ = day()
    for name, lots in (("buy_and_hold", 20), ("sell_and_hold", -20), ("do_nothing", 0)):
        for start in range(6):
            cash = int(20 * asks[start, 0, 0])
            values = hold_values(cash, bids, asks, start, lots, 3, 8, (40, 0))
            path = (values - values[0]) / values[0] * 1e4
            np.testing.assert_allclose(played.paths[name]["profit_bps"][start], path, rtol=1e-4, atol=1e-4)
    assert set(played.paths["buy_and_hold"]["inventory_lots"][:, -1]) == {20}
    assert (played.figures["do_nothing"]["held_share"] == 1).all()


def after_row(row: int) -> Snapshots:
    """Another day that is the same up to and with snapshot `row`."""
    bids, asks, time_ns = day()
    for side in (bids, asks):
        side[row + 1 :, :, 0] += 37
    return Snapshots(bids, asks, time_ns)


def test_nothing_but_hindsight_looks_ahead(folder, trader, seer):
    """Two days that part after snapshot 36: what is seen, held and paid on the plain reward is the same until then."""
    lots, start = [5, -2, 3, 0, -5, 1], 30
    for env, reward, differs in ((trader, "value", False), (seer, "hindsight", True)):
        other = environment(folder / f"{reward}.npz", after_row(36), fee_milliticks=40, reward=reward)
        params = env.default_params.replace(market=other.default_params.market)
        ours, theirs = play(env, lots, start), play(env, lots, start, params)
        for a, b in zip(ours, theirs, strict=True):
            np.testing.assert_array_equal(a[0], b[0])
            assert all(np.array_equal(a[-1][name], b[-1][name]) for name in a[-1] if name != "episode_return")
        assert (float(ours[1][2]) != float(theirs[1][2])) is differs


def test_hindsight_stays_within_the_training_hours(folder, seer):
    """The last snapshot that is read is the last of the hours; held-out prices after it change nothing."""
    parted = COUNT // 2
    rewards = []
    for snapshots in (day(), after_row(parted)):
        env = environment(folder / "hours.npz", snapshots, until="09:33:20", reward="hindsight", fee_milliticks=40)
        assert isinstance(env.default_params, EnvParams) and env.default_params.market.bids.shape[0] == parted + 1
        params = env.default_params
        rewards.append([float(row[2]) for row in play(seer, [5, -2, 3], parted - 9, params)[1:]])
    assert rewards[0] == rewards[1] and all(rewards[0])


@pytest.mark.parametrize(
    ("until", "task", "words"),
    [
        ("09:30:07", {}, "8 snapshots of 1 s .* an episode takes 9: "),
        ("09:30:20", {"reward": "hindsight"}, "21 snapshots .* an episode takes 9, and 16 of hindsight"),
        ("09:36:39", {"capital_lots": (1 << 20) - 1, "position_limit_lots": (1 << 20) - 1, "decisions": 390}, "2\\^46"),
    ],
)
def test_hours_that_are_too_short_and_accounts_too_large_are_refused(folder, until, task, words):
    rich = day()
    rich.bids[:, :, 0] += 1 << 20
    rich.asks[:, :, 0] += 1 << 20
    with pytest.raises(InputError, match=words):
        environment(folder / "short.npz", rich, until=until, **task)


def test_one_trace_serves_all_episodes(trader):
    reset, transition = programs(trader)
    play(trader, [1, 2, 3], start=0)
    traces = reset._cache_size(), transition._cache_size()
    play(trader, [-1, 0], start=50)
    assert (reset._cache_size(), transition._cache_size()) == traces
