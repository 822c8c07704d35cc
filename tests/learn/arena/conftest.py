"""Runs in arenas of which each program is compiled once."""

from pathlib import Path

import pytest

from lobjax.learn.arena import ArenaRun, start
from lobjax.learn.flax import Program
from lobjax.learn.progress import quietly
from tests.learn.arena.small import compile_once, config


@pytest.fixture(autouse=True)
def compiled_once(monkeypatch):
    monkeypatch.setattr(Program, "compile", compile_once)


@pytest.fixture(scope="session")
def finished(tmp_path_factory) -> ArenaRun:
    """A run of eight updates that was never stopped; its folder is not to be changed."""
    folder = Path(tmp_path_factory.mktemp("arena")) / "finished"
    with pytest.MonkeyPatch.context() as patch, quietly():
        patch.setattr(Program, "compile", compile_once)
        return start(config(), folder)
