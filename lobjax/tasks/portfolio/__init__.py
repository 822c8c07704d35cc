"""Portfolios: weights of several assets and cash, decided at every close, traded at the next open."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from lobjax.tasks.portfolio.config import PortfolioConfig
from lobjax.tasks.portfolio.make import environment, make_portfolio
from lobjax.tasks.portfolio.metrics import MEASURES
from lobjax.tasks.portfolio.strategies import STRATEGIES
from lobjax.tasks.portfolio.task import PortfolioTask, Unpacked, unpacked
from lobjax.tasks.registry import Report, TaskSpec, register
from lobjax.tasks.words import Words

__all__ = ["SPEC", "PortfolioConfig", "PortfolioTask", "Unpacked", "environment", "unpacked"]


def _profit_alone(config: PortfolioConfig) -> PortfolioConfig:
    return replace(config, reward="log_return", least_decisions=0)


def _report(words: Words) -> Report:
    from lobjax.tasks.portfolio.report import (
        PortfolioReport,
    )  # draws with matplotlib, which an environment does without

    return PortfolioReport(words)


def _job(task: Mapping[str, Any]) -> str:
    return (
        f"Each episode lasts {task['decisions']} sessions and begins in cash. At every close a player chooses weights from what is "
        "known then; they are traded at the next open, where the cost is paid, and held until the open after that."
    )


WORDS = Words(
    title="Portfolios",
    job=_job,
    held="What is invested, the sum of absolute weights,",
    held_label="invested, of wealth",
    glossary={
        "log growth": "The logarithm of wealth at the end over wealth at the start.",
        "turnover": "What is bought and sold, as a share of wealth.",
        "drawdown": "How far wealth lies below its highest so far.",
    },
)
SPEC = register(
    TaskSpec(
        config=PortfolioConfig,
        make=make_portfolio,
        measures=MEASURES,
        strategies=STRATEGIES,
        words=WORDS,
        for_evaluation=_profit_alone,
        traced=False,  # there is no book
        report=_report,
    )
)
