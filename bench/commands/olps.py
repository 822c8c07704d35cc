"""`python -m bench olps`: rules of online portfolio selection on the classic sets, beside what the papers print."""

import json
import sys
from pathlib import Path
from typing import Annotated

from lobjax.errors import InputError
from lobjax.ranges import Range, ranged


@ranged
def olps(
    *,
    data: Path,
    set: str,
    rule: str,
    cost: Annotated[float, Range(0, 0.5)] = 0.0,
    periods: Annotated[int, Range(1, 10_000_000)] | None = None,
    columns: str = "",
) -> None:
    """Play rules over sets, in float64; the last line is JSON: wealth and turnover, or of several a list of cells.

    Args:
        data: An .npz of price relatives [period, asset] by the name of the set.
        set: nyse_o, nyse_n, tse, sp500, msci, djia, or another array in the file; several separated by commas, or all.
        rule: ubah ucrp eg ons pamr pamr1 pamr2 cwmr_var cwmr_stdev olmar1 olmar2 rmr anticor (BAH_30(ANTICOR(ANTICOR)))
            anticor_bah30 (one layer); in hindsight best and bcrp; several separated by commas, or all.
        cost: gamma of the OLPS toolbox: a buy and a sale of a dollar cost it, by the simple rule.
        periods: Only so many, from the first.
        columns: Only these assets, such as 19,22.
    """
    from bench.papers.olps.playing import HINDSIGHT, play, read_relatives, rule_of
    from bench.papers.olps.published import PUBLISHED, SETS, WHY, agrees
    from lobjax.portfolio.rules.online import ONLINE

    try:
        chosen = tuple(int(part) for part in columns.split(",")) if columns else ()
    except ValueError:
        raise InputError(f"--columns {columns}: give numbers separated by commas") from None
    sets = list(SETS) if set == "all" else [part.strip() for part in set.split(",")]
    rules = [*ONLINE, *HINDSIGHT] if rule == "all" else [part.strip() for part in rule.split(",")]
    read = {name: read_relatives(data, name, chosen)[:periods] for name in sets}
    for name in rules:
        rule_of(name, next(iter(read.values()))[:1])  # an unknown one is told before anything is played
    cells = []
    for name in rules:
        for where in sets:
            played = play(read[where], rule_of(name, read[where]), cost)
            cell = {"set": where, "rule": name, "wealth": played.wealth, "turnover": played.turnover, "cost": cost}
            cell |= {"periods": len(read[where]), "assets": read[where].shape[1], "hindsight": name in HINDSIGHT}
            whole = cost == 0 and periods is None and not chosen
            printed = PUBLISHED.get(name, {}).get(where) if whole else None
            if printed:
                cell |= {"published": printed, "agrees": agrees(played.wealth, printed)}
            cells.append(cell)
            known = (
                ""
                if not printed
                else f" ({printed})"
                if cell["agrees"]
                else f" ({printed}, DIFFERS: {WHY.get(name, 'unknown')})"
            )
            print(f"{where} {name}: {played.wealth:.6g}{known}, turnover {played.turnover:.6g}", file=sys.stderr)
    print(json.dumps(cells[0] if len(cells) == 1 else {"cells": cells}, allow_nan=False))
