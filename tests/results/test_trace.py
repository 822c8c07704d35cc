"""An episode in detail is the episode that was played."""

import numpy as np
import pytest

from lobjax.env.base import AGENT
from lobjax.evaluation import Episodes, play_episodes
from lobjax.tasks import strategies
from lobjax.trace import trace_episode
from tests.env.environments import TASKS, simulated
from tests.results.recorded import recorded_environment

EPISODES = Episodes(count=4, seed=9, batch=4)


def check(env, episodes, player, index, samples):
    """Trace one episode and hold it against the evaluation's figures."""
    final = play_episodes(env, env.default_params, player, episodes)
    infos, trace = trace_episode(env, env.default_params, player, episodes, index, samples)
    for name in infos:
        np.testing.assert_array_equal(infos[name][-1], final[name][index], err_msg=name)
    return infos, trace


@pytest.mark.parametrize("task", TASKS)
def test_one_look_a_decision_is_the_evaluated_episode(task):
    env = simulated(task)
    players = strategies(env, env.default_params, ("twap",) if task == "execution" else None)
    infos, trace = check(env, EPISODES, next(iter(players.values())), 2, samples=1)
    assert len(trace.time_s) == len(infos["episode_return"]) + 1 and trace.decision[:-1].all()
    gross = trace.maker_lots[-1] + trace.taker_lots[-1]
    assert gross >= abs(trace.lots[-1]) and (trace.size_lots >= 0).all()


@pytest.mark.parametrize("name", ["twap", "submit_and_leave"])
def test_more_samples_leave_a_recorded_episode_as_it_was(name):
    """A record draws nothing, so what is seen between decisions must not change what happens."""
    env = recorded_environment()
    episodes = Episodes(count=env.starts, seed=0, starts=True)
    player = strategies(env, env.default_params, (name,))[name]
    infos, trace = check(env, episodes, player, 1, samples=5)
    assert len(trace.time_s) == 5 * len(infos["shortfall_ticks"]) + 1
    np.testing.assert_allclose(np.diff(trace.time_s), 0.4, atol=1e-6)
    assert trace.decision[:-1:5].all() and trace.decision.sum() == len(infos["shortfall_ticks"])
    own = (trace.owner == AGENT) & (trace.size_lots > 0)
    assert own.any()
    fetched = (trace.cash_ticks[-1] - trace.cash_ticks[0]) / 12
    mid = (trace.price_ticks[0, 0].max() + trace.price_ticks[0, 1][trace.size_lots[0, 1] > 0].min()) / 2
    np.testing.assert_allclose(mid - fetched, infos["shortfall_ticks"][-1], atol=1e-4)
