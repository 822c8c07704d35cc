"""What all tests share: the CPU, and where real market data may lie."""

import os
from pathlib import Path

import pytest

os.environ.setdefault("JAX_PLATFORMS", "cpu")

import lobjax  # noqa: F401 - before Numba, which otherwise keeps compiled code where no other process looks for it


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real market data; tests that need it skip where it is absent (it may not be redistributed)."""
    folder = Path(os.environ.get("LOBJAX_DATA", Path(__file__).parents[2] / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no real market data at {folder}; set LOBJAX_DATA to a folder that holds lobster/")
    return folder
