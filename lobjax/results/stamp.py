"""Where a result comes from: versions, settings, the commit of the source tree, hashes of data files, the command."""

import platform
import shlex
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from lobjax.data.built import META, read_info
from lobjax.data.sources import source_digests
from lobjax.env import EnvConfig, RecordedConfig
from lobjax.reading import is_file
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
    """sha256 of every source file of recorded flows (or of environments' flows), by file name; {} for simulated ones."""
    found: dict[str, str] = {}
    for flow in flows:
        flow = flow.flow if isinstance(flow, EnvConfig) else flow
        if isinstance(flow, RecordedConfig):
            found |= _sources(flow)
    return found


def _sources(flow: RecordedConfig) -> dict[str, str]:
    if is_file(flow.path / META):
        return dict(read_info(flow.path).sources)
    return source_digests(flow.path, flow.book)


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
