"""The loop of a sweep over batches, in a new folder or going on where it was stopped."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from lobjax import locks
from lobjax.cli import note
from lobjax.learn.progress import phase
from lobjax.learn.sweep import propose, report
from lobjax.learn.sweep.batching import signature
from lobjax.learn.sweep.config import Sweep
from lobjax.learn.sweep.play import Job, JobResult, JobRunner
from lobjax.learn.sweep.propose import Past
from lobjax.learn.sweep.space import Point
from lobjax.learn.sweep.table import Table, open_folder

Done = Callable[[Job, JobResult], None]
Execute = Callable[[Sequence[Job], list[Past], Done], None]


def run_sweep(sweep: Sweep, out: str | Path, execute: Execute | None = None) -> Table:
    """Play what is not in the folder's table yet, batch by batch, then write and print the report.

    `execute(jobs, past, done)` plays jobs, given all trials of the batches before, and calls done(job, played) as each ends; it is `here`
    unless another is given.
    """
    with locks.held(out):
        return _run_sweep(sweep, Path(out), execute)


def _run_sweep(sweep: Sweep, out: Path, execute: Execute | None) -> Table:
    table = open_folder(out, sweep)
    past: list[Past] = []
    play = execute or here(sweep)
    for number in range(sweep.n_batches):
        points = propose.batch(sweep, number, past)
        first = len(past)
        by_trial = dict(enumerate(points, first))
        jobs = jobs_of(sweep, first, points)
        waiting = [job for job in jobs if not table.has(job.trials)]
        behind = f", {len(jobs) - len(waiting)} of them played before" if len(waiting) < len(jobs) else ""
        note(f"batch {number + 1} of {sweep.n_batches}: {len(points)} trials in {len(jobs)} programs{behind}")
        play(waiting, past, lambda job, played: table.add(played, {t: by_trial[t] for t in job.trials}))  # noqa: B023
        past += table.past(first, points)
    report.write(table, sweep, past)
    return table


def jobs_of(sweep: Sweep, first: int, points: list[Point]) -> list[Job]:
    """The programs of a batch: trials by signature, each split so that its runs fit."""
    groups: dict[str, list[tuple[int, Any]]] = {}
    for trial, point in enumerate(points, first):
        config = sweep.training(point)
        groups.setdefault(signature(config), []).append((trial, config))
    each = sweep.config.runs_per_program // sweep.config.seeds
    parts = [group[i : i + each] for group in groups.values() for i in range(0, len(group), each)]
    return [
        Job(
            f"trials {part[0][0]}-{part[-1][0]}", tuple(trial for trial, _ in part), tuple(config for _, config in part)
        )
        for part in parts
    ]


def play_job(job_runner: JobRunner, sweep: Sweep, job: Job, past: list[Past]) -> JobResult:
    """Play one job, pruning by the trials of the batches before."""
    config = job.configs[0]
    wide = len(job.trials) * sweep.config.seeds
    with phase(job.name, wide * config.n_updates * config.batch_size) as advance:
        return job_runner.play(job, lambda rung, values: propose.stops(sweep.config, rung, past, values), advance)


def here(sweep: Sweep) -> Execute:
    """Jobs one after another in this process."""
    job_runner = JobRunner(sweep.config, sweep.tasks)

    def play(jobs: Sequence[Job], past: list[Past], done: Done) -> None:
        for job in jobs:
            done(job, play_job(job_runner, sweep, job, past))

    return play
