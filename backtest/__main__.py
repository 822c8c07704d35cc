"""Backtests: `python -m backtest run|report`, each with --help. What a command needs is imported when it runs."""

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


def report(folder: tyro.conf.Positional[Path], /) -> None:
    """Draw the figures and write the report of a backtest's folder again.

    Args:
        folder: what `python -m backtest run` left.
    """
    from backtest.report import write_report

    with locks.held(folder):
        print(json.dumps({"report": str(write_report(folder))}))


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
    run_command({"run": run, "report": report}, "python -m backtest", given)


if __name__ == "__main__":
    main()
