"""The execution agent: the task of optimal execution (`lobjax.tasks.execution`) in a seat of an arena.

Actions, orders and observations are the task's. Reward: for every lot, what it fetched beyond the best opposite price at arrival, less
fees, in ticks per lot of the parent order; the venue's closing sale included.
"""

from dataclasses import dataclass, replace
from typing import Annotated, Literal

import jax
import jax.numpy as jnp

from lobjax.arena.roles.base import Ground, Made, RoleSpec, Sight, register
from lobjax.env.spaces import Simplex
from lobjax.ranges import Length, Range, check
from lobjax.tasks.execution.task import ExecutionParams, ExecutionState, ExecutionTask
from lobjax.types import Message, Side
from lobjax.wide import minus, to_float


@dataclass(frozen=True, kw_only=True)
class ExecutionRoleConfig:
    """The parent order and the levels that it may be worked at, as `lobjax.tasks.execution.ExecutionConfig`."""

    kind: Literal["execution"] = "execution"
    side: Literal["sell", "buy"] = "sell"
    lots: Annotated[int, Range(1, (1 << 20) - 1)] = 20
    reference: Literal["opposite", "same"] = "opposite"
    offsets_ticks: Annotated[tuple[Annotated[int, Range(-1024, 1024)], ...], Length(1, 32)] = (1, 2, 3)

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True)
class Execution:
    """See the module's text."""

    task: ExecutionTask
    name: str = "execution"
    everywhere: bool = False
    closes: bool = True

    @property
    def messages(self) -> int:
        """A reduction and an order at each level, and an order at market."""
        return 2 * self.task.levels + 1

    @property
    def action_space(self) -> Simplex:
        """Shares of (market order, level 1..L, wait)."""
        return self.task.action_space

    @property
    def idle(self) -> int:
        """The part that waits."""
        return self.task.idle

    @property
    def observation_names(self) -> tuple[str, ...]:
        """The task's."""
        return self.task.observation_names

    def begin(self, sight: Sight, params: ExecutionParams) -> ExecutionState:
        """The order arrives."""
        return self._of(sight).begin(sight.market, params)

    def act(
        self, state: ExecutionState, sight: Sight, action: jax.Array, params: ExecutionParams
    ) -> tuple[ExecutionState, Message]:
        """Shares to orders; those that the venue sends at the deadline are the arena's."""
        state, orders = self._of(sight).act(state, sight.market, action, params)
        return state, orders.sent

    def judge(
        self, state: ExecutionState, before: Sight, after: Sight, gain: jax.Array, params: ExecutionParams
    ) -> tuple[ExecutionState, jax.Array, jax.Array]:
        """As the task's; done where nothing is left. What even the venue could not sell counts at the last price reached."""
        task, one = self._of(after), after.account
        fetched = task.gain(after.market, state) - task.gain(before.market, state)
        fees = to_float(minus(after.market.accounts.fees, before.market.accounts.fees))[one] * 1e-3
        left = task.left(after.market, params)
        stuck = jnp.where(after.left == 0, left, 0).astype(jnp.float32)
        fetched += stuck * task.beyond_arrival(after.market.tape.last_price_ticks, state)
        return state, (fetched - fees) * params.per_lot, left == 0

    def observe(self, state: ExecutionState, sight: Sight, params: ExecutionParams) -> jax.Array:
        """The task's."""
        return self._of(sight).observe(state, sight.market, params)

    def act_mask(self, state: ExecutionState, sight: Sight, params: ExecutionParams) -> jax.Array:
        """Every part may have a share."""
        return jnp.ones((self.task.levels + 2,), bool)

    def _of(self, sight: Sight) -> ExecutionTask:
        return replace(self.task, account=sight.account)


def twap(role: Execution, state: ExecutionState, sight: Sight, params: ExecutionParams) -> jax.Array:
    """Equal parts at market, one a decision."""
    share = 1.0 / jnp.maximum(params.decisions - state.step, 1).astype(jnp.float32)
    levels = jnp.zeros((role.task.levels,), jnp.float32)
    return jnp.concatenate([share[None], levels, 1 - share[None]])


def submit_and_leave(role: Execution, state: ExecutionState, sight: Sight, params: ExecutionParams) -> jax.Array:
    """Everything at the first level, until the venue sells what is left."""
    return jnp.zeros((role.task.levels + 2,), jnp.float32).at[1].set(1.0)


def _make(config: ExecutionRoleConfig, ground: Ground) -> Made:
    sells = config.side == "sell"
    side, levels = (Side.ASK if sells else Side.BID), len(config.offsets_ticks)
    params = ExecutionParams(
        lots=jnp.int32(config.lots),
        decisions=jnp.int32(ground.decisions),
        offsets=jnp.asarray(config.offsets_ticks, jnp.int32),
        per_tick=jnp.float32(1 / ground.price_scale_ticks),
        per_lot=jnp.float32(1 / config.lots),
        per_decision=jnp.float32(1 / ground.decisions),
    )
    role = Execution(ExecutionTask(side, levels, config.reference == "opposite", ground.levels))
    target = -config.lots if sells else config.lots
    return Made(role, params, min(target, 0), max(target, 0), target)


register(RoleSpec(config=ExecutionRoleConfig, make=_make, rules={"twap": twap, "submit_and_leave": submit_and_leave}))
