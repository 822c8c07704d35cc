"""The record of `bench market-statistics`: what was measured of each market, as plain numbers for JSON, tables and figures."""

import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from bench import recording
from bench.papers.market import events, sampling
from bench.papers.market.estimates import REFERENCE_EPISODES, rows
from bench.papers.market.setting import OnBatch, quietly, setting
from bench.papers.market.views import ORDERS, PLACES, Impact, impact, stationary_depth
from lobjax.flow import PoissonConfig
from lobjax.memory import machine_bytes, must_fit
from lobjax.results.intervals import interval
from lobjax.tasks import ExecutionConfig

SHAPE = (
    ExecutionConfig().volume_scale_lots
)  # of the book, by distance from the opposite best, as the authors' code has it
SECONDS = 150
WINDOW_S = 15  # over which changes of the mid and events are counted: a step of the execution task
IMPACT_EPISODES, EVENT_EPISODES, DEPTH_BOOKS = 2000, 128, 512  # views need no more
_COPIES = 2.5  # of what episodes showed: by batch, joined, and a figure of it
MOST_SPREAD, MOST_WAIT_S, WAITS = 6, 1.2, 24


def measure(
    markets: Mapping[str, PoissonConfig], episodes: int, seed: int, *, views: bool = True, on_batch: OnBatch = quietly
) -> dict[str, Any]:
    """Play each market over `episodes`; with `views`, also what the figures show. InputError where that does not fit in memory."""
    check_memory(episodes)
    record: dict[str, Any] = {
        "bench": "market-statistics",
        "episodes": episodes,
        "seconds": SECONDS,
        "seed": seed,
        "reference": f"an independent simulator over {REFERENCE_EPISODES:,} episodes",
        "markets": {name: _market(name, config, episodes, seed, views, on_batch) for name, config in markets.items()},
    }
    if views:
        depth = stationary_depth(PoissonConfig(), min(episodes, DEPTH_BOOKS), seed)
        record["stationary_depth"] = {**_curve(depth), "reference": SHAPE, "opening": PoissonConfig().opening_lots}
    return {**record, **recording.origin()}


def check_memory(episodes: int) -> None:
    """InputError where so many episodes need more memory than there is, before any is played."""
    kept = _COPIES * sampling.episode_bytes(SECONDS) * episodes
    must_fit(
        kept, f"a market's {episodes:,} episodes", change="lower --episodes, or --statistics", free=machine_bytes()
    )


def _market(
    name: str, config: PoissonConfig, episodes: int, seed: int, views: bool, on_batch: OnBatch
) -> dict[str, Any]:
    of, begun = setting(config), time.perf_counter()
    paths = sampling.play(of, episodes, seed, seconds=SECONDS, on_batch=on_batch)
    spent = time.perf_counter() - begun
    found: dict[str, Any] = {
        "engine": of.market.runs_on.engine,
        "seconds_spent": round(spent, 2),  # compiling included
        "episodes_per_s": recording.rounded(episodes / spent, 3),
        "statistics": [
            {
                "name": row.name, "value": row.ours.value, "error": row.ours.error, "reference": row.reference,
                "z": None if row.z is None else round(row.z, 2),
            }
            for row in rows(name, paths)
        ],
        "not_zero": paths.wrong,
    }  # fmt: skip
    if views:
        found["views"] = {
            "depth": _curve(paths.depth),
            "spread": _spread(paths),
            "change": _change(paths),
            "flow": _flow(events.play(of, min(episodes, EVENT_EPISODES), seed)),
            "impact": _impact(impact(of, min(episodes, IMPACT_EPISODES), seed)),
        }
    return found


def _curve(values: np.ndarray) -> dict[str, Any]:
    """Mean over episodes `[n, k]` and half of its 95% interval."""
    found = [interval(column) for column in values.T]
    return {"n": len(values), "mean": _short([i.mean for i in found]), "half": _short([i.half for i in found])}


def _spread(paths: sampling.Paths) -> dict[str, Any]:
    """Share of time by spread in ticks; the last one stands for all that are wider."""
    ticks = np.minimum(paths.spread, MOST_SPREAD)
    return {
        "ticks": list(range(1, MOST_SPREAD + 1)),
        **_curve(np.stack([(ticks == k).mean(axis=1) for k in range(1, MOST_SPREAD + 1)], axis=1)),
    }


def _change(paths: sampling.Paths) -> dict[str, Any]:
    """How often the mid changed by so many ticks over `WINDOW_S`, in windows that do not overlap."""
    change = np.diff(paths.mid[:, ::WINDOW_S], axis=1)
    steps, counts = np.unique(change, return_counts=True)
    return {
        "ticks": steps.tolist(),
        "share": _short(counts / counts.sum()),
        "windows": int(counts.sum()),
        "std": recording.rounded(float(change.std())),
    }


def _flow(seen: events.Events) -> dict[str, Any]:
    """The noise trader's events a second by kind, and how its waits are distributed."""
    waits, edges = seen.waits_s(), np.linspace(0, MOST_WAIT_S, WAITS + 1)
    counts, _ = np.histogram(waits, edges)
    return {
        "kinds": events.KINDS,
        **_curve(seen.per_s()),
        "wait_edges_s": _short(edges),
        "wait_density_per_s": _short(counts / (len(waits) * np.diff(edges))),
        "waits": len(waits),
        "mean_wait_s": recording.rounded(float(waits.mean())),
    }


def _impact(found: Impact) -> dict[str, Any]:
    curves = []
    for at, order in enumerate(ORDERS):
        seen = found.change[found.counts[:, at], at]
        if len(seen) > 1:
            curves.append({"place": order.place, "lots": order.lots, **_curve(seen)})
    return {"at_s": found.at_s.tolist(), "places": PLACES, "orders": curves, "not_zero": found.wrong}


def _short(values: Sequence[float] | np.ndarray) -> list[float]:
    return [float(f"{value:.5g}") for value in values]
