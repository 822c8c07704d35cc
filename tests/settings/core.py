"""A little of all that lobjax computes, as digests: what must come out alike whatever JAX's settings are.

`python -m tests.settings.core PART...` prints a line of JSON: {name: digest}. Settings come from the environment (`JAX_ENABLE_X64=1`).
Digests are over bytes and types: a number that is equal but wider is another.
"""

import contextlib
import hashlib
import json
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from lobjax.engine import run_streams
from lobjax.engine.random_streams import random_streams
from lobjax.evaluation import Episodes, Evaluator
from lobjax.flow import MixedConfig, PoissonConfig, StrategicConfig, TacticalConfig
from lobjax.learn.algorithm import PPOConfig
from lobjax.learn.config import TrainConfig
from lobjax.learn.learner import make_learner
from lobjax.nets import (
    DirichletConfig,
    GRUConfig,
    LogisticNormalConfig,
    MLPConfig,
    SoftmaxNormalConfig,
    TransformerConfig,
    make_net,
)
from lobjax.nets.statistics import unit_statistics
from lobjax.policy import LoadedPolicy, PolicyConfig, make_head
from lobjax.settings import key_of, own_settings
from lobjax.strategies.measure import measure_mids
from lobjax.strategies.schedules import volume_profile
from lobjax.tasks import EnvConfig, ExecutionConfig, MakingConfig, MarketConfig, RecordedConfig, make, strategies
from lobjax.trace import trace_episode
from tests.compiling import quick_jit
from tests.data.synthetic_lobster import make_rows, write_pair
from tests.snapshot.days import day, environment

ENVS, STEPS = 2, 3
Digests = Iterator[tuple[str, Any]]

POISSON = PoissonConfig(warm_up_s=0.0)
TRADERS = replace(POISSON, tactical=TacticalConfig(levels=8), strategic=StrategicConfig())
MAKING = MakingConfig(decisions=3, step_s=5.0, quote_lots=3, inventory_limit_lots=6)
EXECUTION = ExecutionConfig(lots=12, decisions=3, step_s=5.0)
PAPER = replace(EXECUTION, observation="paper")
# Of each flow and task one on each engine; the paper's observation looks back, so it comes with a warm-up.
CASES = {
    "making": (MAKING, replace(POISSON, warm_up_s=7.0)),
    "execution": (EXECUTION, TRADERS),
    "paper": (PAPER, replace(POISSON, warm_up_s=3.0)),
    "mixed": (MAKING, MixedConfig(flows=(POISSON, TRADERS))),
    "counted": (replace(EXECUTION, step_messages=6, side="buy", reference="same"), POISSON),
}


def digest(tree: Any, kind: str) -> str:
    """Of all leaves that are floats, or of all others: types, shapes and bytes; keys as their words."""
    found = hashlib.sha256()
    for leaf in jax.tree.leaves(tree):
        is_key = isinstance(leaf, jax.Array) and jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key)
        array = np.asarray(jax.random.key_data(leaf) if is_key else leaf)
        if (array.dtype.kind in "fV") != (kind == "floats"):  # V: bfloat16
            continue
        found.update(f"{array.dtype}{array.shape}".encode() + np.ascontiguousarray(array).tobytes())
    return found.hexdigest()[:20]


def jit(function: Callable) -> Callable:
    """Compiled, where compiling is not what is switched off."""
    return function if jax.config.jax_disable_jit else quick_jit(function)  # pyright: ignore[reportAttributeAccessIssue]


@contextlib.contextmanager
def keys(seed: int, count: int) -> Iterator[jax.Array]:
    """Keys of the test's own, drawn as the library draws."""
    with own_settings():
        drawn = jax.random.split(key_of(seed), count)
    yield drawn


def episode(env: Any, envs: int = ENVS) -> Any:
    """What a few environments show: start, steps, and the market that they end with (its listed book, whatever the engine)."""

    def play(keys: jax.Array, params: Any) -> Any:
        opening = jax.vmap(lambda k: jax.random.fold_in(k, 0))(keys)
        observation, state = jax.vmap(env.reset, in_axes=(0, None))(opening, params)

        def one(state: Any, t: jax.Array) -> Any:
            own, acts = (jax.vmap(lambda k, n=n: jax.random.fold_in(jax.random.fold_in(k, n), t))(keys) for n in (1, 2))
            action = jax.vmap(env.action_space.sample)(acts)
            _, state, *seen = jax.vmap(env.transition, in_axes=(0, 0, 0, None))(own, state, action, params)
            return state, seen

        state, seen = jax.lax.scan(one, state, jnp.arange(STEPS, dtype=jnp.int32))
        return observation, seen, state.market if hasattr(state.market, "value") else state.market.replace(book=None)

    with keys(1, envs) as drawn:
        return jit(play)(drawn, env.default_params)


def simulated(name: str, engine: str) -> Any:
    task, flow = CASES[name]
    return make(EnvConfig(task=task, flow=flow, market=MarketConfig(capacity=64, max_messages=48, engine=engine)))  # type: ignore[arg-type]


def on_engine(engine: str, *names: str) -> Digests:
    for name in names:
        yield f"{engine}: {name}", episode(simulated(name, engine))


def as_users_make_it(tree: Any) -> Any:
    """Numbers whose types nobody stated: of 64 bits, where JAX has such."""

    def one(leaf: jax.Array) -> jax.Array:
        kind = leaf.dtype.kind
        return jax.device_put(np.asarray(leaf).astype({"i": np.int64, "f": np.float64}.get(kind, leaf.dtype)))

    return jax.tree.map(one, tree)


def step_and_begin_again() -> Digests:
    """`step`, which begins new episodes, and the spaces; with numbers and an action of no stated type."""
    env = simulated("paper", "host")
    with keys(2, 3) as drawn, own_settings():
        one, two, three = drawn
    params = as_users_make_it(env.default_params)
    _, state = jit(env.reset)(one, params)
    action = as_users_make_it(jit(env.action_space.sample)(three))
    yield "step", jit(env.step)(two, state, action, params)[:5]


def recorded() -> Digests:
    with tempfile.TemporaryDirectory() as folder:
        path = write_pair(Path(folder), *make_rows(5, 800, 3))
        config = RecordedConfig(path=path, from_time="09:30", until_time="16:00", start_every_s=1.0)
        env = make(EnvConfig(task=replace(EXECUTION, step_s=0.5), flow=config, market=MarketConfig(max_messages=512)))
        yield "recorded", episode(env)


def snapshots() -> Digests:
    with tempfile.TemporaryDirectory() as folder:
        for reward in ("value", "hindsight"):
            path = Path(folder) / f"{reward}.npz"
            env = environment(path, day(60), until="09:30:59", fee_milliticks=30, reward=reward, horizon=4, fee_bps=1)
            yield f"snapshots {reward}", episode(env)


def streams(*engines: str) -> Digests:
    for engine in engines:
        yield f"streams {engine}", run_streams(random_streams(5, 4, 40), engine=engine, capacity=16)


def policies() -> Digests:
    """Agents with each network and each head act, drawn and by the mode."""
    nets = {
        "mlp": MLPConfig(hidden=(8,)),
        "gru": GRUConfig(width=8),
        "transformer": TransformerConfig(layers=1, width=8, heads=2, window=3),
        "bfloat16": TransformerConfig(layers=1, width=8, heads=2, window=3, precision="bfloat16"),
    }
    heads = (LogisticNormalConfig(std="learned"), DirichletConfig(), SoftmaxNormalConfig())
    cases = [("execution", nets["mlp"], head) for head in heads]
    cases += [("execution", net, None) for net in nets.values()] + [("making", nets["mlp"], None)]
    for number, (task, net_config, head_config) in enumerate(cases):
        env = simulated(task, "host")
        head = make_head(env.action_space, head_config)
        net = make_net(net_config, env.observation_size, head)
        config = PolicyConfig(
            task=env.name, actions=env.actions, observation_size=env.observation_size, space=env.action_space,
            net=net_config, head=head_config, progress=0.5,
        )  # fmt: skip

        def act(key: jax.Array, observation: jax.Array, config=config, net=net, head=head) -> Any:
            with own_settings():
                own, *draws = jax.random.split(key, 3)
            params = {"net": net.init(own), "head": head.init()}
            seen = []
            for deterministic, draw in zip((True, False), draws, strict=True):
                policy = LoadedPolicy(config, params, unit_statistics(config.observation_size), deterministic)
                seen.append(policy.act(draw, policy.initial_carry(ENVS), observation, jnp.zeros(ENVS, bool)))
            return params, seen

        with keys(3, 1) as drawn, own_settings():
            observation = jnp.linspace(-1, 1, ENVS * env.observation_size, dtype=jnp.float32).reshape(ENVS, -1)
            key = drawn[0]
        yield f"policy {number} {task} {net_config.kind} {type(head).__name__}", jit(act)(key, observation)


def updates(*names: str, engine: str = "host") -> Digests:
    """One update of PPO: the state and the metrics."""
    nets = {"making": MLPConfig(hidden=(8,)), "execution": GRUConfig(width=8)}
    for name in names:
        env, algorithm = simulated(name, engine), PPOConfig(minibatches=2, epochs=2, target_kl=1.0, value_clip=1.0)
        config = TrainConfig(
            env=None, net=nets[name], n_envs=4, rollout_length=4, total_steps=32, algorithm=algorithm, normalise_rewards=True
        )  # fmt: skip
        head = make_head(env.action_space, config.head)
        learner = make_learner(config, env, make_net(config.net, env.observation_size, head), head)

        def update(key: jax.Array, params: Any, learner=learner) -> Any:
            return learner.make_update(None)(learner.init(key, params), params)

        with keys(4, 1) as drawn, own_settings():
            key = drawn[0]
        yield f"update {engine} {name}", jit(update)(key, env.default_params)


def measured() -> Digests:
    """What strategies measure in a market before they play."""
    with keys(5, 4) as drawn:
        env = simulated("making", "host")
        yield "mids", [np.float64(x) for x in measure_mids(env, env.default_params, drawn)]
    with keys(5, 4) as drawn:  # drawn anew: JAX's check counts a key that went to two calls as used twice
        env = simulated("execution", "host")
        yield "profile", volume_profile(env, env.default_params, drawn)


def evaluations() -> Digests:
    """Strategies over the same episodes, and one episode looked at."""
    for name, strategy in (("execution", "twap"), ("making", "symmetric")):
        env = simulated(name, "host")
        players = strategies(env, env.default_params, (strategy,))
        episodes = Episodes(count=3, seed=2**31 + 7)
        player = next(iter(players.values()))
        yield f"evaluation {name}", Evaluator(env, env.default_params, episodes).play(player).final
        yield f"trace {name}", trace_episode(env, env.default_params, player, episodes, 1, samples=2)


PARTS: dict[str, Callable[[], Digests]] = {
    "host": lambda: on_engine("host", *CASES),
    "host short": lambda: on_engine("host", "execution"),
    "xla": lambda: on_engine("xla", "making", "execution"),
    "xla short": lambda: on_engine("xla", "making"),
    "kernel": lambda: on_engine("kernel", "making"),
    "step": step_and_begin_again,
    "recorded": recorded,
    "snapshots": snapshots,
    "streams": lambda: streams("host", "xla"),
    "streams kernel": lambda: streams("kernel"),
    "policies": policies,
    "updates": lambda: updates("making", "execution"),
    "update": lambda: updates("making"),
    "update xla": lambda: updates("making", engine="xla"),
    "measured": measured,
    "evaluations": evaluations,
}


def main(parts: list[str]) -> None:
    """Print the digests of these parts."""
    found = {}
    for part in parts:
        for name, value in PARTS[part]():
            found |= {f"{name} ({kind})": digest(value, kind) for kind in ("integers", "floats")}
    print(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1:])
