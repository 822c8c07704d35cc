"""`python -m lobjax GROUP COMMAND`: one module of `lobjax.commands` a group. What a command needs is imported when it runs."""

import sys
from importlib import import_module

from lobjax.cli import run_command
from lobjax.errors import InputError, nearest
from lobjax.exits import exits_cleanly

GROUPS = {
    "data": "recorded days of order flow",
    "prices": "a store of raw bars and actions, with its quality report",
    "risk": "backtests of value at risk, and the circuit breaker over recorded ticks",
    "audit": "logs in which a change shows",
    "arena": "seats of several roles in one market, to look at",
}


def usage() -> str:
    lines = [f"  {name:<8} {summary}" for name, summary in GROUPS.items()]
    return "\n".join(
        [
            "usage: python -m lobjax GROUP COMMAND ...",
            "",
            *lines,
            "",
            "python -m lobjax GROUP --help tells more of one.",
        ]
    )


@exits_cleanly
def main(args: list[str]) -> None:
    """Run the command that the arguments name, after the group that it belongs to."""
    if not args or args[0] in ("-h", "--help"):
        print(usage())
        raise SystemExit(0 if args else 2)
    if args[0] not in GROUPS:
        raise InputError(f"no command '{args[0]}'; {nearest(args[0], GROUPS)}")
    commands = import_module(f"lobjax.commands.{args[0]}").COMMANDS
    run_command(commands, f"python -m lobjax {args[0]}", args[1:])


if __name__ == "__main__":
    main(sys.argv[1:])
