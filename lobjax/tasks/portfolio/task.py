"""The task of a portfolio: weights for the next session, at every close.

An observation is float32 `[D]`: features and mask of the last `window` sessions, which assets are listed, and the drifted weights with
cash first; `unpacked` gives it as arrays. Nothing in it is scaled by a sample. An episode is cut off, not ended, after its decisions
(`truncated`), and ended only where wealth is gone (`terminated`).

`info` has the weights before and after the trade (cash first), turnover, cost and the benchmark's return of the step, and figures of the
episode so far.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import flax.struct
import jax
import jax.numpy as jnp
from jax.core import Tracer

from lobjax.env.spaces import Box, Simplex
from lobjax.errors import InputError
from lobjax.portfolio.actions import Form, parts_of, weights_of, within_limits
from lobjax.portfolio.device import DevicePanel, window_of
from lobjax.portfolio.tables import FEATURES
from lobjax.tasks.portfolio.market import PortfolioState, Sent
from lobjax.tasks.portfolio.rewards import Running, begun, followed, reward


class PortfolioTaskParams(flax.struct.PyTreeNode):
    """The numbers of the task on the device."""

    panel: DevicePanel  # the market's own, not a copy
    leverage_limit: jax.Array  # float32
    turnover_limit: jax.Array  # float32
    least_turnover: jax.Array  # float32
    decay: jax.Array  # float32
    penalty: jax.Array  # float32


class PortfolioTaskState(flax.struct.PyTreeNode):
    """Where the episode stands."""

    step: jax.Array  # int32, decisions taken
    running: Running
    turnover: jax.Array  # float32, of all steps
    cost_log: jax.Array  # float32, sum of log mu
    benchmark_log: jax.Array  # float32
    unsound: jax.Array  # int32, actions with a number that is none


class Unpacked(NamedTuple):
    """An observation as arrays, with leading axes [...] kept."""

    features: jax.Array  # float32 [..., window, 5, N]
    mask: jax.Array  # bool [..., window, N]
    listed: jax.Array  # bool [..., N]
    weights: jax.Array  # float32 [..., 1 + N], cash first


def unpacked(observation: jax.Array, window: int, assets: int) -> Unpacked:
    """The parts of an observation [..., D]."""
    lead, wide = observation.shape[:-1], len(FEATURES)
    ends = [window * wide * assets, window * assets, assets]
    features, mask, listed, weights = jnp.split(observation, [ends[0], ends[0] + ends[1], sum(ends)], axis=-1)
    return Unpacked(
        features.reshape(*lead, window, wide, assets), mask.reshape(*lead, window, assets) > 0.5, listed > 0.5, weights
    )


@lru_cache(maxsize=64)
def _names(window: int, symbols: tuple[str, ...]) -> tuple[str, ...]:
    ago = range(window - 1, -1, -1)
    return (
        *(f"{name}.{symbol}.{t}" for t in ago for name in FEATURES for symbol in symbols),
        *(f"known.{symbol}.{t}" for t in ago for symbol in symbols),
        *(f"listed.{symbol}" for symbol in symbols),
        "weight.cash", *(f"weight.{symbol}" for symbol in symbols),
    )  # fmt: skip


@dataclass(frozen=True)
class PortfolioTask:
    """See the module's text."""

    symbols: tuple[str, ...]
    window: int
    form: Form
    reward: str
    name: str = "portfolio"

    @property
    def action_space(self) -> Simplex | Box:
        """Shares of a whole, or any numbers, as `form` wants."""
        parts = parts_of(self.form, len(self.symbols))
        return Simplex(parts) if self.form in ("clip", "long_short") else Box(parts)

    @property
    def idle(self) -> int:
        """Cash."""
        return 0

    @property
    def observation_names(self) -> tuple[str, ...]:
        """One name for each entry of an observation."""
        return _names(self.window, self.symbols)

    def begin(self, market: PortfolioState, params: PortfolioTaskParams) -> PortfolioTaskState:
        """Nothing but cash."""
        none, zero = jnp.float32(0), jnp.int32(0)
        return PortfolioTaskState(zero, begun(), none, none, none, zero)

    def act(
        self, state: PortfolioTaskState, market: PortfolioState, action: jax.Array, params: PortfolioTaskParams
    ) -> tuple[PortfolioTaskState, Sent]:
        """An action as weights within the limits. One that is not finite holds and is counted; outside compiled code, InputError."""
        weights, sound = weights_of(action, self.form)
        if _is_known(sound) and not bool(sound):
            raise InputError("action: a number in it is not finite; give finite ones")
        return self.send(
            state.replace(unsound=state.unsound + (~sound).astype(jnp.int32)), market, weights, sound, params
        )

    def send(
        self,
        state: PortfolioTaskState,
        market: PortfolioState,
        weights: jax.Array,
        trades: jax.Array,
        params: PortfolioTaskParams,
    ) -> tuple[PortfolioTaskState, Sent]:
        """Any weights [N], held to the limits, or none where not `trades`."""
        weights = within_limits(weights, market.weights, params.leverage_limit, params.turnover_limit)
        enough = jnp.sum(jnp.abs(weights - market.weights)) >= params.least_turnover
        trades = trades & enough
        return state.replace(step=state.step + 1), Sent(jnp.where(trades, weights, 0), trades)

    def judge(
        self, state: PortfolioTaskState, before: PortfolioState, after: PortfolioState, params: PortfolioTaskParams
    ) -> tuple[PortfolioTaskState, jax.Array, jax.Array, jax.Array, dict[str, jax.Array]]:
        """Reward of a step, and the figures of the step and of the episode so far."""
        running = followed(state.running, after.log_return, params.decay)
        earned = reward(self.reward, state.running, running, after.log_return, params.penalty)
        state = state.replace(
            running=running, turnover=state.turnover + after.turnover, cost_log=state.cost_log + jnp.log(after.kept),
            benchmark_log=state.benchmark_log + after.benchmark,
        )  # fmt: skip
        terminated = after.gone
        truncated = ~terminated & (after.steps >= after.length)
        return state, earned, terminated, truncated, self._metrics(state, after)

    def observe(self, state: PortfolioTaskState, market: PortfolioState, params: PortfolioTaskParams) -> jax.Array:
        """See the module's text."""
        features, mask = window_of(params.panel, market.t, self.window)
        listed = params.panel.listed[market.t]
        parts = (features, mask.astype(jnp.float32), listed.astype(jnp.float32), _with_cash(market.weights))
        return jnp.concatenate([part.reshape(-1) for part in parts])

    def _metrics(self, state: PortfolioTaskState, market: PortfolioState) -> dict[str, jax.Array]:
        running = state.running
        return {
            "log_wealth": running.wealth_log,
            "wealth": jnp.exp(running.wealth_log),
            "excess_log_wealth": running.wealth_log - state.benchmark_log,
            "max_drawdown": running.depth,
            "turnover": state.turnover,
            "cost_log": -state.cost_log,
            "benchmark_log_wealth": state.benchmark_log,
            "unsound_actions": state.unsound,
            "step_log_return": market.log_return,
            "step_turnover": market.turnover,
            "step_cost": 1 - market.kept,
            "step_benchmark_log_return": market.benchmark,
            "weights_before": _with_cash(market.before),
            "weights_after": _with_cash(market.after),
        }


def _is_known(value: jax.Array) -> bool:
    """Whether it is a number already, not a part of a program that is being compiled."""
    return not isinstance(value, Tracer)


def _with_cash(weights: jax.Array) -> jax.Array:
    return jnp.concatenate([(1 - jnp.sum(weights))[None], weights])
