"""Command lines by tyro, with one line instead of a box where the arguments are wrong; and what they say beside their results."""

import contextlib
import functools
import io
import os
import re
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence

import tyro

from lobjax import caching, surroundings
from lobjax.errors import InputError, nearest

LEAST_COLUMNS = 40
_BOX = re.compile(r"[╭╮╰╯│─]+")


def run_command(commands: dict[str, Callable] | Callable, prog: str, arguments: Sequence[str]) -> None:
    """Parse `arguments` for a command, or for one of several by its name, and run it.

    Wrong arguments are an InputError that says which; `--help` prints and exits with status 0.
    """
    arguments = list(arguments)
    for argument in arguments:
        if not _is_text(argument):  # Polars, Arrow and TensorStore take no name that is none
            raise InputError(
                f"{prog}: '{argument}' is no text in {sys.getfilesystemencoding()}; rename it, or set LC_ALL=C.UTF-8"
            )
    if isinstance(commands, dict) and arguments and not arguments[0].startswith("-") and arguments[0] not in commands:
        raise InputError(f"{prog}: unknown command '{arguments[0]}'; {nearest(arguments[0], commands)}")
    said = io.StringIO()
    try:
        # Only parsing happens in here: what is parsed is a call put off, so that its own errors are not captured.
        with contextlib.redirect_stderr(said), _wide_enough():
            if isinstance(commands, dict):
                later = {name: _put_off(command) for name, command in commands.items()}
                call = tyro.extras.subcommand_cli_from_dict(later, prog=prog, args=arguments)
            else:
                call = tyro.cli(_put_off(commands), prog=prog, args=arguments)
    except SystemExit as stop:
        if stop.code in (0, None):
            raise
        words = " ".join(_BOX.sub(" ", said.getvalue()).split())
        raise InputError(f"{prog}: {words.removeprefix('Parsing error ') or 'wrong arguments'}") from None
    surroundings.check()
    caching.say()
    call()


def _is_text(argument: str) -> bool:
    """Whether it has no bytes that the system's encoding has no character for; Python keeps them as halves of characters."""
    return not any("\ud800" <= character <= "\udfff" for character in argument)


@contextlib.contextmanager
def _wide_enough() -> Iterator[None]:
    """Help for a terminal of a few columns is laid out for more: with five, tyro never ends."""
    before = os.environ.get("COLUMNS")
    if shutil.get_terminal_size().columns < LEAST_COLUMNS:
        os.environ["COLUMNS"] = str(LEAST_COLUMNS)
    try:
        yield
    finally:
        if before is not None:
            os.environ["COLUMNS"] = before
        else:
            os.environ.pop("COLUMNS", None)


def _put_off(command: Callable) -> Callable[..., Callable[[], None]]:
    @functools.wraps(command)
    def parsed(*args, **kwargs) -> Callable[[], None]:
        return functools.partial(command, *args, **kwargs)

    return parsed


def note(text: str) -> None:
    """One line on standard error."""
    print(text, file=sys.stderr, flush=True)
