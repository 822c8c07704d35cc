"""What is in a price store, in lines."""

from pathlib import Path
from typing import Any

from lobjax.data.prices.database import digest, meta, reading
from lobjax.data.prices.panel import FIELDS
from lobjax.data.prices.reader import BARS


def summary(path: str | Path) -> list[tuple[str, str]]:
    """What is in a store, as (name, text) lines; the hash of all its rows last."""
    with reading(path) as connection:
        known = meta(connection)
        lines = [("calendar", known.get("calendar", "none")), ("time zone", known.get("time_zone", "not known"))]
        for kind in BARS:
            count, symbols, first, last = connection.execute(
                "SELECT count(*), count(DISTINCT symbol), min(time), max(time) FROM bars WHERE kind = ?", [kind]
            ).fetchall()[0]
            if count:
                form = "%Y-%m-%d" if kind == "daily" else "%Y-%m-%d %H:%M"
                lines.append(
                    (
                        f"{kind} bars",
                        f"{count:,} of {symbols:,} symbols, {first.strftime(form)} to {last.strftime(form)}",
                    )
                )
        per = connection.execute(
            "SELECT kind, symbol, count(*), min(time)::DATE, max(time)::DATE FROM bars GROUP BY kind, symbol ORDER BY kind, symbol"
        ).fetchall()
        lines += [
            (f"  {symbol}", f"{kind}, {count:,} bars, {first} to {last}")
            for kind, symbol, count, first, last in per[:100]
        ]
        if len(per) > 100:
            lines.append(("  ...", f"and {len(per) - 100:,} more"))
        for kind, count in connection.execute(
            "SELECT kind, count(*) FROM actions GROUP BY kind ORDER BY kind"
        ).fetchall():
            lines.append((f"{kind}s", f"{count:,}"))
        for name, table in (
            ("tickers", "tickers"),
            ("delisted", "listings"),
            ("revised bars", "revised_bars"),
            ("revised actions", "revised_actions"),
        ):
            if count := connection.execute(f"SELECT count(*) FROM {table}").fetchall()[0][0]:
                lines.append((name, f"{count:,}"))
        lines += _revisions(connection)
        adjusted = [
            row[0]
            for row in connection.execute(
                "SELECT DISTINCT symbol FROM bases WHERE basis = 'adjusted' ORDER BY 1"
            ).fetchall()
        ]
        if adjusted:
            lines.append(
                (
                    "adjusted",
                    f"{', '.join(adjusted[:20])}: not raw, as of when they were loaded; later files rescale them",
                )
            )
        lines.append(("hash", digest(connection)))
    return lines


def _revisions(connection: Any) -> list[tuple[str, str]]:
    """The latest rows that were replaced: what they were, and when."""
    fields = ", ".join(f"'{name} ' || {name}" for name in FIELDS)
    rows = connection.execute(
        f"SELECT symbol, time, kind, concat_ws(', ', {fields}), loaded_at, revised_at FROM revised_bars UNION ALL "
        "SELECT symbol, time, kind, value::VARCHAR, loaded_at, revised_at FROM revised_actions "
        "ORDER BY revised_at DESC, symbol, time LIMIT 20"
    ).fetchall()
    return [
        (
            f"  {symbol}",
            f"{kind} {time:%Y-%m-%d %H:%M}: was {was}; loaded {loaded:%Y-%m-%d %H:%M}, revised {revised:%Y-%m-%d %H:%M} UTC",
        )
        for symbol, time, kind, was, loaded, revised in rows
    ]
