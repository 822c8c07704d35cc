"""Progress on standard error: a bar for each phase on a terminal or in a notebook, plain lines elsewhere; or nothing, if so wished."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from importlib.util import find_spec

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from lobjax.cli import note

Advance = Callable[..., None]
LINE_EVERY_SECONDS = 10.0


_QUIET: ContextVar[bool] = ContextVar("quiet", default=False)


@contextmanager
def quietly(quiet: bool = True) -> Iterator[None]:
    """Inside, `phase` shows nothing and `say` says nothing."""
    token = _QUIET.set(quiet)
    try:
        yield
    finally:
        _QUIET.reset(token)


def is_quiet() -> bool:
    """Whether progress is not to be shown."""
    return _QUIET.get()


def say(text: str) -> None:
    """A line of progress on standard error. A warning is no progress: that is `lobjax.cli.note`'s."""
    if not is_quiet():
        note(text)


@contextmanager
def phase(name: str, total: int | None = None, unit: str = "steps", done: int = 0) -> Iterator[Advance]:
    """Show a phase of work while it lasts; yields advance(n, note="").

    `total` counts `unit`s, of which `done` are behind us; without it only the time shows. The rate is over this phase.
    """
    if is_quiet():
        yield lambda n, note="": None
        return
    show = _bar if sys.stderr.isatty() or _in_notebook() else _lines
    with show(name, total, unit, done) as advance:
        yield advance


def _in_notebook() -> bool:
    """Whether bars can be drawn under a notebook's cell: rich does so by ipywidgets (extra `notebook`)."""
    return Console().is_jupyter and find_spec("ipywidgets") is not None


@contextmanager
def _bar(name: str, total: int | None, unit: str, done: int) -> Iterator[Advance]:
    said, beside = (TextColumn(text, markup=False) for text in ("{task.description:<9}", "{task.fields[note]}"))
    columns = [SpinnerColumn(), said, BarColumn(), beside]
    columns += [TimeElapsedColumn()] + ([TimeRemainingColumn()] if total else [])
    started, now = time.perf_counter(), done
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task(name, total=total, completed=done, note="")

        def advance(n: int, note: str = "") -> None:
            nonlocal now
            now += n
            progress.update(task, completed=now, note=f"{_rate(now - done, started, unit)} {note}")

        yield advance
        progress.update(task, total=total or 1, completed=total or 1)


@contextmanager
def _lines(name: str, total: int | None, unit: str, done: int) -> Iterator[Advance]:
    started, now = time.perf_counter(), done
    spoke = started

    def advance(n: int, note: str = "") -> None:
        nonlocal now, spoke
        now += n
        if time.perf_counter() - spoke >= LINE_EVERY_SECONDS:
            spoke = time.perf_counter()
            share = f" {100 * now / total:.0f}%" if total else ""
            print(
                f"{name}:{share} {now} {unit}, {_rate(now - done, started, unit)} {note}", file=sys.stderr, flush=True
            )

    yield advance
    rate = f", {_rate(now - done, started, unit)}" if now > done else ""
    print(f"{name}: done in {time.perf_counter() - started:.1f} s{rate}", file=sys.stderr, flush=True)


def _rate(n: int, started: float, unit: str) -> str:
    return f"{n / max(time.perf_counter() - started, 1e-9):,.0f} {unit}/s"
