"""The cells of Cheridito and Weiss (arXiv 2507.06345): three markets, the selling task at any size, and the published tables as data."""

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Literal, NamedTuple

from lobjax.errors import InputError, nearest
from lobjax.flow import PoissonConfig, StrategicConfig, TacticalConfig
from lobjax.tasks import EnvConfig, ExecutionConfig, MarketConfig

MARKETS: Mapping[str, PoissonConfig] = {
    "noise": PoissonConfig(),
    "tactical": PoissonConfig(tactical=TacticalConfig()),
    "strategic": PoissonConfig(tactical=TacticalConfig(), strategic=StrategicConfig()),
}
ENGINES = ("auto", "host", "xla", "kernel")
HORIZON_S, STEP_S = 150.0, 15.0
MOST_MESSAGES, MOST_DECISIONS = (
    1 << 14,
    1000,
)  # of a step, of an episode: more is a mistake in the numbers, or will not fit in memory
_PER_S = {"noise": 7.6, "tactical": 7.6, "strategic": 9.5}  # messages, without the agent's
MOST_PER_S = 60  # of 64 that a flow can have
_PER_LOT_S = 0.09  # more where the agent's lots rest: cancellations come at a rate per lot, whosever it is
_AGENT_MESSAGES = 12  # of one step: five reductions, a market order, five limit orders, the closing one
_LONG_S, _ROOM, _LONG_ROOM = 180.0, 256, 512  # 191 orders a side were met in 150 s and the warm-up, 284 in 300 s
PAPER_EPISODES = 9984  # behind every figure of the tables


class Cell(NamedTuple):
    """A market and what is to be sold there."""

    market: str
    lots: int

    @property
    def name(self) -> str:
        """As `--cells` names it."""
        return f"{self.market}-{self.lots}"


class Figure(NamedTuple):
    """Mean and standard deviation of the return over episodes, in ticks per lot above the best bid at the start."""

    mean: float
    std: float


CELLS = tuple(Cell(market, lots) for market in ("noise", "tactical", "strategic") for lots in (20, 60))


def _table(columns: tuple[str, ...], *rows: tuple[tuple[float, float], ...]) -> dict[Cell, dict[str, Figure]]:
    by_cell = zip(CELLS, rows, strict=True)
    return {cell: {c: Figure(*pair) for c, pair in zip(columns, row, strict=True)} for cell, row in by_cell}


# The first release of the authors' code (July 2025) and the paper's table: agents draw their actions, at the last deviation of training.
TABLE_A = _table(
    ("sl", "twap", "ln", "dr"),
    ((0.52, 1.19), (-0.06, 0.94), (0.64, 0.88), (0.58, 0.90)),
    ((-1.09, 1.34), (-1.40, 0.98), (-0.81, 0.93), (-0.74, 0.92)),
    ((0.10, 1.43), (0.48, 0.68), (0.79, 0.67), (0.73, 0.67)),
    ((-3.36, 0.99), (-0.96, 0.95), (-0.24, 0.66), (-0.41, 0.63)),
    ((-1.64, 2.95), (-0.36, 3.03), (1.11, 2.23), (0.86, 1.92)),
    ((-2.51, 3.67), (-1.45, 3.46), (0.11, 2.42), (-0.02, 1.90)),
)
# The second release (December 2025), where agents play the middle of their distribution. Context, not a target.
TABLE_B = _table(
    ("dr", "ln", "lnvr"),
    ((0.22, 0.79), (0.62, 1.01), (0.64, 0.93)),
    ((-0.71, 0.94), (-0.72, 0.97), (-0.77, 0.99)),
    ((0.77, 0.64), (0.79, 0.63), (0.74, 0.70)),
    ((-0.23, 0.64), (-0.22, 0.64), (-0.41, 0.69)),
    ((1.01, 2.16), (1.13, 2.22), (1.15, 2.14)),
    ((0.03, 1.97), (0.19, 2.37), (0.14, 2.04)),
)
# Mean return of a rollout of the logistic-normal agent, read off the authors' figure at these iterations of 12,800 steps.
CURVE_ITERATIONS, STEPS_PER_ITERATION = (0, 50, 100, 200, 300, 400), 12_800
CURVES: Mapping[Cell, tuple[float, ...]] = dict(
    zip(
        CELLS,
        (
            (-0.34, 0.15, 0.27, 0.51, 0.61, 0.64),
            (-1.31, -1.15, -1.09, -0.85, -0.83, -0.81),
            (-0.05, 0.43, 0.53, 0.71, 0.75, 0.78),
            (-0.92, -0.75, -0.63, -0.41, -0.31, -0.22),
            (-0.35, 0.05, 0.97, 1.08, 1.13, 1.13),
            (-1.30, -0.9, -0.2, 0.1, 0.15, 0.2),
        ),
        strict=True,
    )
)


def named_cells(text: str) -> list[Cell]:
    """'noise-20,strategic-60' as cells of the tables, 'all' as all six. InputError for another name."""
    known = {cell.name: cell for cell in CELLS}
    names = [*known] if text == "all" else [*dict.fromkeys(part.strip() for part in text.split(","))]
    for name in names:
        if name not in known:
            raise InputError(f"--cells {name}: unknown; {nearest(name, known)}")
    return [known[name] for name in names]


def cell_config(
    market: str,
    lots: int,
    horizon_s: float = HORIZON_S,
    step_s: float = STEP_S,
    warm_up_s: float | None = None,
    engine: str = "auto",
    observation: Literal["features", "paper"] = "features",
    capacity: int = 0,
) -> EnvConfig:
    """Selling `lots` within the horizon in one of `MARKETS`; InputError where the numbers do not fit each other.

    The market warms up for one step unless told otherwise. `capacity` 0: 256 orders a side, 512 where warm-up and
    horizon last longer than 180 s.
    """
    if market not in MARKETS:
        raise InputError(f"--market {market}: unknown; {nearest(market, MARKETS)}")
    if engine not in ENGINES:
        raise InputError(f"--engine {engine}: unknown; {nearest(engine, ENGINES)}")
    if lots < 1:
        raise InputError(f"--lots {lots}: nothing to sell; give at least 1")
    decisions = _decisions(horizon_s, step_s)
    warm_up_s = step_s if warm_up_s is None else warm_up_s
    if not 0 <= warm_up_s <= 1e6:
        raise InputError(f"--warm-up {warm_up_s:g}: out of range; give 0 to 1,000,000 seconds")
    if (most := (MOST_PER_S - _PER_S[market]) / _PER_LOT_S) < lots:
        raise InputError(
            f"--lots {lots:,}: resting at one price, so many would be met by more cancellations than the {MOST_PER_S} events a second that "
            f"a market can have; give at most {int(most):,}"
        )
    messages = most_messages(market, lots, step_s)
    if messages > MOST_MESSAGES:
        raise InputError(
            f"--step {step_s:g}, --lots {lots:,}: up to {messages:,} messages in a step, and {MOST_MESSAGES:,} are the most; "
            "shorten the step"
        )
    room = capacity or (_LONG_ROOM if horizon_s + warm_up_s > _LONG_S else _ROOM)
    try:
        return EnvConfig(
            task=_task(lots, decisions, step_s, observation),
            flow=replace(MARKETS[market], warm_up_s=warm_up_s),
            market=MarketConfig(capacity=room, max_messages=messages, engine=engine),  # pyright: ignore[reportArgumentType]
        )
    except ValueError as error:
        raise InputError(f"this cell: {error}") from None


def most_messages(market: str, lots: int, step_s: float) -> int:
    """Messages that a step is given room for: eight standard deviations of a Poisson count above the mean, and the agent's."""
    mean = (_PER_S[market] + _PER_LOT_S * lots) * step_s
    return 16 * math.ceil((mean + 8 * math.sqrt(mean) + _AGENT_MESSAGES) / 16)


def _task(lots: int, decisions: int, step_s: float, observation: Literal["features", "paper"]) -> ExecutionConfig:
    return ExecutionConfig(
        side="sell", lots=lots, decisions=decisions, step_s=step_s, price_scale_ticks=10.0, observation=observation
    )


def _decisions(horizon_s: float, step_s: float) -> int:
    if not (math.isfinite(horizon_s) and math.isfinite(step_s) and 0 < step_s <= horizon_s):
        raise InputError(f"--horizon {horizon_s:g} --step {step_s:g}: both must be positive, and a step no longer")
    decisions = round(horizon_s / step_s)
    if abs(decisions * step_s - horizon_s) > 1e-6 * step_s:
        raise InputError(
            f"--horizon {horizon_s:g}: not a multiple of --step {step_s:g}; the last step would be cut off"
        )
    if decisions > MOST_DECISIONS:
        raise InputError(
            f"--horizon {horizon_s:g}: {decisions:,} decisions of --step {step_s:g}, and {MOST_DECISIONS:,} are the most; "
            "lengthen the step"
        )
    return decisions
