"""Where a result comes from: versions, settings, the commit of the source tree, hashes of data files, the command."""

import platform
import shlex
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from lobjax.flow import FLOWS
from lobjax.registry import entry_of
from lobjax.results.surroundings import devices, settings

PACKAGES = ("lobjax", "jax", "jaxlib", "flax", "optax", "numpy", "numba", "orbax-checkpoint", "polars", "matplotlib")


def stamp() -> dict[str, Any]:
    """Versions, commit, devices and settings of this process."""
    return {
        "versions": {"python": platform.python_version(), **{name: _version(name) for name in PACKAGES}},
        "commit": commit(),
        "device": {**devices(), "host": platform.machine(), "system": platform.platform()},
        "settings": settings(),
    }


def commit() -> str:
    """The commit of this source tree, with a plus sign where it has been changed; "unknown" outside git."""
    asked = ["git", "describe", "--always", "--abbrev=40", "--dirty=+", "--exclude=*"]
    try:
        found = subprocess.run(
            asked,
            cwd=Path(__file__).parent,
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="replace",
            check=False,
        )
    except FileNotFoundError:
        return "unknown"
    return found.stdout.strip() or "unknown"


def command(program: str, arguments: list[str] | None = None) -> str:
    """The command line, ready to paste; `arguments` None stands for this process's own."""
    return shlex.join([*shlex.split(program), *(sys.argv[1:] if arguments is None else arguments)])


def data_sources(*flows: Any) -> dict[str, str]:
    """sha256 of every file that flows, by their configurations, are read from, by name; {} for simulated ones, and for None."""
    found: dict[str, str] = {}
    for flow in (flow for flow in flows if flow is not None):
        found |= entry_of(FLOWS, flow).sources(flow)
    return found


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
