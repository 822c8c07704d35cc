"""`python -m bench market-statistics`: simulated markets without an agent, beside an independent simulator's; and views of them."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from bench.markdown import markdown_table
from bench.papers.execution.cells import MARKETS
from bench.papers.market import figures
from bench.papers.market.estimates import REFERENCE_EPISODES
from lobjax.errors import InputError, nearest
from lobjax.files import whole_file
from lobjax.flow import PoissonConfig

JSON, MARKDOWN = "market-statistics.json", "market-statistics.md"
FIGURES = {
    "impact": "Mid after an order, less the mid without it",
    "depth": "Resting lots by distance from the opposite best",
    "flow": "Spread, events and changes of the mid",
}


def known(text: str) -> dict[str, PoissonConfig]:
    """'noise,tactical' as markets by name, 'all' as all of them. InputError for another name."""
    names = [*MARKETS] if text == "all" else [*dict.fromkeys(part.strip() for part in text.split(","))]
    for name in names:
        if name not in MARKETS:
            raise InputError(f"--market {name}: unknown; {nearest(name, ('all', *MARKETS))}")
    return {name: MARKETS[name] for name in names}


def save(record: Mapping[str, Any], folder: Path) -> list[Path]:
    """Write the record, the tables and, where it has views, the figures into `folder`; gives their paths."""
    written = {JSON: json.dumps(record, indent=1, allow_nan=False), MARKDOWN: markdown(record)}
    for name, text in written.items():
        with whole_file(folder / name) as temporary:
            temporary.write_text(text + "\n", encoding="utf-8")
    return [*(folder / name for name in written), *figures.save(record, folder)]


def markdown(record: Mapping[str, Any]) -> str:
    """Tables of the record."""
    return "\n\n".join(_parts(record))


def _parts(record: Mapping[str, Any]) -> Iterator[str]:
    yield (
        f"**Markets without an agent**, {record['episodes']:,} episodes of {record['seconds']} s after the warm-up, seed {record['seed']}"
    )
    head = ["market", "statistic", "value (standard error)", f"reference, {REFERENCE_EPISODES:,} episodes", "z"]
    rows = [head, ["---", "---", "---:", "---:", "---:"]]
    for name, found in record["markets"].items():
        rows += [[name, *_statistic(row)] for row in found["statistics"]]
    yield markdown_table(rows)
    yield " ".join(_words(record))
    depth = record.get("stationary_depth")
    if depth:
        levels = range(len(depth["reference"]))
        cells = [f"{depth['mean'][k]:.2f} ± {depth['half'][k]:.2f}" for k in levels]
        yield f"Lots by distance from the opposite best, one side, {depth['n']} books seen every 100 events (± 95%)"
        yield markdown_table([
            ["", *(f"{k + 1} tick{'s' if k else ''}" for k in levels)], ["---", *["---:"] * len(levels)],
            ["measured", *cells], ["the authors' code", *(f"{lots:.2f}" for lots in depth["reference"])],
        ])  # fmt: skip
    if any("views" in found for found in record["markets"].values()):
        yield from (f"![{title}]({name}.png)" for name, title in FIGURES.items())
    commit = record["commit"][:12] + ("+" if record["commit"].endswith("+") else "")
    yield f"`{record['command']}` · {record['date'][:10]} · commit `{commit}`, {record['device']}, {record['cores']} cores"


def _statistic(row: Mapping[str, Any]) -> list[str]:
    error, digits = row["error"], 1
    while digits < 6 and 0 < error < 0.95 * 10.0 ** (1 - digits):  # two digits of the error
        digits += 1
    digits = max(digits, len(row["reference"].partition(".")[2]))
    z = "" if row["z"] is None else f"{row['z']:+.2f}"
    return [row["name"], f"{row['value']:.{digits}f} ({error:.{digits}f})", row["reference"], z]


def _words(record: Mapping[str, Any]) -> Iterator[str]:
    compared = [row["z"] for found in record["markets"].values() for row in found["statistics"] if row["z"] is not None]
    if compared:
        far = max(map(abs, compared))
        yield (
            f"z is the difference over the sampling error of both and the rounding of the reference; the largest of {len(compared)} "
            f"is {far:.2f}."
        )
    speeds = [f"{name} {found['episodes_per_s']:,}" for name, found in record["markets"].items()]
    yield f"Episodes a second, compiling included: {', '.join(speeds)}."
    for name, found in record["markets"].items():
        if found["not_zero"]:
            yield f"Not zero in {name}: {', '.join(f'{count} {what}' for what, count in found['not_zero'].items())}."
