"""An environment on an order-by-order file: it resets, steps and ends as any other, and does not start in an auction."""

import jax
import numpy as np
import pytest

from lobjax.errors import InputError
from lobjax.tasks import EnvConfig, ExecutionConfig, MarketConfig, RecordedConfig, make
from tests.data.synthetic_mbo import SELL, Exchange, write_file


def _config(path, **flow):
    flow = {"from_time": "01:00", "until_time": "01:02", "start_every_s": 2.0, "levels": 3, **flow}
    return EnvConfig(
        task=ExecutionConfig(lots=4, decisions=3, step_s=5.0),
        flow=RecordedConfig(path=path, **flow),
        market=MarketConfig(capacity=64, max_messages=512),
    )


def _exchange():
    exchange = Exchange(11)
    exchange.snapshot(80)
    while exchange.now_ns < 3_660 * 10**9:
        exchange.event()
    return exchange


def test_episodes_on_a_file(tmp_path):
    env = make(_config(write_file(tmp_path / "day.dbn.zst", _exchange().records())))
    assert env.starts > 15

    @jax.jit
    def play(key):
        _, state = env.reset(key, env.default_params)

        def one(state, key):
            observation, state, *rest, info = env.step(key, state, env.action_space.sample(key), env.default_params)
            return state, (observation, *rest, info)

        return jax.lax.scan(one, state, jax.random.split(key, 7))[1]

    observation, _, terminated, _, info = play(jax.random.key(0))
    assert np.isfinite(observation).all() and terminated.tolist() == [False, False, True] * 2 + [False]
    assert not np.asarray(info["displaced"]).any() and not np.asarray(info["late"]).any()


def test_a_start_needs_a_bid_and_an_ask(tmp_path):
    exchange = _exchange()
    exchange.in_auction = True
    while exchange.now_ns < 3_680 * 10**9:
        exchange.event()
    exchange.auction(1)
    while exchange.now_ns < 3_720 * 10**9:
        exchange.event()
    path = write_file(tmp_path / "day.dbn.zst", exchange.records())
    starts = make(_config(path)).starts
    assert 30 < starts < 50  # of 53
    exchange.sides[SELL].clear()
    exchange.clear()
    exchange.snapshot(0)
    exchange.now_ns += 60 * 10**9
    exchange.clear()
    path = write_file(tmp_path / "day.dbn.zst", exchange.records())
    with pytest.raises(InputError, match="starts has a bid and an ask"):
        make(_config(path, from_time="01:02:10", until_time="01:03"))
