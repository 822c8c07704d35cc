"""`python -m lobjax risk backtest|replay`: value at risk against what happened, and the circuit breaker over recorded ticks."""

import json
import sys
from pathlib import Path
from typing import Annotated

import tyro

from lobjax.config import build, load_yaml
from lobjax.ranges import Range, ranged


@ranged
def backtest(
    returns: tyro.conf.Positional[Path],
    /,
    *,
    level: Annotated[float, Range(0.5, 1 - 1e-9)] = 0.99,
    model: str = "historical",
    window: Annotated[int, Range(1, 1_000_000)] = 250,
) -> None:
    """Forecast the value at risk of each day from the days before it, and test its exceptions; one JSON line.

    n, exceptions; lr and p of Kupiec's proportion (uc), Christoffersen's independence (ind), both (cc) and the time until the first
    (tuff); Basel's zone; Acerbi and Szekely's z1 and z2 of CVaR. null: undefined.

    Args:
        returns: A CSV file, oldest first: a column 'return' (fractions), or the last of one or two columns.
        level: Of the value at risk; exceptions are expected on 1 - level of the days.
        model: historical, normal, ewma (decay .94) or filtered (historical on returns over their forecast deviation).
        window: Days before each day that it is forecast from (ewma: from all); the first of them are not tested.
    """
    from lobjax.risk import backtest as work

    print(json.dumps(work.backtest(work.read_returns(returns), level, model, window), allow_nan=False))


def replay(ticks: tyro.conf.Positional[Path], /, *, config: Path | None = None) -> None:
    """Run the circuit breaker over recorded ticks and print its state at each, as CSV: time, state, reason.

    Args:
        ticks: A CSV file with the columns time, equity, session, data_age, errors.
        config: YAML or JSON with drawdown, session_loss, max_age, max_errors, cooldown, probation, cap, max_trips; what it leaves out
            has its default.
    """
    given = load_yaml(config) if config else {}
    from lobjax.risk import replay as work
    from lobjax.risk.breaker import BreakerConfig, State

    settings = build(BreakerConfig, given, str(config))
    seen = work.replay(settings, work.read_ticks(ticks))
    print("time,state,reason")
    for tick in seen:
        print(f"{tick.time:.12g},{tick.state.name},{tick.reason.word}")
    spent = ", ".join(f"{sum(t.state == state for t in seen):,} {state.name}" for state in State)
    print(f"{len(seen):,} ticks: {spent}", file=sys.stderr)


COMMANDS = {"backtest": backtest, "replay": replay}
