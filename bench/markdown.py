"""Tables in Markdown, and numbers as they stand in them."""

from collections.abc import Iterable, Sequence

from lobjax.display import cell


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(map(cell, cells))} |"


def markdown_table(rows: Iterable[Sequence[str]]) -> str:
    """Rows of cells as a Markdown table; the second one says how columns are aligned."""
    return "\n".join(map(_line, rows))


def short(value: float) -> str:
    """'24.1 M': three digits and a prefix."""
    for prefix, unit in (("T", 1e12), ("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if value >= 0.9995 * unit:
            return f"{float(f'{value / unit:.3g}'):g} {prefix}"
    return f"{float(f'{value:.3g}'):g}"
