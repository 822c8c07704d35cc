"""What a sweep says at the end: trials ranked, with intervals over seeds, and which keys mattered. Markdown, figures, standard output."""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import optuna
import polars as pl

from lobjax.display import cell, printable
from lobjax.files import whole_file
from lobjax.learn.sweep import figures
from lobjax.learn.sweep.config import Sweep
from lobjax.learn.sweep.propose import Past, study_of
from lobjax.learn.sweep.space import label
from lobjax.learn.sweep.table import Table
from lobjax.results import style
from lobjax.results.intervals import Interval, interval
from lobjax.results.tables import plus_minus

FILE = "report.md"
SHOWN = 20  # trials in the ranking on standard output; the file has all


class Ranked(NamedTuple):
    """A complete trial and its value over seeds."""

    past: Past
    value: Interval


def ranking(sweep: Sweep, past: Sequence[Past], frame: pl.DataFrame) -> list[Ranked]:
    """Complete trials, the best first; equal ones by number."""
    found = []
    for each in past:
        values = frame.filter(pl.col("trial") == each.trial)["value"].drop_nulls().to_numpy()
        if each.status == "complete" and each.value is not None:
            found.append(Ranked(each, interval(values)))
    sign = -1 if sweep.config.direction == "maximize" else 1
    return sorted(found, key=lambda ranked: (sign * ranked.value.mean, ranked.past.trial))


def importances(sweep: Sweep, past: Sequence[Past]) -> dict[str, float]:
    """Share of each key in what sets the best quarter of complete trials apart (PED-ANOVA, Watanabe et al., arXiv 2304.10255).

    {} for fewer than 8 of them. Pruned trials do not count: their values are of shorter runs.
    """
    complete = [each for each in past if each.status == "complete" and each.value is not None]
    if len(complete) < 8 or len({each.value for each in complete}) < 2:
        return {}
    study = study_of(sweep.config, sweep.space, complete)
    found = optuna.importance.get_param_importances(
        study, evaluator=optuna.importance.PedAnovaImportanceEvaluator(target_quantile=0.25)
    )
    return {key: value for key, value in found.items() if math.isfinite(value)}


def write(table: Table, sweep: Sweep, past: Sequence[Past]) -> None:
    """Leave report.md and the figures in the sweep's folder, and print the ranking's head."""
    ranked, weights = ranking(sweep, past, table.frame), importances(sweep, past)
    folder = table.path / "figures"
    if len(ranked) > 1:
        style.write(figures.parallel(sweep, ranked), folder / "parallel.png")
    if weights:
        style.write(figures.importance(sweep, weights, len(ranked)), folder / "importance.png")
    with whole_file(table.path / FILE) as temporary:
        temporary.write_text("\n".join(markdown(sweep, past, ranked, weights)) + "\n", encoding="utf-8")
    print("\n".join(_ranks(sweep, ranked[:SHOWN])))
    print(f"\n{_counts(past)}; the whole table: {table.path / FILE}")


def markdown(sweep: Sweep, past: Sequence[Past], ranked: Sequence[Ranked], weights: dict[str, float]) -> list[str]:
    """The report's lines."""
    config = sweep.config
    lines = [
        printable(f"# Sweep over {', '.join(sweep.space)}"),
        "",
        f"{_counts(past)}. Method {config.method}; {config.direction} `{config.metric}`, its mean over the last "
        f"{100 * config.over:g}% of a run; mean of {config.seeds} seeds with half of the 95% interval (Student's t).",
        "",
        *_ranks(sweep, ranked),
        "",
    ]
    if ranked:
        lines += [
            f"The first of {len(ranked)} is first in part by luck: its value is biased in its favour. Train it with other seeds before "
            "believing the figure.",
            "",
        ]
    if weights:
        lines += [
            "| key | importance |",
            "|---|---|",
            *(_row([key, f"{value:.2f}"]) for key, value in weights.items()),
            "",
        ]
    others = [each for each in past if each.status != "complete"]
    if others:
        lines += [_row(["trial", *sweep.space, "status"]), _row(["---"] * (len(sweep.space) + 2))]
        lines += [_row([each.trial, *_point(sweep, each), each.status]) for each in others]
    return lines


def _ranks(sweep: Sweep, ranked: Sequence[Ranked]) -> list[str]:
    head = [_row(["rank", "trial", *sweep.space, sweep.config.metric]), _row(["---"] * (len(sweep.space) + 3))]
    return head + [
        _row([rank, each.past.trial, *_point(sweep, each.past), _said(each.value)])
        for rank, each in enumerate(ranked, 1)
    ]


def _said(value: Interval) -> str:
    return plus_minus(value) if value.n > 1 else f"{value.mean:.4g} (one seed)"


def _point(sweep: Sweep, past: Past) -> list[str]:
    return [f"{x:.4g}" if isinstance(x := past.point[key], float) else label(x) for key in sweep.space]


def _counts(past: Sequence[Past]) -> str:
    count = {status: sum(each.status == status for each in past) for status in ("complete", "pruned", "failed")}
    return f"{len(past)} trials: " + ", ".join(f"{n} {status}" for status, n in count.items())


def _row(cells: Sequence[Any]) -> str:
    return "| " + " | ".join(cell(str(each)) for each in cells) + " |"
