"""The execution paper's tables as Markdown, from the record that `bench execution-paper` makes."""

from collections.abc import Iterable, Mapping
from typing import Any

from bench.markdown import markdown_table, short
from lobjax.results.metrics import MUST_BE_ZERO

Record = Mapping[str, Any]
SOURCE = "Cheridito and Weiss, arXiv 2507.06345"
NAMES = {"sl": "submit and leave", "twap": "TWAP", "vwap": "VWAP", "market": "market order at once"}
_ALL_GOOD_Z = 3


def markdown(record: Record) -> Iterable[str]:
    """Headings, tables and notes, one text each."""
    yield "# Selling in three simulated markets"
    yield (
        f"The markets, the task and the benchmarks of {SOURCE}. Return: what a lot fetched beyond the best bid at the start, in ticks, "
        f"mean over episodes; its standard error and the standard deviation over episodes in brackets. The paper's: mean (deviation), "
        f"over 9,984 episodes. z = (ours - paper) / sqrt(se² + paper_std² / 9984)."
    )
    yield from _benchmarks(record)
    for name, agent in record["agents"].items():
        yield from _agent(name, agent, record)
    commit = record["commit"][:12] + ("+" if record["commit"].endswith("+") else "")
    yield f"`{record['command']}` · {record['date'][:10]} · commit `{commit}` · {record['device']}, {record['cores']} cores"


def _benchmarks(record: Record) -> Iterable[str]:
    yield "## Benchmarks"
    rows = [["market", "lots", "strategy", "ours (se, std)", "paper (std)", "z", "episodes/s"]]
    rows.append(["---", "---:", "---", "---:", "---:", "---:", "---:"])
    for cell in record["cells"]:
        rows.append([
            cell["market"], str(cell["lots"]), NAMES[cell["strategy"]],
            f"{cell['mean']:.3f} ({cell['se']:.3f}, {cell['std']:.2f})",
            _paper(cell), _signed(cell["z"], 2), short(cell["episodes_per_s"]),
        ])  # fmt: skip
    yield markdown_table(rows)
    known = [cell for cell in record["cells"] if cell["z"] is not None]
    within = sum(abs(cell["z"]) <= _ALL_GOOD_Z for cell in known)
    speed = record["speed"]
    yield (
        f"{within} of {len(known)} cells with a figure of the paper lie within {_ALL_GOOD_Z} standard errors of it. "
        f"{record['cells'][0]['n']:,} episodes a cell, seed {record['seed']}. Speed over these {len(known)} cells together: "
        f"{short(speed['episodes_per_s'])} episodes/s, {short(speed['events_per_s'])} messages/s ({speed['included']}; compiling took "
        f"{speed['compile_s']:.1f} s)."
    )
    for cell in record["cells"]:
        for name in MUST_BE_ZERO:
            if cell[name]:
                where = f"{cell['market']}, {cell['lots']} lots, {cell['strategy']}"
                yield f"**Mind:** {where}: {name} is {cell[name]:g}: {MUST_BE_ZERO[name]}."


def _agent(name: str, agent: Record, record: Record) -> Iterable[str]:
    yield f"## Agent `{name}`"
    yield agent["about"]
    rows = [[
        "market", "lots", "ours, drawn actions (95% interval)", "se over seeds", "std", f"paper, {agent['column']} (std)", "z",
        "without drawing (95% interval)", "paper, second release (std)", "training, s a run",
    ]]  # fmt: skip
    rows.append(["---", "---:", *["---:"] * 8])
    for cell in agent["cells"]:
        drawn, mode, later = cell["sampled"], cell["mode"], cell["paper_later"]
        rows.append([
            cell["market"], str(cell["lots"]), _interval(drawn), f"{drawn['se']:.3f}", f"{drawn['std']:.2f}",
            _paper(cell), _signed(cell["z"], 2), _interval(mode),
            f"{later['mean']:.2f} ({later['std']:.2f})" if later else "", f"{cell['train_s']:.0f}",
        ])  # fmt: skip
    yield markdown_table(rows)
    yield "\n".join(f"- {sentence}" for sentence in agent["words"])


def _interval(estimate: Record) -> str:
    return f"{estimate['mean']:.3f} ({estimate['low']:.3f} to {estimate['high']:.3f})"


def _paper(cell: Record) -> str:
    return "" if cell["paper"] is None else f"{cell['paper']['mean']:.2f} ({cell['paper']['std']:.2f})"


def _signed(value: float | None, digits: int) -> str:
    return "" if value is None else f"{value:+.{digits}f}"
