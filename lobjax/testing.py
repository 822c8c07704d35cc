"""The contract as checks that anybody can run on their own: an environment, a task, a flow, an engine.

    lobjax.testing.check_environment(lobjax.make(config))

Each plays a little and raises AssertionError with one line that says what is broken. `jit` compiles (tests of integers may pass a quicker
one). What is compared is compared to the bit.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from lobjax import clock
from lobjax.book import listing
from lobjax.engine import run_streams
from lobjax.engine.random_streams import random_streams
from lobjax.env import Environment
from lobjax.env.messages import no_messages
from lobjax.errors import InputError
from lobjax.flow import Flow
from lobjax.market import Fees, Limits, Market, MarketParams, Orders
from lobjax.tasks import EnvConfig, TaskSpec, for_evaluation, make
from lobjax.tasks.strategies import strategies
from lobjax.wide import Wide, to_int

Jit = Callable[[Any], Any]
ENVS = 3  # that play side by side
_COUNTS = ("late", "dropped", "inexact", "displaced", "flow_displaced")  # that say a market is not the one asked for


def check_environment(env: Environment, *, steps: int | None = None, seed: int = 0, jit: Jit = jax.jit) -> None:
    """Shapes, types, spaces, ends, the last and the first observation, seeds, `vmap`, conservation and counters; `steps` None: one more
    than an episode has."""
    names, params = env.observation_names, env.default_params
    _that(len(set(names)) == len(names) == env.observation_size, "observation_names: one is given twice")
    _check_space(env, jax.random.key(seed))
    reset = jit(jax.vmap(env.reset, in_axes=(0, None)))
    step = jit(jax.vmap(env.step, in_axes=(0, 0, 0, None)))
    alone, move_alone = jit(env.reset), jit(env.transition)
    key_reset, key_steps, key_acts = jax.random.split(jax.random.key(seed), 3)
    keys = jax.random.split(key_reset, ENVS)
    observation, state = reset(keys, params)
    _same(reset(keys, params), (observation, state), "reset: the same keys give another episode")
    _observed(observation, env, "reset")
    first, own = alone(keys[0], params)
    _same(first, observation[0], "reset: alone it differs from side by side")
    played, earned = np.zeros(ENVS, np.int32), np.zeros(ENVS, np.float32)  # of each episode so far
    for t in range(env.decisions + 1 if steps is None else steps):
        keys = jax.random.split(jax.random.fold_in(key_steps, t), ENVS)
        action = jax.vmap(env.action_space.sample)(jax.random.split(jax.random.fold_in(key_acts, t), ENVS))
        before = state
        observation, state, reward, terminated, truncated, info = step(keys, before, action, params)
        if t == 0:
            again = step(keys, before, action, params)
            _same(again[0], observation, "step: the same key and state give another observation")
        where = f"step {t + 1}"
        _observed(observation, env, where)
        _that(reward.shape == (ENVS,) and reward.dtype == jnp.float32, f"{where}: rewards are not float32 [{ENVS}]")
        _that(bool(jnp.isfinite(reward).all()), f"{where}: a reward is not finite")
        for name, flag in (("terminated", terminated), ("truncated", truncated)):
            _that(flag.dtype == jnp.bool_ and flag.shape == (ENVS,), f"{where}: {name} is not bool [{ENVS}]")
        _that(not (terminated & truncated).any(), f"{where}: terminated and truncated at once")
        done, played, earned = np.asarray(terminated | truncated), played + 1, earned + np.asarray(reward)
        _same(info["episode_length"], played, f"{where}: episode_length does not count the episode's decisions")
        _same(info["episode_return"], earned, f"{where}: episode_return is not the sum of the episode's rewards")
        _that(bool(done[played == env.decisions].all()), f"{where}: an episode of {env.decisions} decisions goes on")
        played[done], earned[done] = 0, 0
        _check_ends(jax.vmap(jax.random.split)(keys)[:, 1], reset, params, done, observation, state, info, where)
        _check_info(env, info, where)
        _check_conservation(state, where)
        key_move, key_reset = jax.random.split(keys[0])
        last, own, *rest = move_alone(key_move, own, action[0], params)
        ours = info["final_observation"][0], reward[0], terminated[0], truncated[0]
        _same((last, *rest[:3]), ours, f"{where}: alone it differs from side by side, or is no transition")
        own = alone(key_reset, params)[1] if done[0] else own


def check_task(
    spec: TaskSpec, config: EnvConfig | None = None, *, steps: int | None = None, jit: Jit = jax.jit
) -> None:
    """An environment of the task (in `config`, by default its own default one), its metrics, strategies and words."""
    config = EnvConfig(task=spec.config()) if config is None else config
    _that(type(config.task) is spec.config, f"{spec.name}: the configuration is of {config.task.kind}")
    env = make(config)
    check_environment(env, steps=steps, jit=jit)
    _that(env.measures is spec.measures, f"{spec.name}: its environments have other measures")
    _that(type(for_evaluation(config).task) is spec.config, f"{spec.name}: for_evaluation gives another configuration")
    _, state = jax.eval_shape(env.reset, jax.random.key(0))
    action = env.action_space.sample(jax.random.key(0))
    wanted = jax.eval_shape(env.task.act, state.task, state.market, action, env.default_params.task)
    own = spec.strategies
    names = tuple(name for name in own.names if name not in own.profiled)  # those that nothing is measured for
    for name, rule in strategies(env, env.default_params, names).items():
        task, _ = jax.eval_shape(lambda s, rule=rule: rule.decide(env, s, env.default_params), state)
        _that(
            jax.tree.structure(task) == jax.tree.structure(wanted[0]), f"strategy {name}: returns no state of the task"
        )
    _that(all(metric.meaning for metric in spec.measures.metrics), f"{spec.name}: a metric has no meaning in words")


def check_flow(
    flow: Flow, params: Any, *, capacity: int = 64, messages: int = 64, seed: int = 0, jit: Jit = jax.jit
) -> None:
    """Types of what it writes, waits that are none, and its twins: the same markets on every engine that takes it."""
    key = jax.random.key(seed)
    opening = flow.open(key, params)
    _same(flow.open(key, params), opening, "open: the same key gives another opening")
    words = jax.random.bits(key, (flow.words,))
    state, message, wait = jit(flow.next)(opening.flow, opening.book, words, params)
    for name, value in (*message._asdict().items(), ("wait.s", wait.s), ("wait.ns", wait.ns)):
        _that(jnp.shape(value) == () and jnp.result_type(value) == jnp.int32, f"next: {name} is not one int32")
    _that(
        jax.tree.structure(state) == jax.tree.structure(opening.flow),
        "next: its state is of another form than at the opening",
    )
    _that(int(wait.s) >= 0 and 0 <= int(wait.ns) < clock.NS, "next: a wait that is no time")
    nothing = jnp.zeros((2,), jnp.int32)
    at_once, limits = clock.Time(nothing, nothing), Limits(nothing, nothing, nothing)
    numbers = MarketParams(params, Fees(nothing, nothing), at_once, at_once, limits)
    blank = Orders(no_messages(1), no_messages(1))
    market = Market(
        flow=flow, capacity=capacity, max_messages=messages + 1, queue_places=1, levels=2, step_messages=messages
    )
    found = {}
    for engine in ("xla", "host"):
        played = replace(market, engine=engine)
        try:
            played.runs_on  # noqa: B018 - raises where the engine does not take the flow
        except InputError:
            continue

        def play(key: jax.Array, played: Market = played) -> Any:
            return played.step(key, played.open(key, numbers), blank, clock.never(), numbers)

        found[engine] = jit(jax.vmap(play))(jax.random.split(key, ENVS))
        book = found[engine].book
        live = np.asarray(book.size) > 0
        _that(bool((np.asarray(book.price)[live] > 0).all()), f"{engine}: orders rest at prices of 0 or less")
        _that(not np.asarray(found[engine].late).any(), f"{engine}: {messages} messages do not come")
    if len(found) == 2:
        _same(
            _seen(found["host"]),
            _seen(found["xla"]),
            "the engine host plays another market than xla: the Numba twin differs",
        )


def check_engine(name: str, *, capacity: int = 16, books: int = 16, messages: int = 128, seed: int = 3) -> None:
    """An engine of streams against the reference. InputError where it cannot run here."""
    streams = random_streams(seed, books, messages)
    expected, found = (run_streams(streams, engine=each, capacity=capacity) for each in ("reference", name))
    for field, wanted, value in zip(expected._fields, expected, found, strict=True):
        _that(wanted.dtype == value.dtype, f"{name}: {field} is {value.dtype}, not {wanted.dtype}")
        _that(np.array_equal(wanted, value), f"{name}: {field} differs from the reference's")


def _seen(markets: Any) -> Any:
    """Of a batch of markets, all but the places in which nothing is."""
    books = jax.vmap(lambda book: jnp.stack(listing(book)))(markets.book)
    counts = markets.counters, markets.flow_counters, markets.late
    return books, markets.depth, markets.flow, markets.now, markets.due, markets.accounts, markets.tape, counts


def _check_space(env: Environment, key: jax.Array) -> None:
    space = env.action_space
    samples = jax.vmap(space.sample)(jax.random.split(key, 16))
    _that(bool(jax.vmap(space.contains)(samples).all()), "action_space: draws what it does not contain")
    idle = jax.nn.one_hot(env.idle, space.n) if hasattr(space, "n") else jnp.asarray(env.idle, jnp.int32)  # pyright: ignore
    _that(bool(space.contains(idle)), "idle: is no action")


def _observed(observation: jax.Array, env: Environment, where: str) -> None:
    wanted = (ENVS, env.observation_size)
    _that(observation.shape == wanted, f"{where}: observations are {observation.shape}, not {wanted}")
    _that(observation.dtype == jnp.float32, f"{where}: observations are {observation.dtype}, not float32")
    _that(bool(jnp.isfinite(observation).all()), f"{where}: an observation is not finite")


def _check_ends(
    keys: jax.Array, reset: Any, params: Any, done: np.ndarray, observation: Any, state: Any, info: Any, where: str
) -> None:
    """What is seen after a step is the last of its episode where that goes on; where it ended, a new episode's first, from `keys`."""
    last = np.asarray(info["final_observation"])
    _same(last[~done], np.asarray(observation)[~done], f"{where}: final_observation is not what was seen, with no end")
    _same(state.episode_length, np.where(done, 0, info["episode_length"]), f"{where}: the state counts other decisions")
    if done.any():
        fresh, begun = reset(keys, params)
        _same(np.asarray(observation)[done], np.asarray(fresh)[done], f"{where}: after an end nothing new begins")
        after, wanted = (jax.tree.map(lambda x: x[done], each) for each in (state, begun))
        _same(after, wanted, f"{where}: after an end the state is not that of a new episode")


def _check_info(env: Environment, info: dict[str, Any], where: str) -> None:
    for metric in env.measures.metrics:
        _that(metric.name in info, f"{where}: the metric {metric.name} is not in info")
        _that(bool(jnp.isfinite(info[metric.name]).all()), f"{where}: {metric.name} is not finite")
    for name in _COUNTS:
        if name in info:
            _that(
                int(np.sum(info[name])) == 0, f"{where}: {name} is not 0; the market is another than the one asked for"
            )


def _check_conservation(state: Any, where: str) -> None:
    """What one owner got another gave."""
    accounts = getattr(state.market, "accounts", None)
    if accounts is None:
        return
    _that(not np.asarray(accounts.lots).sum(axis=-1).any(), f"{where}: lots appear or vanish")
    cash = to_int(Wide(accounts.cash.high, accounts.cash.low))
    _that(not cash.sum(axis=-1).any(), f"{where}: cash appears or vanishes")


def _same(one: Any, other: Any, broken: str) -> None:
    ours, theirs = (jax.tree.leaves(jax.tree.map(_plain, each)) for each in (one, other))
    _that(len(ours) == len(theirs) and all(map(np.array_equal, ours, theirs)), broken)


def _plain(leaf: Any) -> np.ndarray:
    if isinstance(leaf, jax.Array) and jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key):
        leaf = jax.random.key_data(leaf)
    return np.asarray(leaf)


def _that(holds: bool, broken: str) -> None:
    if not holds:
        raise AssertionError(broken)
