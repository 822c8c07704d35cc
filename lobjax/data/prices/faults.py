"""What can be wrong with prices: named, dated, counted, with a repair where only one is possible. Nothing is repaired unasked."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lobjax.errors import InputError, nearest

if TYPE_CHECKING:
    import polars as pl

# Repairs that can be asked for, and the fault that each is of.
REPAIRS = {
    "order": "wrong order",
    "duplicates": "duplicate rows",
    "offsets": "mixed UTC offsets",
    "units": "100x unit error",
    "splits": "missing split adjustment",
    "dividends": "wrong dividend",
}
# Faults that only the file shows: of columns that a store does not keep.
OF_FILES = ("wrong dividend", "missing dividend", "missing dividend adjustment")
# Faults of form, which a file is refused for; `--accept` takes the last of them as it is.
REFUSED = ("wrong order", "duplicate rows", "mixed UTC offsets", "high or low outside")
ACCEPTED = {"range": "high or low outside"}


@dataclass(frozen=True)
class Fault:
    """`count` bars of `symbol` from `first` to `last` (dates or times, as text), what it is, and how it would be repaired."""

    name: str
    symbol: str
    first: str
    last: str
    count: int
    detail: str
    repair: str = ""  # in words; empty where no repair is certain
    option: str = ""  # of `--repair`

    def line(self) -> str:
        """In one line."""
        when = self.first if self.first == self.last else f"{self.first} to {self.last}"
        bars = f" ({self.count:,} bars)" if self.count > 1 else ""
        repair = (
            f"; repair: {self.repair}" + (f" (--repair {self.option})" if self.option else "") if self.repair else ""
        )
        return f"{self.symbol}  {when}{bars}  {self.name}: {self.detail}{repair}"


def check_words(repair: Iterable[str], accept: Iterable[str]) -> None:
    """InputError unless these are names of repairs, and of faults that can be taken as they are."""
    for option, words, known in (("--repair", repair, REPAIRS), ("--accept", accept, ACCEPTED)):
        for word in words:
            if word not in known:
                raise InputError(f"{option}: unknown word '{word}'; {nearest(word, known)}")


def refuse(path: str, faults: Iterable[Fault], repair: Iterable[str], accept: Iterable[str]) -> None:
    """InputError for the first fault of form that is neither to be repaired nor to be taken as it is."""
    passed = {REPAIRS[word] for word in repair} | {ACCEPTED[word] for word in accept}
    for fault in faults:
        if fault.name in REFUSED and fault.name not in passed:
            option = f"--repair {fault.option}" if fault.option else "--accept range takes it as it is"
            does = f" ({fault.repair})" if fault.repair else ""
            raise InputError(f"{path}: {fault.name}: {fault.detail}; correct it, or {option}{does}")


def table(faults: Iterable[Fault]) -> "pl.DataFrame":
    """A row a fault, as the report's CSV has them."""
    import polars as pl

    names = ("symbol", "first", "last", "count", "name", "detail", "repair", "option")
    rows = [{name: getattr(fault, name) for name in names} for fault in faults]
    return pl.DataFrame(rows, schema={name: pl.Int64 if name == "count" else pl.String for name in names})
