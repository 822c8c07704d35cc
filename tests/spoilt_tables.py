"""Tables as people leave them: for fuzz tests of what reads Parquet (beside `tests.fuzzing`)."""

import io

import polars as pl
from hypothesis import strategies as st

from tests.fuzzing import TEXTS

NUMBERS = (0.0, -1.0, 7.0, 1e18, 1e19, 1e308, -1e308, float("inf"), float("nan"), 0.5)


@st.composite
def spoilt_table(draw: st.DrawFn, frame: pl.DataFrame) -> pl.DataFrame:
    """A table with one fault: a column lost, renamed, of another type, with a value that cannot be or none; fewer or more rows."""
    name = draw(st.sampled_from(frame.columns))
    row = draw(st.integers(0, max(0, len(frame) - 1)))
    match draw(st.integers(0, 9)):
        case 0:
            return frame.drop(name)
        case 1:
            return frame.rename({name: draw(st.sampled_from(["", "a b", "player ", "$x$"]))})
        case 2:
            kinds = (pl.String, pl.Float32, pl.Float64, pl.Int8, pl.Boolean, pl.Binary, pl.Null)
            return frame.with_columns(_cast(frame[name], draw(st.sampled_from(kinds))))
        case 3:
            return frame.head(row)
        case 4:
            return pl.concat([frame, frame.slice(row, 3)])
        case 5:
            return frame.reverse()
        case 6:
            return frame.with_row_index("extra").with_columns(pl.lit("text").alias("more"))
        case 7:
            return pl.concat([frame.head(row), frame.slice(row + 1)])
        case _:
            column = frame[name]
            if column.dtype == pl.String:
                value = draw(st.sampled_from([t for t in TEXTS if t.isascii()] + ["é", None]))
            elif column.dtype.is_numeric():
                value = draw(st.sampled_from([*NUMBERS, None]))
            else:
                value = None
            values = column.to_list()
            if values:
                values[row] = value
            return frame.with_columns(pl.Series(name, values, strict=False))


def parquet(frame: pl.DataFrame) -> bytes:
    """The table as a file."""
    buffer = io.BytesIO()
    frame.write_parquet(buffer)
    return buffer.getvalue()


def _cast(column: pl.Series, kind) -> pl.Series:
    if isinstance(column.dtype, pl.List) or kind == pl.Null:
        return pl.Series(column.name, [None] * len(column), dtype=pl.Null)
    return column.cast(pl.String).cast(kind, strict=False)
