"""The guard of a desk: states, refusals and resets, each in the audit log."""

import json

import pytest

from lobjax import audit
from lobjax.errors import InputError
from lobjax.risk import BreakerConfig, Limits, Refusal, Situation, State, Tick
from lobjax.risk.guard import Guard

NOW = Situation(0.0, 10.0, 0.0, 0.0, 100.0, 10_000.0, 10_000.0, 0.01)


def test_what_happens_is_logged_and_the_log_holds(tmp_path):
    guard = Guard(BreakerConfig(max_trips=1), Limits(position=12), log := tmp_path / "audit.jsonl")
    assert guard.state == State.HALT and guard.target(0.0, 1.0) == 0.0  # before any tick, nothing passes
    assert guard.tick(Tick(0, 10_000, 0, 0, 0)) == State.RUN
    assert guard.order(NOW, 1) == Refusal.NONE and guard.order(NOW, 5) == Refusal.POSITION
    assert guard.tick(Tick(1, 9_000, 0, 0, 0)) == State.KILL
    assert guard.order(NOW, 1) == Refusal.BREAKER and guard.order(NOW, -1) == Refusal.NONE
    for name in ("", "  "):
        with pytest.raises(InputError, match="give a name"):
            guard.reset(name, Tick(2, 9_000, 0, 0, 0))
    assert guard.reset("alice", Tick(2, 9_000, 0, 0, 0)) == State.COOL
    with pytest.raises(InputError, match="nothing to reset"):
        guard.reset("alice", Tick(3, 9_000, 0, 0, 0))
    assert guard.target(1.0, 1.0) == 0.25
    assert guard.refused == dict.fromkeys(guard.refused, 0) | {"position": 1, "breaker": 1}
    kinds = [(r["actor"], r["kind"]) for r in map(json.loads, log.read_text().splitlines())]
    assert kinds == [("risk", "refuse"), ("risk", "kill"), ("risk", "refuse"), ("alice", "reset")]
    assert audit.verify(log).ok
