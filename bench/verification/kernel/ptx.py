"""Run a kernel's PTX on the CPU, a warp at a time: what the compiler made of a kernel is tried, and its work counted, without a GPU.

For kernels of one warp that only touch global memory. A value is a Python integer where all 32 lanes agree on how it was
made, else int64 `[32]`; registers hold 32-bit values as signed. KeyError on an instruction that is not in `OPERATIONS`.
"""

import re
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np

LANES = np.arange(32, dtype=np.int64)
PARAMETER_BITS = 40  # an address is a parameter's number above, bytes into its buffer below


def _signed(x: Any) -> Any:
    return ((x + 2**31) & 0xFFFFFFFF) - 2**31


def _unsigned(x: Any) -> Any:
    return x & 0xFFFFFFFF


def _scalar(x: Any) -> bool:
    return not isinstance(x, np.ndarray)


def _choose(a: Any, b: Any, condition: Any) -> Any:
    return (a if condition else b) if _scalar(condition) else np.where(condition, a, b)


def _lowest(a: Any, b: Any) -> Any:
    return min(a, b) if _scalar(a) and _scalar(b) else np.minimum(a, b)


def _highest(a: Any, b: Any) -> Any:
    return max(a, b) if _scalar(a) and _scalar(b) else np.maximum(a, b)


def _over_lanes(reduction: Callable) -> Callable:
    return lambda x, lanes: _signed(int(reduction(np.broadcast_to(x, LANES.shape))))


def _same(x: Any) -> Any:
    return x


def _high(a: Any, b: Any) -> Any:
    """The upper half of a product of two unsigned numbers."""
    wide = [_unsigned(x) if _scalar(x) else _unsigned(x).astype(np.uint64) for x in (a, b)]
    product = wide[0] * wide[1]
    return _signed(int(product) >> 32) if _scalar(product) else _signed((product >> np.uint64(32)).astype(np.int64))


def _leading_zeros(x: Any) -> Any:
    return 32 - int(_unsigned(x)).bit_length() if _scalar(x) else np.array([_leading_zeros(int(lane)) for lane in x])


def _from_lane(source: Callable) -> Callable:
    """Every lane takes the value of another, or keeps its own where that does not exist."""

    def shuffle(x: Any, by: int, clamp: int, lanes: Any) -> Any:
        there = source(LANES, by)
        return np.broadcast_to(x, LANES.shape)[np.where((there >= 0) & (there < len(LANES)), there, LANES)]

    return shuffle


OPERATIONS: dict[str, Callable] = {
    "add.s32": lambda a, b: _signed(a + b),
    "sub.s32": lambda a, b: _signed(a - b),
    "mul.lo.s32": lambda a, b: _signed(a * b),
    "mad.lo.s32": lambda a, b, c: _signed(a * b + c),
    "neg.s32": lambda a: _signed(-a),
    "min.s32": _lowest,
    "max.s32": _highest,
    "abs.s32": lambda a: _signed(abs(a)),
    "min.u32": lambda a, b: _signed(_lowest(_unsigned(a), _unsigned(b))),
    "max.u32": lambda a, b: _signed(_highest(_unsigned(a), _unsigned(b))),
    "div.u32": lambda a, b: _signed(_unsigned(a) // _unsigned(b)),
    "mul.hi.u32": _high,
    "mul.hi.s32": lambda a, b: _signed((a * b) >> 32),  # |a * b| is at most 2^62
    "clz.b32": _leading_zeros,
    "bfe.u32": lambda x, first, bits: (_unsigned(x) >> first) & ((1 << bits) - 1),
    "shf.l.wrap.b32": lambda low, high, by: _signed((high << by) | (_unsigned(low) >> (32 - by))),  # by: 1 to 31
    "shfl.sync.bfly.b32": _from_lane(lambda lane, by: lane ^ by),
    "shfl.sync.up.b32": _from_lane(lambda lane, by: lane - by),
    "selp.b32": _choose,
    "and.b32": lambda a, b: a & b,
    "or.b32": lambda a, b: a | b,
    "xor.b32": lambda a, b: a ^ b,
    "not.b32": lambda a: ~a,
    "shl.b32": lambda a, b: _signed(a << b),
    "shr.s32": lambda a, b: a >> b,
    "shr.u32": lambda a, b: _signed(_unsigned(a) >> b),
    "and.pred": lambda a, b: a & b,
    "or.pred": lambda a, b: a | b,
    "xor.pred": lambda a, b: a ^ b,
    "not.pred": lambda a: a ^ True,
    "mov.pred": lambda a: a if not _scalar(a) else bool(a),
    "mov.b32": _same,
    "mov.u32": _same,
    # Addresses and the arithmetic of them; no 64-bit value here passes 2^63.
    "add.s64": lambda a, b: a + b,
    "or.b64": lambda a, b: a | b,
    "shl.b64": lambda a, b: a << b,
    "mul.wide.s32": lambda a, b: a * b,
    "mul.wide.u32": lambda a, b: _unsigned(a) * _unsigned(b),
    "cvt.s64.s32": _same,
    "cvt.u64.u32": _unsigned,
    "cvt.u32.u64": _signed,
    "cvta.to.global.u64": _same,
    "redux.sync.min.s32": _over_lanes(np.min),
    "redux.sync.max.s32": _over_lanes(np.max),
    "redux.sync.add.s32": _over_lanes(np.sum),
}
COMPARISONS: dict[str, Callable] = {
    "eq": lambda a, b: a == b,
    "ne": lambda a, b: a != b,
    "lt": lambda a, b: a < b,
    "le": lambda a, b: a <= b,
    "gt": lambda a, b: a > b,
    "ge": lambda a, b: a >= b,
}
for _name, _compare in COMPARISONS.items():
    OPERATIONS[f"setp.{_name}.s32"] = OPERATIONS[f"setp.{_name}.b32"] = _compare
    OPERATIONS[f"setp.{_name}.u32"] = lambda a, b, compare=_compare: compare(_unsigned(a), _unsigned(b))


class Program:
    """The one kernel in a text of PTX."""

    def __init__(self, text: str) -> None:
        body = text[text.index(".entry") :]
        body = re.sub(r"//[^\n]*|::entry\b", "", body[body.index("{") + 1 : body.rindex("}")])
        statements = [part.strip() for part in re.sub(r"(\$\w+):", r"\1:;", body).split(";")]
        self._labels: dict[str, int] = {}
        self._code: list[tuple[str, Callable]] = []
        for statement in statements:
            if statement.endswith(":"):
                self._labels[statement[:-1]] = len(self._code)
            elif statement and not statement.startswith("."):
                self._code.append(self._translated(statement))

    def run(self, program: int, buffers: list[np.ndarray]) -> Counter[str]:
        """Run one program of the grid over flat int32 buffers, one for each parameter, in place; returns how often each opcode ran."""
        registers: dict[str, Any] = {"%ctaid.x": program, "%tid.x": LANES}
        executed: Counter[str] = Counter()
        at: int | None = 0
        while at is not None:
            opcode, execute = self._code[at]
            executed[opcode] += 1
            at = execute(registers, buffers, at + 1)
        return executed

    def _translated(self, statement: str) -> tuple[str, Callable]:
        found = re.match(r"(?:@(!?)(%p\d+)\s+)?([\w.]+)\s*(.*)$", statement, re.DOTALL)
        assert found is not None, statement
        inverted, guard, opcode, rest = found.groups()
        if opcode in ("bra", "bra.uni"):
            return opcode, self._branch(guard, bool(inverted), rest.strip())
        if opcode in ("ret", "griddepcontrol.wait"):
            return opcode, lambda r, m, after: None if opcode == "ret" else after
        if opcode.startswith(("ld.global", "st.global")):
            return opcode, _memory(opcode, rest, guard, bool(inverted))
        target, *sources = (part.strip() for part in rest.split(","))
        if opcode.startswith("ld.param"):
            address = int(sources[0].strip("[]").rsplit("_", 1)[1]) << PARAMETER_BITS
            return opcode, lambda r, m, after: r.__setitem__(target, address) or after
        operation, read = OPERATIONS[opcode], [_reader(source) for source in sources]

        def execute(r: dict, m: list, after: int) -> int:
            r[target] = operation(*[source(r) for source in read])
            return after

        return opcode, execute

    def _branch(self, guard: str | None, inverted: bool, label: str) -> Callable:
        def execute(r: dict, m: list, after: int) -> int:
            taken: Any = True if guard is None else r[guard]
            if not _scalar(taken):
                assert taken.all() or not taken.any(), "lanes part at a branch"
                taken = bool(taken[0])
            return self._labels[label] if taken != inverted else after

        return execute


def _reader(source: str) -> Callable[[dict], Any]:
    if source.startswith("%"):
        return lambda r: r[source]
    value = int(source, 0)
    return lambda r: value


def _memory(opcode: str, rest: str, guard: str | None, inverted: bool) -> Callable:
    """A load or store of one or more words beside each other: `{ %r1, %r2 }, [ %rd3 + 8 ]`, or the other way round."""
    found, values = re.search(r"\[\s*(%rd\d+)\s*(?:\+\s*(\d+))?\s*\]", rest), re.search(r"\{(.*)\}", rest, re.DOTALL)
    assert found is not None and values is not None, rest
    base, offset = found[1], int(found[2] or 0)
    words = [word.strip() for word in values[1].split(",")]
    read = [_reader(word) for word in words]
    below = (1 << PARAMETER_BITS) - 1

    def execute(r: dict, m: list, after: int) -> int:
        address = r[base] + offset
        first = address if _scalar(address) else int(address[0])
        buffer, index = m[first >> PARAMETER_BITS], (address & below) >> 2
        active = True if guard is None else r[guard] ^ inverted
        for k, word in enumerate(words):
            if opcode.startswith("st"):
                lanes = np.broadcast_to(active, LANES.shape)
                where, what = (np.broadcast_to(x, LANES.shape)[lanes] for x in (index + k, read[k](r)))
                buffer[where] = what
            else:
                assert guard is None, "a guarded load"
                r[word] = int(buffer[index + k]) if _scalar(index) else buffer[index + k].astype(np.int64)
        return after

    return execute
