"""A case through the functions that the environment runs on the device, held against the reference in NumPy and the ledger."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from bench.verification.portfolio.cases import Case
from lobjax.portfolio.accounting import Rates
from lobjax.portfolio.device import on_device, played
from lobjax.portfolio.playing import Path, play
from lobjax.portfolio.tables import Tables, tables

WITHIN = {"float32": 2e-6, "float64": 1e-10}  # of the reference, a step's log return

_played = jax.jit(played)  # once for all cases of a shape


def witness(case: Case, *, single: bool) -> tuple[dict[str, Any], float]:
    """The figures of a case by name, in shapes of the values file, and how far a step's log return is from the reference's."""
    dtype = np.float32 if single else np.float64
    with jax.enable_x64(not single):
        found = tables(case.panel)
        panel = on_device(found, dtype)
        rates = jnp.asarray(case.rates, dtype)
        out = _played(panel, jnp.int32(0), jnp.asarray(case.targets, dtype), jnp.asarray(case.trades), rates, rates)
        features, mask = np.asarray(panel.features), np.asarray(panel.mask)
        steps = {name: np.asarray(values) for name, values in out.items()}
    reference = _reference(case, found)
    alive = ~np.isnan(reference.log_return)
    apart = np.abs(_finite(steps["log_return"][alive]) - _finite(reference.log_return[alive]))
    wealth = np.exp(np.cumsum(steps["log_return"].astype(np.float64)))
    return {
        "features": _listed(features),
        "mask": mask.tolist(),
        "mu": _listed(steps["kept"], alive),
        "turnover": _listed(steps["turnover"], alive),
        "log_return": _listed(steps["log_return"], alive),
        "wealth": _listed(wealth, alive),
        "weights_before_trade": _listed(steps["before"], alive),
        "weights_after_trade": _listed(steps["after"], alive),
    }, float(apart.max(initial=0.0))


def _reference(case: Case, found: Tables) -> Path:
    rates = Rates(case.rates, case.rates)

    def decide(t: int, before: np.ndarray) -> np.ndarray | None:
        return case.targets[t] if case.trades[t] else None

    return play(found.returns, found.tradable, rates, decide, 0, found.steps)


def _finite(values: np.ndarray) -> np.ndarray:
    """-inf, where wealth is gone, is one number on both sides."""
    return np.where(np.isneginf(values), -1e3, values.astype(np.float64))


def _listed(values: np.ndarray, alive: np.ndarray | None = None) -> Any:
    """Lists, with null for what is no number: after wealth is gone, and its last log return."""
    kept = np.isfinite(values)
    if alive is not None:
        kept &= alive.reshape(-1, *[1] * (values.ndim - 1))
    objects = values.astype(np.float64).astype(object)
    objects[~kept] = None
    return objects.tolist()
