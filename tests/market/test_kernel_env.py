"""An environment on the engine `kernel`, in Pallas' interpreter: the trajectory of the other engines, and its views of a flat book."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lobjax.engine.kernel.book import FlatBook
from lobjax.env import views
from lobjax.flow import PoissonConfig
from lobjax.tasks import EnvConfig, MakingConfig, MarketConfig, make
from lobjax.types import Side
from tests.compiling import quick_jit
from tests.env.environments import trajectory

TASK = MakingConfig(decisions=3, step_s=2.0, quote_lots=3, inventory_limit_lots=6)


@pytest.fixture(scope="module")
def played():
    """States and trajectories of the engines kernel and auto: two episodes in each of three environments."""
    done = []
    for engine in ("kernel", "auto"):
        market = MarketConfig(capacity=32, max_messages=32, queue_places=16, order_delay_ns=300_000_000, engine=engine)
        flow = PoissonConfig(warm_up_s=0.0, opening_lots=(4, 11, 16, 19))
        done.append(trajectory(make(EnvConfig(task=TASK, flow=flow, market=market)), 3, 5, jit=quick_jit))
    return done


def test_a_vmapped_environment_plays_the_same_episodes(played):
    (state, rows), (_, expected) = played
    assert isinstance(state.market.book, FlatBook)
    for (path, one), other in zip(jax.tree_util.tree_leaves_with_path(rows), jax.tree.leaves(expected), strict=True):
        np.testing.assert_array_equal(one, other, err_msg=jax.tree_util.keystr(path))
    assert rows[3][2].all(), "no episode ended"


def test_what_an_environment_looks_at_is_the_same(played):
    def seen(market):
        prices = jnp.arange(990, 1010)
        return (
            views.market_features(market, jnp.float32(0.2)),
            views.best_of_others(market, 1),
            [views.resting_lots(market, jnp.int32(side), 1) for side in Side],
            [views.queue_ahead(market, jnp.int32(side), prices, owner) for side in Side for owner in (0, 1, -1)],
        )

    flat, ordered = (quick_jit(jax.vmap(seen))(state.market) for state, _ in played)
    assert jax.tree.all(jax.tree.map(np.array_equal, flat, ordered))
    assert max(int(ahead.sum()) for ahead in ordered[3]) > 0
