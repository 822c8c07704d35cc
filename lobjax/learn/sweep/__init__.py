"""Sweeps: many runs of one configuration with other values, as few compiled programs as there are shapes among them.

    from lobjax.learn.sweep import load_sweep, run_sweep  # extra `sweep`

    table = run_sweep(load_sweep("execution", "trials=8"), "runs/sweep")
    table.frame  # a row for each trial and seed

config   what a sweep is, and everything that can be checked before it starts
space    what is searched: values by dotted key
batching which values are data to a compiled program, so that runs with other values share it
play     one program: its runs side by side, update by update, without those that are pruned
propose  what is tried next, and what is not worth going on with (optuna)
table    trials.parquet, a row for each trial and seed
run      the loop over batches, new or going on after a kill
cluster  the same loop with programs as trials of Ray Tune
report   the ranking with intervals over seeds, and figures
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lobjax.learn.sweep.config import Sweep, SweepConfig, load_sweep
    from lobjax.learn.sweep.run import run_sweep
    from lobjax.learn.sweep.table import Table

_HOMES = {"Sweep": "config", "SweepConfig": "config", "load_sweep": "config", "run_sweep": "run", "Table": "table"}

__all__ = ["Sweep", "SweepConfig", "Table", "load_sweep", "run_sweep"]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"lobjax.learn.sweep.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'lobjax.learn.sweep' has no attribute '{name}'")
