"""Progress on standard error: a bar for each player on a terminal, plain lines elsewhere."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from lobjax.cli import note

OnPlayed = Callable[[str, int], None]


@contextmanager
def playing(names: list[str], count: int) -> Iterator[OnPlayed]:
    """Show how many of `count` episodes each player has played; yields progress(player, done)."""
    with (_bars if sys.stderr.isatty() else _lines)(names, count) as progress:
        yield progress


@contextmanager
def _bars(names: list[str], count: int) -> Iterator[OnPlayed]:
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as shown:
        tasks = {name: shown.add_task(name, total=count) for name in names}
        yield lambda name, done: shown.update(tasks[name], completed=done)


@contextmanager
def _lines(names: list[str], count: int) -> Iterator[OnPlayed]:
    begun = time.perf_counter()

    def say(name: str, done: int) -> None:
        if done == count:
            note(f"{name}: {count} episodes, {time.perf_counter() - begun:.1f} s since the start")

    yield say
