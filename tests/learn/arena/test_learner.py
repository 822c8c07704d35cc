"""What an update changes, and what it must not learn from."""

from dataclasses import replace
from itertools import pairwise

import jax
import jax.numpy as jnp
import numpy as np

from lobjax.arena import make_arena
from lobjax.arena.events import ONE
from lobjax.learn import ppo
from lobjax.learn.arena import curriculum, learner, pool, rollout
from lobjax.learn.arena.casting import make_cast
from lobjax.learn.arena.state import Constants
from lobjax.nets.statistics import Statistics
from lobjax.settings import key_of
from tests.compiling import quick_jit
from tests.learn.arena.small import config, program_of, three_updates


def moved(before, after) -> float:
    pairs = zip(jax.tree.leaves(before), jax.tree.leaves(after), strict=True)
    return max(float(np.abs(np.asarray(x, np.float64) - np.asarray(y, np.float64)).max()) for x, y in pairs)


def test_every_group_that_learns_moves_and_pools_hold_what_it_was():
    _, states, reports = three_updates()
    agents = [state.shared.agents for state in states]
    assert set(agents[0]) == {"market_maker", "momentum"}, "the rival and execution have no parameters"
    for name in agents[0]:
        for before, after in pairwise(agents):
            assert moved(before[name].params, after[name].params) > 1e-5
        places = [state.shared.pools[name] for state in states]
        assert [x.added.tolist() for x in places] == [[0, -1, -1], [0, -1, -1], [0, 1, -1], [0, 1, -1]]
        first, second = (jax.tree.map(lambda x, p=p: x[p], places[3].params) for p in (0, 1))
        assert moved(first, agents[0][name].params) == 0 and moved(second, agents[2][name].params) == 0
    assert all(not report.broken for report in reports)


def test_past_selves_play_where_they_should():
    cast, states, _ = three_updates()
    index = jnp.arange(8)
    own = {name: np.asarray(cast.own(name, index))[:, 0] for name in cast.learners}
    assert own["market_maker"].sum() == own["momentum"].sum() == 6, "half of the environments, half of these each"
    assert not (~own["market_maker"] & ~own["momentum"]).any()
    assert own["market_maker"][1::2].all() and own["momentum"][1::2].all()
    drawn = states[3].local.drawn
    assert set(drawn) == {"market_maker", "momentum", "rival"}
    assert all(0 <= place <= 1 for places in drawn.values() for place in places.tolist()), "of what is in the pool"


def test_dead_and_idle_seats_and_those_of_past_selves_give_no_gradient():
    """Whatever is planted into their rows, and into what they are paid once they have ended, the parameters come out the same."""
    made = config()
    cast = make_cast(made, make_arena(made.arena))
    fns, constants = learner.make_learner(made, cast), Constants(cast.arena.default_params, {})
    state = quick_jit(fns.init)(key_of(5), constants)

    def play(state):
        return rollout.collect(made, cast, state.shared, constants, state.local, jnp.float32(0))[1]

    played = quick_jit(play)(state)
    name, one = "market_maker", played["market_maker"]
    loss = learner._over_seats(
        ppo.make_loss(cast.learners[name].algorithm, cast.brains[name].net, cast.brains[name].head)
    )

    def learn(one):
        carry, returned = state.local.carry[name], state.local.returned[name]
        return learner._learn(
            made, cast, name, loss, state.shared.agents[name], carry, one, returned, state.local.index, key_of(1), jnp.float32(0), None
        )[0]  # fmt: skip

    learn = quick_jit(learn)
    after = np.zeros(one.acts.shape, bool)
    after[2:, 0, 0] = True  # a seat that ends at the second decision, as if the venue had stopped it
    one = one._replace(
        terminated=one.terminated.at[1, 0, 0].set(True),
        acts=one.acts & ~after,
        reward=jnp.where(after, 0.0, one.reward),
    )
    masked = jnp.asarray(~np.asarray(one.acts & one.own))
    assert masked.any() and (~masked).any()
    plant = lambda x, here: jnp.where(here.reshape(*here.shape, *(1,) * (x.ndim - 3)), x + 7, x)  # noqa: E731
    raw = jnp.where(masked[..., None], 0, one.raw_action)
    planted = one._replace(
        observation=plant(one.observation, masked),
        raw_action=raw,
        log_prob=plant(one.log_prob, masked),
        reward=plant(one.reward, jnp.asarray(after)),
    )
    honest = learn(one)
    assert moved(honest.params, learn(planted).params) == 0
    taken = one._replace(reward=one.reward + jnp.where(masked, 0.0, jnp.arange(one.reward.shape[0])[:, None, None]))
    assert moved(honest.params, learn(taken).params) > 0, "and what counts does"


def test_a_market_maker_learns_the_one_offset_that_pays():
    """At the best price it is filled, and each lot made pays five ticks; at thirty ticks it never is, and no quote earns nothing."""
    arena = {
        "roles": {"market_maker": {"offsets_ticks": [0, 30], "sizes_lots": [2], "inventory_penalty": 0.0}},
        "venues": [{"maker_fee_milliticks": -5_000}],
        "decisions": 6, "step_s": 4.0, "capacity": 32, "levels": 2, "max_messages": 64,
    }  # fmt: skip
    made = config(
        arena=arena, learn=["market_maker"], plays={}, opponents=None, curriculum=None, n_envs=32, rollout_length=6, total_steps=192 * 60,
        net={"kind": "mlp", "hidden": [16]}, algorithm={"learning_rate": 2e-2, "epochs": 4, "minibatches": 2},
    )  # fmt: skip
    _, program = program_of(made)
    reports = [program.update() for _ in range(60)]
    for side in (0, 1):
        shares = [float(report.vectors[f"market_maker/action/histogram_{side}"][0]) for report in reports]
        assert shares[0] < 0.5 and np.mean(shares[-8:]) > 0.75, shares[::6]
    returns = [float(report.scalars["market_maker/episode/return"]) for report in reports]
    assert np.mean(returns[-8:]) > 2 * np.mean(returns[:4])


def test_a_pool_keeps_its_newest_and_draws_as_told():
    made = config().opponents
    agent = lambda x: jax.tree.map(lambda _: x, three_updates()[1][0].shared.agents["momentum"])  # noqa: E731
    one = pool.open_pool(agent(jnp.float32(0)), 3)
    for update in range(1, 11):
        one = pool.add(made, one, agent(jnp.float32(update)), jnp.float32(update / 10), jnp.int32(update))
    assert one.added.tolist() == [3, 4, 5], "at 6, 8 and 10"
    assert jax.tree.leaves(one.params)[0].tolist() == [6, 8, 10]
    one = one.replace(loss=jnp.asarray([0.0, 2.0, -1.0]))
    keys = jax.random.split(key_of(3), 4000)
    expected = {
        "uniform": [1 / 3] * 3,
        "recent": [1 / 7, 2 / 7, 4 / 7],
        "prioritised": np.exp([0, 2, -1]) / np.exp([0, 2, -1]).sum(),
    }
    for how, shares in expected.items():
        drawn = np.asarray(pool.draw(replace(made, draw=how), one, keys))
        np.testing.assert_allclose(np.bincount(drawn, minlength=3) / 4000, shares, atol=0.03)
    empty = one.replace(added=jnp.asarray([4, -1, 3]))
    assert 1 not in np.asarray(pool.draw(made, empty, keys)), "nothing is drawn from an empty place"


def test_losses_against_past_selves_are_in_deviations_below_the_mean():
    outcomes = Statistics(jnp.float32(50), jnp.float32(3.0), jnp.float32(4.0))
    np.testing.assert_allclose(pool.behind(outcomes, jnp.asarray([3.0, 1.0, 7.0, -1e6])), [0, 1, -2, 5], atol=1e-5)
    assert float(pool.behind(outcomes.replace(count=jnp.float32(0)), jnp.float32(9))) == 0
    values = np.random.default_rng(0).normal(2, 3, 400).astype(np.float32)
    known = Statistics(jnp.float32(0), jnp.float32(0), jnp.float32(1))
    for part in np.split(values, 4):
        known = pool.learn_outcomes(known, jnp.float32(100), part.sum(), (part**2).sum())
    np.testing.assert_allclose([known.mean, known.variance], [values.mean(), values.var()], rtol=1e-4)


def test_a_curriculum_goes_from_mild_to_what_is_configured():
    made = config()
    params = make_arena(made.arena).default_params
    at = lambda update: curriculum.at(made.curriculum, params, jnp.int32(update), 9).events  # noqa: E731
    first, middle, last = at(0), at(4), at(8)
    assert (
        int(first.start) == 0
        and abs(int(middle.start) / 2**32 - 0.2) < 1e-6
        and abs(int(last.start) / 2**32 - 0.4) < 1e-6
    )
    np.testing.assert_array_equal(last.intensity, params.events.intensity)
    np.testing.assert_array_equal(first.intensity, [[ONE, 1]] * 5)
    low, more = np.asarray(params.events.intensity, np.float64).T
    np.testing.assert_allclose(middle.intensity[:, 0], ONE + (low - ONE) / 2, atol=1)
    np.testing.assert_allclose(middle.intensity.sum(axis=1), ONE + (low + more - ONE) / 2, atol=2)
    assert bool(
        curriculum.at(replace(made.curriculum, start_probability=(1.0, 1.0)), params, jnp.int32(0), 9).events.certain
    )
