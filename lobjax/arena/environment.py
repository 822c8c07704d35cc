"""The arena: several venues, one clock, and seats of several roles that trade against each other and against the flow.

    observations, state = arena.reset(key, params)
    observations, state, rewards, terminated, truncated, info = arena.step(key, state, actions, params)

Observations, actions, rewards and endings are dicts by group, arrays `[seats, ...]`. Written for one; `vmap` it. One decision: events and
values move; every seat that acts decides on the markets as they were when the last step ended; its messages enter the queues, at one
instant in an order of seats drawn afresh; each venue runs to the same moment; closing orders; marks, rewards, endings, observations.
What flows and events draw comes from the decision's key alone, so that a seat that is taken out (`active`) leaves every other word as
it was: forks are paired.
"""

from dataclasses import dataclass, replace
from typing import Any

import jax
import jax.numpy as jnp

from lobjax import clock
from lobjax.arena import margin, seats
from lobjax.arena.events import Event, EventState, calm, effects, next_event
from lobjax.arena.fundamental import Fundamental, move, open_fundamental, seen_value2
from lobjax.arena.roles.base import Sight
from lobjax.arena.seats import Group, SeatState
from lobjax.arena.state import ArenaParams, ArenaState
from lobjax.arena.wealth import MILLI, cash, inventory, thousand, ticks, wealth
from lobjax.clock import Time
from lobjax.engine import Choice
from lobjax.env.views import mid2_ticks
from lobjax.flow.driven import DrivenParams
from lobjax.flow.fixed import times
from lobjax.kinds import KNOWN, Kind, Trait, has, mask
from lobjax.market import Market, MarketParams, MarketState, Orders
from lobjax.market.safeguards import open_halting, without_halts
from lobjax.settings import drawing, narrowed, split_to_scan
from lobjax.types import Message
from lobjax.wide import minus, plus

_FLOW, _VALUE, _EVENT, _SERVICE = range(4)  # what a decision's key is folded with
_MAY_TRADE = KNOWN & ~mask(Trait.NEVER_ADDS)
_HALF_MILLI = 0.5 / MILLI

Step = tuple[
    dict[str, jax.Array], "ArenaState", dict[str, jax.Array], dict[str, jax.Array], dict[str, jax.Array], dict[str, Any]
]


@dataclass(frozen=True, kw_only=True, eq=False)
class Arena:
    """See the module's text. Static: who sits where, and sizes."""

    market: Market  # of every venue
    venues: int
    groups: tuple[Group, ...]
    decisions: int
    default_params: ArenaParams
    lags: int = 0  # the most that a venue lags by
    driven: bool = False  # whether there are events or informed traders; without, the flow is as it is alone
    tells_events: bool = False  # whether seats see what is going on
    cash_only: bool = False  # whether any seat is without margin
    warm_up_steps: int = 0

    @property
    def engine(self) -> Choice:
        """The engine that runs the markets here, and why."""
        return self.market.runs_on

    @property
    def seats(self) -> int:
        """A."""
        return sum(group.seats for group in self.groups)

    @property
    def halts(self) -> bool:
        """Whether venues have safeguards; seats see which of them halt."""
        return self.default_params.markets.safeguards is not None

    @property
    def width(self) -> int:
        """Messages that a seat may send to a venue with one decision."""
        return max(seats.PULL, *(group.role.messages for group in self.groups))

    def observation_names(self, group: Group) -> tuple[str, ...]:
        """One name for each of the D entries of a group's observations."""
        own = ["time_left", "gain", "playing"]
        if self.tells_events:
            own += [f"event_{event.name.lower()}" for event in Event]
        if self.halts:
            own += [f"halted_{venue}" for venue in range(self.venues)]
        if group.informed:
            own += [f"value_gap_{venue}" for venue in range(self.venues)]
        return (*own, *group.role.observation_names)

    @drawing
    def reset(self, key: jax.Array, params: ArenaParams | None = None) -> tuple[dict[str, jax.Array], ArenaState]:
        """A new episode. `params` None: the default ones."""
        params = self._numbers(params)
        key_open, key_warm_up = jax.random.split(key)
        markets = jax.vmap(self.market.open)(self._venue_keys(key_open), params.markets)
        fundamental = open_fundamental(params.fundamental, self.lags)
        markets = self._warm_up(key_warm_up, markets, fundamental, params)
        sights = self._sights(markets, jnp.int32(self.decisions))
        roles = tuple(
            jax.vmap(group.role.begin, in_axes=(axes, None))(sight, numbers)
            for group, (sight, axes), numbers in zip(self.groups, sights, params.roles, strict=True)
        )
        state = ArenaState(markets, roles, seats.open_seats(self.seats), calm(), fundamental, jnp.int32(0))
        return self.observe(state, params), state

    @drawing
    def transition(
        self, key: jax.Array, state: ArenaState, actions: dict[str, Any], params: ArenaParams | None = None
    ) -> Step:
        """One decision and what follows until the next one, without beginning a new episode."""
        params = self._numbers(params)
        event = next_event(jax.random.fold_in(key, _EVENT), state.event, params.events) if self.driven else state.event
        fundamental = state.fundamental
        if self.driven:
            fundamental = move(jax.random.fold_in(key, _VALUE), fundamental, effects(event).news, params.fundamental)
        roles, messages = self._act(state, narrowed(actions), params)
        order = seats.order_of_service(jax.random.fold_in(key, _SERVICE), params.seats.label)
        orders = self._orders(state, messages, order, params)
        numbers = self._market_numbers(state.seats, event, fundamental, params)
        markets = self._step_markets(key, state.markets, orders, numbers, params)
        return self._judge(state, markets, roles, messages, event, fundamental, params)

    @drawing
    def step(
        self, key: jax.Array, state: ArenaState, actions: dict[str, Any], params: ArenaParams | None = None
    ) -> Step:
        """One decision; when the last seat has ended, the state and observations are those of a new episode."""
        params = self.default_params if params is None else params
        key_step, key_reset = jax.random.split(key)
        observations, state, rewards, terminated, truncated, info = self.transition(key_step, state, actions, params)
        fresh = self.reset(key_reset, params)
        observations, state = jax.tree.map(
            lambda new, old: jnp.where(info["done"], new, old), fresh, (observations, state)
        )
        return observations, state, rewards, terminated, truncated, info

    def _act(self, state: ArenaState, actions: dict[str, Any], params: ArenaParams) -> tuple[tuple[Any, ...], Message]:
        """The roles' states after this decision, and what every seat sends, `[A, V, width]`."""
        acts = self.acts(state, params)
        sights = self.sights(state)
        roles, sent, first = [], [], 0
        for group, own, (sight, axes), numbers in zip(self.groups, state.roles, sights, params.roles, strict=True):
            decided, messages = jax.vmap(group.role.act, in_axes=(0, axes, 0, None))(
                own, sight, actions[group.name], numbers
            )
            mine = acts[first : first + group.seats]
            roles.append(seats.where(mine, decided, own))
            messages = seats.where(mine, messages, seats.blank(messages.kind.shape))
            sent.append(self._at_venues(group, seats.padded(messages, self.width)))
            first += group.seats
        every = jax.tree.map(lambda *x: jnp.concatenate(x), *sent)
        if self.cash_only:
            every = self._within_cash(state, every, params)
        accounts = self._accounts()
        pulls = jax.vmap(lambda account: seats.pull_orders(account, self.width))(accounts)
        pulls = jax.tree.map(lambda x: jnp.broadcast_to(x[:, None], every.kind.shape), pulls)
        return tuple(roles), seats.where(state.seats.pull, pulls, every)

    def acts(self, state: ArenaState, params: ArenaParams) -> jax.Array:
        """Which seats decide now, bool `[A]`; what others choose is not read."""
        return params.seats.active & ~state.seats.over & (state.step % params.seats.every == 0)

    def _orders(self, state: ArenaState, messages: Message, order: jax.Array, params: ArenaParams) -> Orders:
        """`[V, ...]` each: all seats' messages in the order of service, and what the venues send as the step ends."""
        sent = jax.tree.map(lambda x: jnp.moveaxis(x[order], 0, 1).reshape(self.venues, -1), messages)
        held = inventory(state.markets, self._accounts())  # [V, A]
        ends = params.seats.active & ~state.seats.over & self._closes() & (state.step + 1 >= self.decisions)
        closes = ends[None] | state.seats.stopped[None] & (state.seats.pull[None] | (held != 0))
        accounts = self._accounts()[order]
        closing = jax.vmap(lambda which: seats.closing_orders(accounts, which[order]))(closes)
        return Orders(sent, closing)

    def _step_markets(
        self,
        key: jax.Array,
        markets: MarketState,
        orders: Orders,
        numbers: MarketParams,
        params: ArenaParams,
        market: Market | None = None,
    ) -> MarketState:
        market = self.market if market is None else market
        keys = self._venue_keys(jax.random.fold_in(key, _FLOW))
        until = clock.plus(markets.now, jax.tree.map(lambda x: jnp.broadcast_to(x, (self.venues,)), params.step_time))
        return jax.vmap(market.step)(keys, markets, orders, until, numbers)

    def _market_numbers(
        self, seat: SeatState, event: EventState, fundamental: Fundamental, params: ArenaParams
    ) -> MarketParams:
        """The venues' parameters while an event goes on and the value is what it is; a seat that was stopped is brought to nothing."""
        limits = params.markets.limits
        target = limits.target.at[:, 1:].set(jnp.where(seat.stopped, 0, limits.target[:, 1:]))
        markets = params.markets.replace(limits=limits._replace(target=target))
        if not self.driven:
            return markets
        effect, flow = effects(event), markets.flow

        def one(
            asset: jax.Array, lag: jax.Array, rate: jax.Array, threshold2: jax.Array, cap2: jax.Array
        ) -> DrivenParams:
            value2 = seen_value2(fundamental, asset, lag)
            return DrivenParams(effect.push, effect.size, value2, threshold2, cap2, times(rate, effect.informed))

        venues = params.venues
        driven = jax.vmap(one)(venues.asset, venues.lag, venues.rate, venues.threshold2, venues.cap2)
        flow = flow.replace(
            limit=times(flow.limit, effect.limits), cancel=times(flow.cancel, effect.cancels), driven=driven
        )
        return markets.replace(flow=flow)

    def _judge(
        self, state: ArenaState, markets: MarketState, roles: tuple[Any, ...], messages: Message, event: EventState,
        fundamental: Fundamental, params: ArenaParams,
    ) -> Step:  # fmt: skip
        """Look back on a step."""
        accounts, before = self._accounts(), state.seats
        playing = params.seats.active & ~before.over
        worth = wealth(markets, accounts)
        gained = ticks(minus(worth, wealth(state.markets, accounts)), _HALF_MILLI)
        stopped = playing & (plus(worth, params.seats.stop_loss).high < 0)
        last = state.step + 1 >= self.decisions
        behind = self.sights(state)
        ahead = self._sights(markets, self.decisions - state.step - 1)
        judged, rewards, terminated, truncated, over, first = [], {}, {}, {}, [], 0
        for at, group in enumerate(self.groups):
            rows = slice(first, first + group.seats)
            axes = behind[at][1]
            judge = jax.vmap(group.role.judge, in_axes=(0, axes, axes, 0, None))
            own, reward, done = judge(roles[at], behind[at][0], ahead[at][0], gained[rows], params.roles[at])
            mine = playing[rows]
            judged.append(seats.where(mine, own, roles[at]))
            rewards[group.name] = jnp.where(mine, reward, 0.0)
            ends = mine & (done | stopped[rows] | (last & group.role.closes))
            terminated[group.name], truncated[group.name] = ends, mine & last & ~ends
            over.append(before.over[rows] | ends)
            first += group.seats
        seat = self._seat_state(before, stopped, jnp.concatenate(over), worth, markets, messages)
        state = ArenaState(markets, tuple(judged), seat, event, fundamental, state.step + 1)
        observations = self.observe(state, params)
        done = last | jnp.all(seat.over | ~params.seats.active)
        info = {**self._info(state, params), "done": done, "final_observation": observations}
        return observations, state, rewards, terminated, truncated, info

    def _seat_state(
        self,
        before: SeatState,
        stopped: jax.Array,
        over: jax.Array,
        worth: Any,
        markets: MarketState,
        messages: Message,
    ) -> SeatState:
        gain = ticks(worth, _HALF_MILLI)
        peak = jnp.maximum(before.peak_gain, gain)
        real = messages.kind != Kind.NOOP
        lots = jnp.where(real & has(messages.kind, _MAY_TRADE), messages.size, 0)
        held = jnp.sum(inventory(markets, self._accounts()), axis=0, dtype=jnp.int32)
        return SeatState(
            stopped=before.stopped | stopped,
            pull=stopped,
            over=over,
            messages=before.messages + jnp.sum(real, axis=(1, 2), dtype=jnp.int32),
            submitted_lots=before.submitted_lots + jnp.sum(lots, axis=(1, 2), dtype=jnp.int32),
            gain=gain,
            peak_gain=peak,
            drawdown=jnp.maximum(before.drawdown, peak - gain),
            peak_inventory=jnp.maximum(before.peak_inventory, jnp.abs(held)),
        )

    def _info(self, state: ArenaState, params: ArenaParams) -> dict[str, Any]:
        """What is told beside observations: figures of every seat so far `[A]`, of every venue `[V]`, and the event."""
        accounts, seat = self._accounts(), state.seats
        rows = jax.tree.map(
            lambda x: x[:, accounts], state.markets.accounts.replace(inexact=jnp.zeros((self.venues, self.seats + 1)))
        )
        made, took = (jnp.sum(x, axis=0, dtype=jnp.int32) for x in (rows.maker_lots, rows.taker_lots))
        return {
            "profit_ticks": seat.gain,
            "fees_ticks": sum(
                ticks(jax.tree.map(lambda x, v=v: x[v], rows.fees), 1 / MILLI) for v in range(self.venues)
            ),
            "spread_captured_ticks": sum(
                ticks(jax.tree.map(lambda x, v=v: x[v], rows.edge2), 0.5) for v in range(self.venues)
            ),
            "maker_lots": made,
            "taker_lots": took,
            "messages": seat.messages,
            "submitted_lots": seat.submitted_lots,
            "drawdown_ticks": seat.drawdown,
            "peak_inventory_lots": seat.peak_inventory,
            "stopped": seat.stopped,
            "over": seat.over,
            "acts": self.acts(state, params),
            "event": state.event.kind,
            "mid2_ticks": jax.vmap(mid2_ticks)(state.markets),
            "value2": jax.vmap(lambda asset: seen_value2(state.fundamental, asset, jnp.int32(0)))(params.venues.asset),
            **jax.vmap(lambda market: market.counts())(state.markets),
        }

    def observe(self, state: ArenaState, params: ArenaParams) -> dict[str, jax.Array]:
        """What every group's seats see, float32 `[seats, D]` each."""
        sights = self.sights(state)
        seat, found, first = state.seats, {}, 0
        playing = (params.seats.active & ~seat.over).astype(jnp.float32)
        capital = ticks(params.seats.capital, 1.0)
        left = (self.decisions - state.step).astype(jnp.float32) * jnp.float32(1 / self.decisions)
        for group, own, (sight, axes), numbers in zip(self.groups, state.roles, sights, params.roles, strict=True):
            rows = slice(first, first + group.seats)
            seen = jax.vmap(group.role.observe, in_axes=(0, axes, None))(own, sight, numbers)
            common = jnp.stack([
                jnp.broadcast_to(left, (group.seats,)), seat.gain[rows] / jnp.maximum(capital[rows], 1.0), playing[rows],
            ], axis=1)  # fmt: skip
            parts = [common]
            if self.tells_events:
                parts.append(jnp.broadcast_to(jax.nn.one_hot(state.event.kind, len(Event)), (group.seats, len(Event))))
            if state.markets.halting is not None:
                halted = (state.markets.halting.left > 0).astype(jnp.float32)
                parts.append(jnp.broadcast_to(halted, (group.seats, self.venues)))
            if group.informed:
                parts.append(jnp.broadcast_to(self._value_gaps(state, params), (group.seats, self.venues)))
            found[group.name] = jnp.concatenate([*parts, seen], axis=1)
            first += group.seats
        return found

    def _value_gaps(self, state: ArenaState, params: ArenaParams) -> jax.Array:
        value2 = jax.vmap(lambda asset: seen_value2(state.fundamental, asset, jnp.int32(0)))(params.venues.asset)
        return (value2 - jax.vmap(mid2_ticks)(state.markets)).astype(jnp.float32) * (0.5 * params.per_tick)

    def sights(self, state: ArenaState) -> list[tuple[Sight, Sight]]:
        """What each group's seats look at now (accounts `[seats]`, the rest shared), and the axes to map a role over."""
        return self._sights(state.markets, self.decisions - state.step)

    def _sights(self, markets: MarketState, left: Any) -> list[tuple[Sight, Sight]]:
        """What each group's seats look at, and over which axes their roles are mapped."""
        left = jnp.asarray(left, jnp.int32)
        found, axes = [], Sight(account=0, market=None, left=None)  # pyright: ignore[reportArgumentType]
        for group in self.groups:
            mine = markets if group.role.everywhere else jax.tree.map(lambda x, v=group.venue: x[v], markets)
            found.append((Sight(jnp.asarray(group.accounts, jnp.int32), mine, left), axes))
        return found

    def _at_venues(self, group: Group, messages: Message) -> Message:
        """Messages `[seats, width]` of one venue, or `[seats, V, width]`, as `[seats, V, width]`."""
        if group.role.everywhere:
            return messages
        here = jnp.arange(self.venues) == group.venue
        return jax.tree.map(lambda x: jnp.where(here[None, :, None], x[:, None], 0), messages)

    def _within_cash(self, state: ArenaState, messages: Message, params: ArenaParams) -> Message:
        accounts, numbers = self._accounts(), params.seats
        available = plus(cash(state.markets, accounts), thousand(numbers.capital))

        def one(account: jax.Array, available: Any, messages: Message) -> Message:
            left = margin.budget(available, state.markets, account)
            return margin.affordable(messages, left, state.markets, params.markets, account)

        return seats.where(numbers.cash_only, jax.vmap(one)(accounts, available, messages), messages)

    def _accounts(self) -> jax.Array:
        return jnp.asarray([account for group in self.groups for account in group.accounts], jnp.int32)

    def _closes(self) -> jax.Array:
        return jnp.asarray([group.role.closes for group in self.groups for _ in group.accounts], bool)

    def _venue_keys(self, key: jax.Array) -> jax.Array:
        return jax.vmap(lambda venue: jax.random.fold_in(key, venue))(jnp.arange(self.venues))

    def _numbers(self, params: ArenaParams | None) -> ArenaParams:
        return narrowed(self.default_params if params is None else params)

    def _warm_up(
        self, key: jax.Array, markets: MarketState, fundamental: Fundamental, params: ArenaParams
    ) -> MarketState:
        """Calm markets among themselves, before the first decision; of the shapes of an episode's steps."""
        if self.warm_up_steps == 0:
            return markets
        blank = seats.blank((self.seats, self.venues, self.width))
        sent = jax.tree.map(lambda x: x.reshape(self.venues, -1), blank)
        orders = Orders(sent, seats.blank((self.venues, seats.CLOSING * self.seats)))
        by_the_clock = replace(self.market, step_messages=0)
        numbers = self._market_numbers(seats.open_seats(self.seats), calm(), fundamental, params)
        if numbers.safeguards is not None:  # which begin with the episode
            numbers = numbers.replace(safeguards=without_halts(numbers.safeguards))

        def one(markets: MarketState, step: tuple[jax.Array, Time]) -> tuple[MarketState, None]:
            key, length = step
            timed = params.replace(step_time=length)
            return self._step_markets(key, markets, orders, numbers, timed, by_the_clock), None

        markets, _ = jax.lax.scan(one, markets, (split_to_scan(key, self.warm_up_steps), params.warm_up))
        if markets.halting is not None:
            markets = markets.replace(halting=jax.vmap(open_halting)(jax.vmap(mid2_ticks)(markets)))
        return markets.replace(opened=markets.now)
