"""`python -m bench COMMAND`: run engines on files, replay recorded days, measure. One module a command."""

import sys
from collections.abc import Sequence
from importlib import import_module

from lobjax.cli import run_command
from lobjax.errors import InputError, nearest
from lobjax.exits import exits_cleanly

# In `bench.commands` a module each, of the same name as its function; imported when asked for: one command's libraries do not slow
# another's start.
COMMANDS = {
    "run-stream": "run one engine on a file of message streams",
    "arena-tape": "play an arena and write what anyone needs to check it with a book of their own",
    "arena": "measure steps a second of an arena under a random policy",
    "conformance": "compare engines with the reference on random streams of every kind",
    "engine": "measure messages a second by engine, books, capacity and stream",
    "env": "measure environment steps a second in recorded and simulated markets",
    "execution-cell": "play one strategy in one of the execution paper's markets",
    "execution-paper": "the execution paper's tables: ours, theirs, and z",
    "sweep": "measure seeds in one compiled training program against runs one after another",
    "table": "turn records into a Markdown table and a scaling plot",
    "forecast": "baselines of the trend of the mid on a recorded day, by horizon",
    "forecast-case": "answer small cases of labels, scalers, scores, risk and drift from a file, in double precision",
    "gpu-check": "test and measure on a GPU, and leave one folder of records",
    "kernel-compile": "compile the GPU kernel without a GPU, try and count its code",
    "market-statistics": "simulated markets without an agent: statistics beside an independent simulator's, impact, depth, flow",
    "olps": "rules of online portfolio selection on the classic sets, beside the papers' tables",
    "portfolio-case": "small cases of a portfolio, step by step, through the environment's functions",
    "prices": "measure building a store of prices and adding a day to it",
    "snapshot": "measure steps a second of the snapshot environment",
    "nets": "measure training steps of the Transformer by framework, precision and size",
    "parity": "compare Flax and torch: forward, gradients, updates, FP8 codes",
    "resume": "kill training runs at random moments; they must end as if they never were",
    "train": "measure training steps a second, compile time, memory and time per phase",
    "replay": "replay a recorded LOBSTER day and compare every row with its book file",
}


def usage() -> str:
    lines = [f"  {name:<17} {summary}" for name, summary in COMMANDS.items()]
    return "\n".join(
        ["usage: python -m bench COMMAND ...", "", *lines, "", "python -m bench COMMAND --help tells more of one."]
    )


@exits_cleanly
def main(given: Sequence[str] | None = None) -> None:
    """Run the command that the first argument names."""
    name, *arguments = (sys.argv[1:] if given is None else given) or ["--help"]
    if name in ("-h", "--help"):
        print(usage())
        return
    if name not in COMMANDS:
        raise InputError(f"bench: unknown command '{name}'; {nearest(name, COMMANDS)}")
    function = name.replace("-", "_")
    run_command(getattr(import_module(f"bench.commands.{function}"), function), f"python -m bench {name}", arguments)


if __name__ == "__main__":
    main()
