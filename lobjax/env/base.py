"""The environment: a market and a task behind gymnax 1.0's contract. Written for one; `vmap` it.

    obs, state = env.reset(key, params)
    obs, state, reward, terminated, truncated, info = env.step(key, state, action, params)

`step` begins a new episode when one ends and keeps the last observation in `info["final_observation"]`; `transition` is the same without
the new episode (cheaper: no warm-up is simulated), for callers that reset by themselves. `info` holds the task's metrics, which
are those of the whole episode where `terminated | truncated`, and the market's counters.
"""

from dataclasses import dataclass, replace
from typing import Any, Protocol, cast

import chex
import flax.struct
import jax
import jax.numpy as jnp

from lobjax import clock
from lobjax.clock import Time
from lobjax.engine import Choice
from lobjax.env.measures import AGENT, RETURNS, Measures
from lobjax.env.spaces import Box, MultiDiscrete, Simplex, as_action
from lobjax.env.unattended import unattended
from lobjax.market import Market
from lobjax.settings import drawing, key_of, narrowed, settled, split_to_scan

__all__ = ["AGENT", "EnvParams", "EnvState", "Environment", "Step", "Task", "Venue", "market_counts"]

Step = tuple[jax.Array, "EnvState", jax.Array, jax.Array, jax.Array, dict[str, jax.Array]]


class Venue(Protocol):
    """What trades in an environment: `lobjax.market.Market`, or a market of another kind with states and parameters of its own.

    A state has `now`, the time, and `counts()`, what was counted since its opening, int32 each.
    """

    @property
    def step_messages(self) -> int:
        """Messages of the flow after which a step ends; 0: it ends by the clock."""
        ...

    @property
    def runs_on(self) -> Choice:
        """The engine that `step` uses here, and why."""
        ...

    def open(self, key: jax.Array, params: Any, start: jax.Array | None = None) -> Any:
        """A state at an opening that is drawn, or at the one numbered `start`."""
        ...

    def step(self, key: jax.Array, state: Any, orders: Any, until: Time, params: Any) -> Any:
        """What was sent, and all that happens before `until`."""
        ...


class Task(Protocol):
    """A role in a market. Static: sizes; every number is in `params`, a pytree. All methods are pure and for one environment.

    `market` is the state of the environment's market: a `MarketState` where messages are matched, and what is sent are `Orders`.
    """

    @property
    def name(self) -> str:
        """As the `kind` of its configuration."""
        ...

    @property
    def action_space(self) -> Simplex | MultiDiscrete | Box: ...

    @property
    def idle(self) -> int | tuple[int, ...]:
        """What does nothing: the part of the simplex that waits, or the choice in every dimension."""
        ...

    @property
    def observation_names(self) -> tuple[str, ...]:
        """One name for each of the D entries of an observation."""
        ...

    def begin(self, market: Any, params: Any) -> Any:
        """The task's state at the start of an episode."""
        ...

    def act(self, state: Any, market: Any, action: jax.Array, params: Any) -> tuple[Any, Any]:
        """Decode an action into messages: arrays of fixed shapes, of which zeros send nothing."""
        ...

    def judge(
        self, state: Any, before: Any, after: Any, params: Any
    ) -> tuple[Any, jax.Array, jax.Array, jax.Array, dict[str, jax.Array]]:
        """Look back on a step: (state, reward, terminated, truncated, metrics so far)."""
        ...

    def observe(self, state: Any, market: Any, params: Any) -> jax.Array:
        """float32 `[D]`."""
        ...


class EnvParams(flax.struct.PyTreeNode):
    """Every number of an environment; leaves may be swept with `vmap`."""

    market: Any  # `MarketParams` in a market of messages
    task: Any
    step_time: Time  # between decisions; where steps are counted in messages, more than any lasts
    warm_up: Time  # length of each of the steps [warm_up_steps] that are simulated before the first decision


class EnvState(flax.struct.PyTreeNode):
    """Everything that moves in an environment."""

    market: Any  # `MarketState` in a market of messages
    task: Any
    episode_return: jax.Array  # float32
    episode_length: jax.Array  # int32, steps


@dataclass(frozen=True, kw_only=True, eq=False)
class Environment:
    """A market and a task."""

    market: Venue
    task: Task
    default_params: EnvParams
    decisions: int  # the most that an episode has
    actions: str  # what actions mean here, in words: an agent is for one meaning
    starts: int = 0  # numbered starts of a recorded flow; 0 for a simulated one
    warm_up_steps: int = 0  # steps that the warm-up is simulated in
    measures: Measures = RETURNS  # what players are compared by in it

    @property
    def name(self) -> str:
        """The task's name; an agent is for one task."""
        return self.task.name

    @property
    def engine(self) -> Choice:
        """The engine that runs the market here, and why."""
        return self.market.runs_on

    @property
    def action_space(self) -> Simplex | MultiDiscrete | Box:
        """What `step` accepts."""
        return self.task.action_space

    @property
    def idle(self) -> int | tuple[int, ...]:
        """The action that does nothing, see `Task`."""
        return self.task.idle

    @property
    def observation_names(self) -> tuple[str, ...]:
        """What each entry of an observation is."""
        return self.task.observation_names

    @property
    def observation_size(self) -> int:
        """D."""
        return len(self.observation_names)

    @drawing
    def reset(
        self, key: jax.Array, params: EnvParams | None = None, start: jax.Array | None = None
    ) -> tuple[jax.Array, EnvState]:
        """A new episode: float32 `[D]` and the state. `params` None: the default ones. `start`: a numbered start of a recorded flow."""
        params = self._numbers(params)
        if start is not None:
            chex.assert_shape(start, ())
            chex.assert_type(start, int)
        key_open, key_warm_up = jax.random.split(key)
        market = self.market.open(key_open, params.market, start)
        state = self._opened(self._warm_up(key_warm_up, market, params), params)
        return self.task.observe(state.task, state.market, params.task), state

    @drawing
    def transition(self, key: jax.Array, state: EnvState, action: jax.Array, params: EnvParams | None = None) -> Step:
        """One decision and what follows until the next one, without beginning a new episode."""
        params = self._numbers(params)
        task, orders = self.task.act(state.task, state.market, as_action(self.action_space, action), params.task)
        return self.play(key, state.replace(task=task), orders, params)

    @drawing
    def play(self, key: jax.Array, state: EnvState, orders: Any, params: EnvParams | None = None) -> Step:
        """A transition with messages instead of an action, for strategies that the action space cannot express.

        `state.task` is the task's state after the decision (`step` advanced). The market moves, `advance`, and the task judges, `judge`.
        """
        return self.judge(state, self.advance(key, state, orders, params), params)

    @drawing
    def advance(self, key: jax.Array, state: EnvState, orders: Any, params: EnvParams | None = None) -> Any:
        """The market's state at the next decision, after `orders` and all that happens until then. Nobody judges it."""
        params = self._numbers(params)
        chex.assert_shape((state.episode_return, state.episode_length), ())  # of one environment: `vmap` over many
        until = clock.plus(state.market.now, params.step_time)
        return self.market.step(key, state.market, orders, until, params.market)

    @settled
    def judge(self, state: EnvState, market: Any, params: EnvParams | None = None) -> Step:
        """What the task says of a step that led the market from that of `state` to `market`, however it came there: a whole `Step`.

        `state.task` is the task's state after the decision that began the step.
        """
        params = self._numbers(params)
        task, reward, terminated, truncated, metrics = self.task.judge(state.task, state.market, market, params.task)
        total, length = state.episode_return + reward, state.episode_length + 1
        state = EnvState(market, task, total, length)
        observation = self.task.observe(task, market, params.task)
        info = {
            **metrics,
            **market_counts(market),
            "episode_return": total,
            "episode_length": length,
            "final_observation": observation,
        }
        return observation, state, reward, terminated, truncated, info

    @drawing
    def step(self, key: jax.Array, state: EnvState, action: jax.Array, params: EnvParams | None = None) -> Step:
        """One decision; when an episode ends, the state and observation are those of a new one."""
        params = self.default_params if params is None else params
        key_step, key_reset = jax.random.split(key)
        observation, state, reward, terminated, truncated, info = self.transition(key_step, state, action, params)
        fresh = self.reset(key_reset, params)
        done = terminated | truncated
        observation, state = jax.tree.map(lambda new, old: jnp.where(done, new, old), fresh, (observation, state))
        return observation, state, reward, terminated, truncated, info

    @settled
    def no_orders(self, state: EnvState, params: EnvParams | None = None) -> Any:
        """What is sent where nothing is, of one environment: zeros, in the shapes that the task sends (in a market of messages, NOOPs).

        So a step without an agent shares one compiled program with the agent's. Only the shapes of `state` count.
        """
        params = self._numbers(params)
        action = jax.eval_shape(self.action_space.sample, key_of(0))

        def decode(state: EnvState, action: jax.Array) -> Any:
            return self.task.act(state.task, state.market, action, params.task)[1]

        return jax.tree.map(lambda x: jnp.zeros(x.shape, x.dtype), jax.eval_shape(decode, state, action))

    def _numbers(self, params: EnvParams | None) -> EnvParams:
        return narrowed(self.default_params if params is None else params)

    def _warm_up(self, key: jax.Array, market: Any, params: EnvParams) -> Any:
        if self.warm_up_steps == 0:
            return market
        shapes = jax.eval_shape(lambda market: self._opened(market, params), market)
        by_the_clock = replace(cast(Market, self.market), step_messages=0)
        keys = split_to_scan(key, self.warm_up_steps)
        orders = self.no_orders(shapes, params)
        market, _ = unattended(by_the_clock, keys, market, orders, params.market, lasts=params.warm_up)
        return market.replace(opened=market.now)

    def _opened(self, market: Any, params: EnvParams) -> EnvState:
        return EnvState(market, self.task.begin(market, params.task), jnp.float32(0), jnp.int32(0))


def market_counts(market: Any) -> dict[str, jax.Array]:
    """What a market counted since its opening (a warm-up included), int32 each: agents' by name, the flow's under `flow_`."""
    return market.counts()
