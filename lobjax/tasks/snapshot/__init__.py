"""Trading the snapshots of a recorded book: at every one, buy or sell a few lots at market, or hold."""

from dataclasses import replace

from lobjax.tasks.registry import Report, TaskSpec, register
from lobjax.tasks.snapshot.config import SnapshotConfig
from lobjax.tasks.snapshot.make import make_snapshot
from lobjax.tasks.snapshot.metrics import MEASURES
from lobjax.tasks.snapshot.strategies import STRATEGIES
from lobjax.tasks.snapshot.task import SnapshotTask
from lobjax.tasks.words import Words

__all__ = ["SPEC", "SnapshotConfig", "SnapshotTask"]


def _without_hindsight(config: SnapshotConfig) -> SnapshotConfig:
    return replace(config, reward="value")


def _report(words: Words) -> Report:
    from lobjax.tasks.snapshot.report import SnapshotReport  # draws with matplotlib, which an environment does without

    return SnapshotReport(words)


SPEC = register(
    TaskSpec(
        config=SnapshotConfig,
        make=make_snapshot,
        measures=MEASURES,
        strategies=STRATEGIES,
        for_evaluation=_without_hindsight,
        traced=False,  # its paths show every decision already
        report=_report,
    )
)
