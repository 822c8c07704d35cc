"""The breaker and the limits of one desk on the host, with every halt, resumption and refusal in an audit log."""

from pathlib import Path
from typing import Any

import numpy as np

from lobjax import audit
from lobjax.errors import InputError
from lobjax.risk.breaker import Breaker, BreakerConfig, Reason, State, Tick, allowed, reset, start, step
from lobjax.risk.limits import Limits, Refusal, Situation, judge, no_counts

_KINDS = {State.RUN: "run", State.HALT: "halt", State.COOL: "cool", State.KILL: "kill"}


class Guard:
    """What stands between decisions and the market: `tick` first, then `target` or `order` for each decision of the tick.

    `log`: an audit log to append to, or None. Numbers are float64; `refused` counts orders by the limit that refused them.
    """

    def __init__(
        self, breaker: BreakerConfig, limits: Limits, log: str | Path | None = None, actor: str = "risk"
    ) -> None:
        self.config, self.limits, self.log, self.actor = breaker, limits, log, actor
        self._breaker: Breaker | None = None
        self._counts = no_counts(limits, np, np.float64)

    @property
    def state(self) -> State:
        """As of the last tick; HALT before the first."""
        return State(int(self._breaker.state)) if self._breaker else State.HALT

    @property
    def refused(self) -> dict[str, int]:
        """Orders that were refused, by the limit."""
        return {refusal.name.lower(): int(self._counts.refused[refusal]) for refusal in Refusal if refusal}

    def tick(self, tick: Tick) -> State:
        """Evaluate the breaker; a change of state is logged. In HALT and KILL, cancel every order and sell or buy back to 0."""
        before = self._breaker or start(tick)
        self._breaker = step(self.config, before, tick)
        if (now := self.state) != int(before.state):
            self._write(self.actor, _KINDS[now], tick, reason=Reason(int(self._breaker.reason)).word)
        return now

    def target(self, position: float, target: float) -> float:
        """The target position that the breaker lets through, in shares of the limit."""
        return float(allowed(self.config, self._breaker, position, target)) if self._breaker else 0.0

    def order(self, now: Situation, lots: float) -> Refusal:
        """Whether an order may leave; a refusal is counted and logged. In HALT and KILL, and before a tick, only to reduce."""
        halted = self.state in (State.HALT, State.KILL)
        found, self._counts = judge(self.limits, self._counts, now, lots, halted)
        if refusal := Refusal(int(found)):
            self._append(self.actor, "refuse", {"limit": refusal.name.lower(), "lots": _text(lots)}, now.time)
        return refusal

    def reset(self, person: str, tick: Tick) -> State:
        """KILL -> COOL by order of a person, who is named in the log. InputError without a name, or where nothing is killed."""
        if not person.strip():
            raise InputError("a killed breaker is reset by a person; give a name")
        if self._breaker is None or self.state != State.KILL:
            raise InputError(f"the breaker is in {self.state.name}, not KILL; there is nothing to reset")
        self._breaker = reset(self._breaker, tick)
        self._write(person, "reset", tick, reason=Reason(int(self._breaker.reason)).word)
        return self.state

    def _write(self, actor: str, kind: str, tick: Tick, reason: str) -> None:
        self._append(actor, kind, {"reason": reason, "equity": _text(tick.equity)}, tick.time)

    def _append(self, actor: str, kind: str, payload: dict[str, Any], time: Any) -> None:
        if self.log is not None:
            audit.append(self.log, actor, kind, {**payload, "time": _text(time)})


def _text(number: Any) -> str:
    return f"{float(number):.12g}"
