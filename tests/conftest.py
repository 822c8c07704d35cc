"""What all tests share: the CPU, where real market data may lie, and a bound on what a worker keeps from module to module."""

import os
from pathlib import Path

import pytest

os.environ.setdefault("JAX_PLATFORMS", "cpu")

import lobjax  # noqa: F401 - before Numba, which otherwise keeps compiled code where no other process looks for it
from tests import memory

# What tests may hand on to the next: neighbours share programs, so little is let go of within a module, more between modules.
WITHIN_BYTES, BETWEEN_BYTES = 1 << 30, 3 << 28


@pytest.fixture(scope="module", autouse=True)
def modules_hand_on_little():
    """After a module, where the process has grown: programs, and whatever tests keep in caches, are let go."""
    yield
    memory.let_go_beyond(BETWEEN_BYTES)


@pytest.fixture(autouse=True)
def tests_hand_on_little():
    """The same after a test."""
    yield
    memory.let_go_beyond(WITHIN_BYTES)


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real market data; tests that need it skip where it is absent (it may not be redistributed)."""
    folder = Path(os.environ.get("LOBJAX_DATA", Path(__file__).parents[2] / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no real market data at {folder}; set LOBJAX_DATA to a folder that holds lobster/")
    return folder
