"""A short recorded day for tests, made by the exchange that prints LOBSTER files."""

from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory

from lobjax.env import Environment
from lobjax.tasks import EnvConfig, ExecutionConfig, MarketConfig, RecordedConfig, make
from tests.data.synthetic_lobster import make_rows, write_pair


@lru_cache
def rows() -> tuple[list[str], list[str]]:
    """Messages and books of about three minutes from 09:30 on."""
    return make_rows(5, 3000, seed=4)


def write_day(folder: Path) -> Path:
    """Write the day as a zip; returns its path."""
    return write_pair(folder, *rows(), ending=".zip")


def recorded_config(path: Path, from_time: str = "09:30:10", until_time: str = "09:31:10") -> EnvConfig:
    """Windows of 8 s with four decisions each."""
    return EnvConfig(
        task=ExecutionConfig(lots=12, decisions=4, step_s=2.0),
        flow=RecordedConfig(path=path, from_time=from_time, until_time=until_time, start_every_s=8.0),
        market=MarketConfig(capacity=256, max_messages=512),
    )


@lru_cache
def recorded_environment() -> Environment:
    """An environment on the day."""
    with TemporaryDirectory() as folder:
        return make(recorded_config(write_day(Path(folder))))
