"""`python -m bench market-statistics`: simulated markets without an agent, beside an independent simulator's; and views of them."""

import sys
from pathlib import Path
from typing import Annotated

from lobjax.errors import InputError
from lobjax.locks import alone_in_out
from lobjax.ranges import Range, ranged

MOST_EPISODES = 10**6


@alone_in_out
@ranged
def market_statistics(
    *,
    market: str = "all",
    episodes: Annotated[int, Range(2, MOST_EPISODES)] = 10_000,
    seed: Annotated[int, Range(0, 2**31 - 1)] = 0,
    out: Path | None = None,
) -> None:
    """Play simulated markets without an agent; print their statistics beside an independent simulator's, as Markdown.

    Args:
        market: noise, tactical, strategic, or several separated by commas, or all.
        episodes: Of 150 s after the warm-up, in each market.
        seed: Of the random numbers.
        out: A folder for the record (JSON), the tables (Markdown) and figures of impact, depth and flow; the figures are only drawn for it.
    """
    if out is not None and out.exists() and not out.is_dir():
        raise InputError(f"--out {out}: is not a folder; name one for the record and the figures")
    from bench.papers.market import measuring
    from bench.papers.market import report as work

    markets = work.known(market)
    record = measuring.measure(markets, episodes, seed, views=out is not None)
    print(work.markdown(record))
    if out is not None:
        for path in work.save(record, out):
            print(path, file=sys.stderr)
