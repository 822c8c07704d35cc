"""How much memory there is, and whether what is about to be made fits in it: said, or refused in one line, before anything compiles.

A device that tells how much it has is asked; on a CPU it is the machine's, within what the control groups of a container allow. JAX is
imported only when a device is asked.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from lobjax.errors import InputError

_UNITS = ("B", "KiB", "MiB", "GiB", "TiB")
_SMALL = 0.03  # parts below this share of the whole are not named


class Part(NamedTuple):
    """Bytes of one part of an estimate, and what would make it smaller."""

    bytes: float
    lower: str


class Estimate(NamedTuple):
    """About how much memory something takes, by part."""

    parts: dict[str, Part]

    @property
    def total(self) -> float:
        """Bytes in all."""
        return sum(part.bytes for part in self.parts.values())

    def describe(self, when: str = "") -> str:
        """One line for a person: the whole, its large parts, and what is there; `when` it takes most, in words."""
        ordered = sorted(self.parts.items(), key=lambda pair: -pair[1].bytes)
        named = [f"{name} {in_words(part.bytes)}" for name, part in ordered if part.bytes > _SMALL * self.total]
        free = free_bytes()
        there = "" if free is None else f", {in_words(free)} free"
        return f"memory: about {in_words(self.total)}{when and f' {when}'} ({', '.join(named)}){there}"

    def check(self, what: str, free: int | None = None) -> None:
        """InputError, naming the largest part, where it is more than is free (None: asked)."""
        name, largest = max(self.parts.items(), key=lambda pair: pair[1].bytes)
        most = f"most of it for {name} ({in_words(largest.bytes)})"
        must_fit(self.total, what, change=f"{most}: {largest.lower}", free=free)


def must_fit(needed: float, what: str, *, change: str, free: int | None = None) -> None:
    """InputError if `what` needs more bytes than are free; `free` None asks the device. Passes where nobody tells."""
    free = free_bytes() if free is None else free
    if free is not None and needed > free:
        raise InputError(f"{what} needs about {in_words(needed)} of memory and {in_words(free)} are free; {change}")


@contextmanager
def exhaustion_as_input_error(what: str, *, change: str) -> Iterator[None]:
    """Turn XLA's own report that memory is exhausted into an InputError, one line that says what to change; other errors pass."""
    try:
        yield
    except Exception as error:
        said = str(error)
        # By name: the class is JAX's, which may not be imported here.
        if type(error).__name__ == "JaxRuntimeError" and "RESOURCE_EXHAUSTED" in said and "memory" in said.lower():
            raise InputError(f"{what} does not fit in the device's memory; {change}") from None
        raise


def free_bytes() -> int | None:
    """Bytes that the default device can still give: its own, or the machine's where it computes in that; None where nobody tells."""
    import jax

    device = jax.local_devices()[0]
    stats = device.memory_stats() or {}
    if (limit := stats.get("bytes_limit")) is not None:
        return max(0, limit - stats.get("bytes_in_use", 0))
    return machine_bytes() if device.platform == "cpu" else None


def machine_bytes(proc: Path = Path("/proc"), groups: Path = Path("/sys/fs/cgroup")) -> int | None:
    """Bytes that this process may still take: what the system has available, within every control group above it."""
    found = [_available(proc / "meminfo"), *(_left_in(group) for group in _groups(proc / "self" / "cgroup", groups))]
    return min((left for left in found if left is not None), default=None)


def in_words(count: float) -> str:
    """'1.5 GiB'."""
    at = 0
    while count >= 1024 and at < len(_UNITS) - 1:
        count, at = count / 1024, at + 1
    return f"{count:,.0f} {_UNITS[at]}" if count >= 100 else f"{count:.3g} {_UNITS[at]}"


def tree_bytes(tree: Any) -> int:
    """Bytes of arrays, or of shapes that stand for them (`jax.eval_shape`)."""
    import jax

    leaves = [leaf if hasattr(leaf, "dtype") else jax.numpy.asarray(leaf) for leaf in jax.tree.leaves(tree)]
    return sum(leaf.size * leaf.dtype.itemsize for leaf in leaves)


def _available(meminfo: Path) -> int | None:
    try:
        lines = dict(line.split(":", 1) for line in meminfo.read_text(encoding="utf-8").splitlines() if ":" in line)
        return int(lines["MemAvailable"].split()[0]) * 1024
    except (OSError, KeyError, ValueError):
        return None  # not Linux, or an old one


def _groups(cgroup: Path, root: Path) -> list[Path]:
    """Folders of this process's control groups and of all above them, of either version."""
    try:
        lines = [line.split(":", 2) for line in cgroup.read_text(encoding="utf-8").splitlines() if line.count(":") >= 2]
    except OSError:
        return []
    found = []
    for _, controllers, path in lines:
        if controllers in ("", "memory"):
            top = root if controllers == "" else root / "memory"
            below = top / path.strip("/")
            found += [folder for folder in (below, *below.parents) if folder == top or top in folder.parents]
    return found


def _left_in(group: Path) -> int | None:
    """What a control group may still take. Pages of files that it can let go count as free, as in MemAvailable."""
    for most, used, stat, reclaimable in (
        ("memory.max", "memory.current", "memory.stat", "inactive_file"),
        ("memory.limit_in_bytes", "memory.usage_in_bytes", "memory.stat", "total_inactive_file"),
    ):
        try:
            limit = (group / most).read_text(encoding="utf-8").strip()
            if limit == "max" or int(limit) >= 1 << 60:
                return None
            held = dict(line.split() for line in (group / stat).read_text(encoding="utf-8").splitlines())
            taken = int((group / used).read_text(encoding="utf-8")) - int(held.get(reclaimable, 0))
            return max(0, int(limit) - taken)
        except (OSError, ValueError):
            continue
    return None
