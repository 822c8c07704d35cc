"""An arena through the contracts of JaxMARL, PettingZoo and RLlib is the arena itself."""

import warnings
from itertools import pairwise

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lobjax.arena import make_arena
from lobjax.arena.jaxmarl import ArenaMARL, Box, Discrete
from lobjax.errors import InputError
from tests.arena.small import config
from tests.compiling import quick_jit

ROLES = {
    "market_maker": {"seats": 2, "capital": 20_000},
    "momentum": {"seats": 1, "every": 2, "capital": 1_100, "risk_tolerance": 0.002},
    "execution": {"seats": 1, "lots": 6},
}
AGENTS = ["market_maker_0", "market_maker_1", "momentum_0", "execution_0"]


@pytest.fixture(scope="module")
def arena():
    return make_arena(config(roles=ROLES, venues=[{"informed_per_tick_s": 0.3}], decisions=6))


@pytest.fixture(scope="module")
def marl(arena):
    return ArenaMARL(arena)


@pytest.fixture(scope="module")
def programs(marl):
    return quick_jit(marl.reset), quick_jit(marl.step), quick_jit(marl.get_avail_actions)


def drawn(marl, key):
    return {name: marl.action_space(name).sample(jax.random.fold_in(key, at)) for at, name in enumerate(marl.agents)}


def test_jaxmarl_speaks_of_agents_by_name(marl, programs, arena):
    assert marl.agents == AGENTS and marl.num_agents == 4
    assert marl.agent_classes["market_maker"] == AGENTS[:2]
    observations, _ = programs[0](jax.random.key(0))
    assert set(observations) == set(AGENTS)
    for name in AGENTS:
        assert observations[name].shape == marl.observation_space(name).shape
    assert marl.action_space("market_maker_0") == Discrete(6 * 6 * 2)
    assert marl.action_space("execution_0") == Box(0.0, 1.0, (5,))
    inner, _ = arena.reset(jax.random.key(0))
    np.testing.assert_allclose(observations["market_maker_1"], inner["market_maker"][1], rtol=1e-6)


def test_jaxmarl_steps_are_the_arenas_and_a_new_episode_begins_after_the_last(marl, programs, arena):
    reset, step, _ = programs
    _, state = reset(jax.random.key(0))
    transition = quick_jit(arena.transition)
    for t in range(6):
        actions = drawn(marl, jax.random.key(10 + t))
        key = jax.random.key(t)
        decided = {
            "market_maker": jnp.stack(
                [jnp.asarray(np.unravel_index(int(actions[name]), (6, 6, 2)), jnp.int32) for name in AGENTS[:2]]
            ),
            "momentum": jnp.asarray([np.unravel_index(int(actions["momentum_0"]), _nvec(arena))], jnp.int32),
            "execution": (actions["execution_0"] / actions["execution_0"].sum())[None],
        }
        expected = transition(jax.random.split(key)[0], state, decided)
        observations, state, rewards, dones, infos = step(key, state, actions)
        for at, name in enumerate(AGENTS[:2]):
            np.testing.assert_allclose(rewards[name], expected[2]["market_maker"][at], rtol=1e-6)
            np.testing.assert_allclose(
                infos["final_observation"][name], expected[0]["market_maker"][at], rtol=1e-5, atol=1e-6
            )
            assert bool(infos["terminated"][name]) == (t == 5) and not infos["truncated"][name]
        assert bool(dones["__all__"]) == (t == 5) and set(dones) == {*AGENTS, "__all__"}
    assert int(state.step) == 0 and dones["market_maker_0"]
    assert not np.array_equal(observations["market_maker_0"], infos["final_observation"]["market_maker_0"])


def _nvec(arena):
    return arena.groups[1].role.action_space.nvec


def test_jaxmarl_begins_where_it_is_told_and_is_vmapped(marl, programs):
    keys = jax.random.split(jax.random.key(2), 3)
    _, state = programs[0](jax.random.key(2))
    observed, start = programs[0](jax.random.key(5))
    last = jax.tree.map(lambda x: jnp.stack([x] * 3), state.replace(step=state.step + 5))
    actions = jax.vmap(lambda key: drawn(marl, key))(keys)
    step = quick_jit(jax.vmap(marl.step, in_axes=(0, 0, 0, None)))
    observations, after, _, dones, _ = step(keys, last, actions, start)
    assert dones["__all__"].all()
    for one, other in zip(jax.tree.leaves(after), jax.tree.leaves(start), strict=True):
        np.testing.assert_array_equal(one, jnp.broadcast_to(other, one.shape))
    np.testing.assert_allclose(observations["momentum_0"][0], observed["momentum_0"], rtol=1e-6)


def test_available_actions_are_those_of_the_role_or_the_one_that_does_nothing(marl, programs, arena):
    reset, step, available = programs
    _, state = reset(jax.random.key(0))
    first = available(state)
    for name in AGENTS:
        assert first[name].shape == ((marl.action_space(name).n,) if name != "execution_0" else (5,))
    assert first["market_maker_0"].all() and first["momentum_0"].sum() > 1
    state = step(jax.random.key(0), state, drawn(marl, jax.random.key(1)))[1]
    waits = np.flatnonzero(available(state)["momentum_0"])  # its clock is every second decision
    assert waits.tolist() == [np.ravel_multi_index(arena.groups[1].role.idle, _nvec(arena))]


def test_an_action_space_of_jaxmarl_contains_what_it_draws(marl):
    for at, name in enumerate(AGENTS):
        space = marl.action_space(name)
        assert bool(space.contains(space.sample(jax.random.key(at))))
        assert not bool(space.contains(jnp.full(space.shape, 1e6, space.dtype)))


@pytest.fixture(scope="module")
def parallel(arena):
    pytest.importorskip("pettingzoo")
    from lobjax.arena.pettingzoo import ArenaParallelEnv

    return ArenaParallelEnv(arena)


def test_pettingzoos_own_test_passes(parallel):
    from pettingzoo.test import parallel_api_test

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        parallel_api_test(parallel, num_cycles=60)


def episode(env, seed):
    observations, _ = env.reset(seed=seed)
    rows, cycles = [observations], 0
    for name in env.possible_agents:
        env.action_space(name).seed(1)
    while env.agents:
        actions = {name: env.action_space(name).sample() for name in env.possible_agents}
        rows.append(env.step({name: actions[name] for name in env.agents}))
        cycles += 1
    return rows, cycles


def test_pettingzoo_episodes_end_agent_by_agent_and_a_seed_gives_them_again(parallel):
    (one, cycles), (other, _) = episode(parallel, 7), episode(parallel, 7)
    assert cycles == 6
    jax.tree.map(np.testing.assert_array_equal, one, other)
    (third, _) = episode(parallel, 8)
    assert not all(np.array_equal(third[1][0][name], one[1][0][name]) for name in third[1][0])
    told = [set(row[0]) for row in one[1:]]
    assert all(later <= earlier for earlier, later in pairwise(told))
    ends = [name for row in one[1:] for name in row[2] if row[2][name] or row[3][name]]
    assert sorted(ends) == sorted(AGENTS)  # each is told once that it ended
    assert one[-1][4]["market_maker_0"]["messages"] > 0 and one[-1][4]["market_maker_0"]["action_mask"].shape == (14,)


def test_pettingzoo_refuses_what_is_no_action_and_what_is_no_agent(parallel):
    parallel.reset(seed=0)
    good = {name: parallel.action_space(name).sample() for name in parallel.agents}
    for wrong, said in [
        ({k: v for k, v in good.items() if k != "momentum_0"}, "no action of 'momentum_0'"),
        (good | {"market_maker_0": [99, 0, 0]}, "the action of 'market_maker_0' is not in"),
        (good | {"execution_0": [np.nan, 0, 0, 0, 0]}, "the action of 'execution_0' is not in"),
    ]:
        with pytest.raises(InputError, match=said):
            parallel.step(wrong)
    with pytest.raises(InputError, match="no agent 'momentum_1'; did you mean 'momentum_0'"):
        parallel.action_space("momentum_1")
    parallel.close()
    with pytest.raises(InputError, match=r"call reset\(\)"):
        parallel.step(good)


def test_rllib_is_told_the_same_by_name_and_when_all_is_over(arena):
    pytest.importorskip("ray.rllib")
    from lobjax.arena.rllib import ArenaRLlibEnv

    env = ArenaRLlibEnv({"config": arena})
    _, _ = env.reset(seed=7)
    for name in AGENTS:
        env.action_spaces[name].seed(1)
    for t in range(6):
        observations, rewards, ends, cut, _ = env.step({n: env.action_spaces[n].sample() for n in env.agents})
        assert ends["__all__"] is (t == 5) and cut["__all__"] is False and set(rewards) == set(observations)
    assert env.group_of("market_maker_1") == "market_maker" and env.groups == list(ROLES)
    with pytest.raises(InputError, match="no 'config'"):
        ArenaRLlibEnv({})


@pytest.mark.slow
def test_ppo_of_rllib_trains_policies_that_seats_share():
    pytest.importorskip("ray.rllib")
    import ray
    from ray.rllib.algorithms.ppo import PPOConfig

    from lobjax.arena.rllib import ArenaRLlibEnv

    small = {
        "roles": {"market_maker": 2, "momentum": {"seats": 1, "lookback": 2}}, "venues": [{"informed_per_tick_s": 0.3}],
        "decisions": 8, "capacity": 32, "levels": 2, "max_messages": 96,
    }  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ray.init(num_cpus=1, include_dashboard=False, configure_logging=False, log_to_driver=False)
        asked = (
            PPOConfig()
            .environment(ArenaRLlibEnv, env_config={"config": small})
            .env_runners(num_env_runners=0, rollout_fragment_length=8)
            .multi_agent(policies={"market_maker", "momentum"}, policy_mapping_fn=ArenaRLlibEnv.group_of)
            .training(train_batch_size=64, minibatch_size=32, num_epochs=1)
        )
        algorithm = asked.build_algo()
        try:
            told = [algorithm.train()["env_runners"] for _ in range(2)]
        finally:
            algorithm.stop()
            ray.shutdown()
    assert [one["num_env_steps_sampled_lifetime"] for one in told] == [64, 128]
    assert set(told[-1]["module_episode_returns_mean"]) == {"market_maker", "momentum"}
