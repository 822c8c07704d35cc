"""Backtests: `python -m backtest run|report|portfolio|arena`, each with --help. What a command needs is imported when it runs."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import tyro

from lobjax import locks
from lobjax.cli import run_command
from lobjax.config import load_yaml, override
from lobjax.exits import exits_cleanly
from lobjax.ranges import Range, Seed, ranged


def run(
    config: tyro.conf.Positional[Path | None] = None,
    /,
    *,
    out: Path,
    policy: Path | None = None,
    set: Annotated[tuple[str, ...], tyro.conf.arg(metavar="KEY.PATH=VALUE ...")] = (),
) -> None:
    """Play an agent and strategies over the same episodes; leave a folder with figures, intervals and a report.

    Args:
        config: the YAML configuration, see configs/backtest/. Without one, the market that the agent was trained in.
        out: the folder to leave; it must not exist or be empty.
        policy: the folder of the run that left the agent. Without it, strategies play alone.
        set: replace values of the configuration, such as episodes=500.
    """
    override(load_yaml(config) if config else {}, [*set])  # what cannot be read is told before anything is imported
    from backtest.config import load_config
    from backtest.players import trained_config
    from backtest.run import run as play
    from lobjax.memory import exhaustion_as_input_error
    from lobjax.results import evaluation, show
    from lobjax.results.stamp import command

    settings = load_config(config, [*set], trained_config(policy, needed=config is None))
    with exhaustion_as_input_error("the backtest", change="lower batch"):
        comparison = play(settings, policy, out, command("python -m backtest"))
    show(comparison)
    print(json.dumps({"out": str(out), **_short(evaluation(comparison))}, allow_nan=False), flush=True)


def portfolio(
    *,
    panel: Path,
    out: Path,
    actions: Path | None = None,
    listings: Path | None = None,
    baseline: str | None = None,
    signals: Path | None = None,
    cost: str = "none",
    since: Annotated[str | None, tyro.conf.arg(name="from")] = None,
    until: str | None = None,
    symbols: str = "",
) -> None:
    """Play a portfolio's baseline or signals over a panel of prices, in float64; the last line is JSON with the figures.

    Args:
        panel: a CSV of raw daily bars: date, symbol, open, high, low, close, volume.
        out: the folder to leave; it must not exist or be empty.
        actions: a CSV of splits and dividends: date, symbol, split, dividend_factor.
        listings: a CSV of symbol, delisted_on and maybe delist_return; without it, what has no more bars is halted.
        baseline: equal_daily equal_monthly buy_and_hold inverse_volatility min_variance risk_parity hrp momentum_12_1, or an online
            rule such as olmar1.
        signals: instead of a baseline, a CSV or Parquet file of date, symbol, signal: weights decided at the close of that date.
        cost: none, fixed:0.001, fixed:BUY/SELL, or volatility:0.0002,0.05.
        since: the first session; the first decision is at the close of the one before. Earlier rows serve look-backs.
        until: the last session, at whose open the last step ends.
        symbols: only these of the panel, separated by commas.
    """
    from backtest.portfolio import run as play

    chosen = tuple(part.strip() for part in symbols.split(",") if part.strip())
    found = play(
        panel=panel,
        actions=actions,
        listings=listings,
        symbols=chosen,
        baseline=baseline,
        signals=signals,
        cost=cost,
        since=since,
        until=until,
        out=out,
    )
    print(json.dumps(found, allow_nan=False), flush=True)


def report(folder: tyro.conf.Positional[Path], /) -> None:
    """Draw the figures and write the report of a backtest's folder again.

    Args:
        folder: what `python -m backtest run` left.
    """
    from backtest.report import write_report

    with locks.held(folder):
        print(json.dumps({"report": str(write_report(folder))}))


@ranged
def arena(
    config: tyro.conf.Positional[Path],
    /,
    *,
    out: Path,
    episodes: Annotated[int, Range(1, 1 << 20)] = 200,
    seed: Seed = 0,
    batch: Annotated[int, Range(1, 1 << 16)] = 50,
    play: Annotated[tuple[str, ...], tyro.conf.arg(metavar="GROUP=NAME,NAME ...")] = (),
    set: Annotated[tuple[str, ...], tyro.conf.arg(metavar="KEY.PATH=VALUE ...")] = (),
) -> None:
    """Play every player of an arena's groups against every mixture of the others, on common random numbers, and with each group left out.

    Leaves arena.json (payoffs with 95% bootstrap intervals, alpha-rank, figures of players and venues), episodes.parquet and arena.png.

    Args:
        config: the YAML configuration of an arena, see configs/arena/.
        out: the folder to leave; it must not exist or be empty.
        episodes: of every mixture.
        seed: of all randomness; the same for every mixture.
        batch: how many episodes are played side by side.
        play: who may play a group: names of rules, "idle", "random", or folders of saved agents. A group that is not named plays every
            rule of its role. The first of each plays where groups are left out.
        set: replace values of the configuration, such as decisions=50.
    """
    told = override(load_yaml(config), [*set])
    from backtest.arena.evaluation import Settings
    from backtest.arena.run import run as evaluate
    from backtest.arena.showing import show
    from lobjax.arena import arena_config
    from lobjax.memory import exhaustion_as_input_error
    from lobjax.results.stamp import command

    settings = Settings(episodes=episodes, seed=seed, batch=min(batch, episodes))
    with exhaustion_as_input_error("the evaluation", change="lower batch"):
        found = evaluate(arena_config(told, str(config)), play, settings, out, command("python -m backtest"))
    show(found)
    print(json.dumps({"out": str(out), "ranking": found["ranking"]}, allow_nan=False), flush=True)


def _short(found: dict[str, Any]) -> dict[str, Any]:
    """The last line of a run: as evaluation.json, with [mean, low, high] for each figure and without the differences in all of them."""

    def triples(figures: dict[str, Any]) -> dict[str, Any]:
        return {name: [figure[k] for k in ("mean", "low", "high")] for name, figure in figures.items()}

    players = {player: triples(figures) for player, figures in found["players"].items()}
    kept = {name: found[name] for name in ("task", "episodes", "first", "headline", "verdicts", "warnings")}
    return {**kept, "players": players, "advantage": triples(found["advantage"])}


@exits_cleanly
def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command; a bad input ends it with one line and status 2."""
    given = sys.argv[1:] if arguments is None else arguments
    run_command({"run": run, "report": report, "portfolio": portfolio, "arena": arena}, "python -m backtest", given)


if __name__ == "__main__":
    main()
