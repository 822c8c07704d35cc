"""`python -m bench replay PATH [BOOK]`: does a recorded day, replayed with no agent, equal its own book file?"""

import json
import sys
from pathlib import Path
from typing import Annotated

import tyro

from lobjax.errors import InputError
from lobjax.ranges import Range, ranged


@ranged
def replay(
    path: Annotated[Path, tyro.conf.Positional],
    book: Annotated[Path | None, tyro.conf.Positional] = None,
    /,
    *,
    against: Path | None = None,
    until: str | None = None,
    tick_size: Annotated[int, Range(1, 10**9)] | None = None,
    levels: Annotated[int, Range(1, 512)] | None = None,
    margin: Annotated[int, Range(0, 10_000)] | None = None,
    instrument: str | None = None,
    engine: str = "reference",
) -> None:
    """Replay a recorded day and compare every row; one JSON object on the last line.

    A LOBSTER day is compared with its book file, through the reference engine; a Databento MBO file with a book kept order by order,
    after every event.

    Args:
        path: The official zip, a message file (.csv, .csv.gz) or a folder with one of these; or a .dbn, .dbn.zst.
        book: The orderbook file; by default the one beside the message file.
        against: Compare with this other LOBSTER day instead, at its rows whose messages occur in order in PATH too.
        until: Compare rows before this time only (HH:MM:SS, fractions allowed).
        tick_size: File price units in one tick. LOBSTER: of 1e-4 dollars, 100 by default; MBO: of 1e-9, found by default.
        levels: Depth of the window that is kept exact; by default that of the book file (MBO: 5).
        margin: Further levels a side to hold (a measured default).
        instrument: Its symbol or number, where an MBO file holds several.
        engine: Who replays an MBO file: reference, host, xla or auto.
    """
    from bench.verification.replay import rows as work
    from bench.verification.replay.orders import replay_orders
    from lobjax.data import build_day
    from lobjax.data.loading import TICK_SIZE
    from lobjax.data.sources import is_order_file
    from lobjax.data.windows import row_times_ns

    if is_order_file(path):
        if book or against or until:
            raise InputError(
                f"{path}: tells every order and is compared with nothing else; leave BOOK, --against and --until out"
            )
        replay_orders(path, engine=engine, instrument=instrument, tick_size=tick_size, levels=levels, margin=margin)
        return
    if instrument or engine != "reference":
        raise InputError(f"{path}: --instrument and --engine are for MBO files (.dbn, .dbn.zst); leave them out")
    tick_size = TICK_SIZE if tick_size is None else tick_size
    stop_ns = work.nanos(until) if until else None
    day = build_day(path, book, tick_size=tick_size, levels=levels, margin=margin)
    rows, blocks = work.comparable(day, path, book, against, tick_size)
    if stop_ns is not None:
        rows = rows[row_times_ns(day)[rows] < stop_ns]
    equal, above = work.equal_rows(day, rows, blocks), work.corrections_above(day, path, book)
    counts = day.info.counts
    detail = {name: count for name, count in counts.items() if count}
    print(f"{day.info.symbol} {day.info.date}: {day.info.max_orders} orders a side at most; {detail}", file=sys.stderr)
    result = {
        "rows": len(rows),
        "equal_rows_per_level": equal.tolist(),
        "corrections": counts["corrections"],
        "corrections_above_deepest_level": above,
        "pruned": counts["pruned"],
        "unknown_ids": day.info.unknown_ids,
    }
    print(json.dumps(result))
