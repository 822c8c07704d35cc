"""`python -m bench table FILES...`: records as Markdown tables, such as those of docs/results.md, and as a plot of speed against books."""

from pathlib import Path
from typing import Annotated

import tyro

from bench import recording
from lobjax.errors import InputError


def table(
    files: Annotated[tuple[Path, ...], tyro.conf.Positional], /, *, plot: Path | None = None, uncommitted: bool = False
) -> None:
    """Print Markdown tables of records that `bench engine` and `bench env` wrote, with the commands that made them.

    Of records of one thing the last is shown. An engine is set against a peer only where both ran in one run of the command.

    Args:
        files: Files of JSON lines.
        plot: Draw messages a second against books into this PNG.
        uncommitted: Show records of trees with uncommitted changes too (their commit ends with +); otherwise they are refused.
    """
    from bench.speed import table as work
    from bench.speed.scaling import draw

    found = work.latest(recording.read(files, uncommitted=uncommitted))
    print("\n\n".join(work.markdown(found)))
    if plot is not None:
        engines = [record for record in found if record["bench"] == "engine"]
        if not engines:
            raise InputError(f"--plot {plot}: no record of `bench engine` among these files")
        draw(engines, plot)
