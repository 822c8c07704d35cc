"""Modules of a user's own that a configuration names under `plugins`: they register tasks, flows, networks and so on when imported.

A module is found in the working directory or among what is installed. What it registered is known from then on; run.json records the
names, so that whoever goes on with a run, or plays its agent, imports them again.
"""

import sys
from collections.abc import Iterable
from importlib import import_module, invalidate_caches
from pathlib import Path
from traceback import extract_tb
from typing import Any

from lobjax.errors import InputError

KEY = "plugins"


def named(data: Any, where: str = f"config.{KEY}") -> tuple[str, ...]:
    """The modules that a configuration, as plain mappings, names; InputError where that is no list of modules' names."""
    found = data.get(KEY) if isinstance(data, dict) else None
    if not isinstance(found, (list, tuple, type(None))):
        raise InputError(f"{where}: expected a list of modules, found {type(found).__name__}; write [{found}]")
    for name in found or ():
        if not isinstance(name, str) or not all(part.isidentifier() for part in name.split(".")):
            raise InputError(f"{where}: {name!r:.60} is no module's name; write it as after `import`, without .py")
    return tuple(found or ())


def load(names: Iterable[str], where: str = f"config.{KEY}") -> None:
    """Import the modules, each once; InputError in one line where one is missing, fails, or takes a name that is taken."""
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.append(here)
        invalidate_caches()
    for name in names:
        try:
            import_module(name)
        except InputError as error:
            raise InputError(f"{where}: {name}: {error}") from None
        except ModuleNotFoundError as error:
            if error.name is None or not f"{name}.".startswith(
                f"{error.name}."
            ):  # the module is there; what it imports is not
                raise InputError(f"{where}: {_failed(name, error)}") from None
            raise InputError(
                f"{where}: no module '{name}' in {here} nor installed; run where {name.split('.')[0]}.py lies"
            ) from None
        except Exception as error:
            raise InputError(f"{where}: {_failed(name, error)}") from None


def load_named(data: Any, where: str = f"config.{KEY}") -> tuple[str, ...]:
    """`load` what a configuration names; returns the names."""
    names = named(data, where)
    load(names, where)
    return names


def _failed(name: str, error: Exception) -> str:
    """What went wrong where: the innermost line of the module, or of what it imports."""
    frames = [frame for frame in extract_tb(error.__traceback__) if not frame.filename.startswith("<frozen")]
    at = f" at {frames[-1].filename}:{frames[-1].lineno}" if len(frames) > 1 else ""
    if isinstance(error, SyntaxError):
        at = f" at {error.filename}:{error.lineno}"
    return f"{name} failed{at} with {type(error).__name__}: {error}; mend it"
