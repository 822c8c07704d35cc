"""`python -m bench table FILES...`: records as Markdown tables, such as those of docs/results.md, and as a plot of speed against books."""

from collections.abc import Iterable, Sequence
from typing import Any

from bench.markdown import markdown_table, short
from bench.speed.scaling import engine_name
from lobjax.display import printable
from lobjax.memory import in_words

Record = dict[str, Any]
# What tells one measurement from another; of two that agree in it the later one is shown.
_SAME = (
    "bench", "engine", "devices", "interpreted", "device", "cores", "seed", "books", "capacity", "messages_per_call", "stream",
    "flow", "task", "reset", "envs", "messages_per_step", "steps_per_call", "decisions_per_episode",
)  # fmt: skip


def latest(found: Sequence[Record]) -> list[Record]:
    """The last record of each thing measured, in the order in which things first came."""
    return [*{(record["versions"]["jax"], *(record.get(name) for name in _SAME)): record for record in found}.values()]


def markdown(found: Sequence[Record]) -> Iterable[str]:
    """Headings, tables and notes, one text each."""
    for where, group in _grouped(found, lambda r: (r["bench"], r["device"], r["cores"], r["versions"]["jax"])).items():
        bench, device, cores, jax = where
        device, jax = printable(device, 200), printable(jax, 80)
        yield f"**{'Messages through books' if bench == 'engine' else 'Environment steps'}**, {device}, {_cores(cores)}, jax {jax}"
        rows = _engine_rows(group) if bench == "engine" else _env_rows(group)
        yield markdown_table(rows)
        yield from _notes(group)


def _engine_rows(group: Sequence[Record]) -> list[list[str]]:
    peers = {_call(record): record for record in group if record.get("peer")}
    head = [
        "engine", "books", "capacity", "messages a call, stream", "messages/s (least to most)", "compile", "bytes a book", "peak memory",
        "floor: messages/s", "distance",
    ]  # fmt: skip
    head += [f"times {name}" for name in {record["engine"]: None for record in peers.values()}]
    rows = [head, ["---", *["---:"] * (len(head) - 1)]]
    for record in sorted(group, key=lambda r: (r["stream"], r["messages_per_call"], r["capacity"], r["books"])):
        row = [
            _name(record),
            f"{record['books']:,}",
            str(record["capacity"]),
            f"{record['messages_per_call']:,}, {record['stream']}",
            _spread(record, "messages_per_s"),
            _seconds(record, "compile_s", "compiled_numba"),
            f"{record['bytes_per_book']:,}",
            in_words(record["peak_memory_bytes"]),
            f"{short(record['floor']['messages_per_s'])} ({record['floor']['limit']})",
            f"{record['floor']['distance']:,}",
        ]
        if peers:
            peer = peers.get(_call(record))
            times = None if peer is None or peer is record else record["messages_per_s"] / peer["messages_per_s"]
            row.append("" if times is None else f"{times:,.3g}" if times < 1000 else f"{times:,.0f}")
        rows.append(row)
    return rows


def _env_rows(group: Sequence[Record]) -> list[list[str]]:
    head = [
        "engine", "flow, reset by", "messages a step", "environments", "steps/s (least to most)", "messages/s", "compile",
        "`env.step` alone", "bytes an environment", "peak memory", "floor: steps/s", "distance",
    ]  # fmt: skip
    rows = [head, ["---", *["---:"] * (len(head) - 1)]]
    for record in sorted(group, key=lambda r: (r["flow"], r["reset"], r["messages_per_step"], r["engine"], r["envs"])):
        rows.append([
            _name(record) + ("" if not record["not_zero"] else " *"),
            f"{record['flow']}, {record['reset']}",
            str(record["messages_per_step"]),
            f"{record['envs']:,}",
            _spread(record, "steps_per_s"),
            short(record["messages_per_s"]),
            _seconds(record, "compile_s", "compiled_numba"),
            _seconds(record, "step_compile_s", "step_compiled_numba"),
            f"{record['bytes_per_env']:,}",
            in_words(record["peak_memory_bytes"]),
            f"{short(record['floor']['steps_per_s'])} ({record['floor']['limit']})",
            f"{record['floor']['distance']:,}",
        ])  # fmt: skip
    return rows


def _notes(group: Sequence[Record]) -> Iterable[str]:
    runs = sorted({record["runs"] for record in group})
    said = [
        f"Medians of {' or '.join(map(str, runs))} runs. Distance: how many times slower than the floor, which is the bytes that must "
        f"move, at {_copying(group)}, or the instructions, at the rate of issue."
    ]
    if any(record.get("compiled_numba") or record.get("step_compiled_numba") for record in group):
        said.append("†: Numba compiled in that time; later processes load what it made.")
    for name in dict.fromkeys(record["engine"] for record in group if "agreement" in record):
        least = min(
            (record["agreement"] for record in group if record["engine"] == name), key=lambda shares: shares["all"]
        )
        said.append(
            f"{name} ends as the reference in {least['all']:.2%} of books or more (best prices, lots and orders of both sides)."
        )
    for bad in {str(record["not_zero"]): record["not_zero"] for record in group if record.get("not_zero")}.values():
        said.append(
            f"*: {', '.join(f'{name} up to {count}' for name, count in bad.items())}: the book was too small for the flow."
        )
    included = {record["included"]: record["reset"] for record in group if "included" in record}
    said += [f"Reset by {reset}: {what}." for what, reset in included.items()]
    yield " ".join(said)
    yield "\n".join(f"- `{command}`" for command in dict.fromkeys(_command(record) for record in group))


def _command(record: Record) -> str:
    changed = "+" if record["commit"].endswith("+") else ""
    return f"{printable(record['command'])}` · {record['date'][:10]} · commit `{record['commit'].removesuffix('+')[:12]}{changed}"


def _name(record: Record) -> str:
    return engine_name(record) + (", interpreted" if record.get("interpreted") else "")


def _call(record: Record) -> tuple:
    return tuple(record[name] for name in ("run", "books", "capacity", "messages_per_call", "stream", "seed"))


def _grouped(found: Sequence[Record], key: Any) -> dict[tuple, list[Record]]:
    groups: dict[tuple, list[Record]] = {}
    for record in found:
        groups.setdefault(key(record), []).append(record)
    return groups


def _spread(record: Record, name: str) -> str:
    return f"{short(record[name])} ({short(record[f'{name}_min'])} to {short(record[f'{name}_max'])})"


def _seconds(record: Record, name: str, mark: str) -> str:
    return f"{record[name]:.2g} s" + (" †" if record.get(mark) else "")


def _copying(group: Sequence[Record]) -> str:
    measured = sorted({record["floor"]["copy_bytes_per_s"] for record in group})
    return " to ".join(f"{short(rate)}B/s" for rate in dict.fromkeys((measured[0], measured[-1])))


def _cores(count: int) -> str:
    return f"{count} core" + ("s" if count != 1 else "")
