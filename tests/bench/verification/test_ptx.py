"""The interpreter of PTX on a kernel written by hand, and the errors of the command that uses it."""

from pathlib import Path

import numpy as np
import pytest

from bench.commands.kernel_compile import kernel_compile
from bench.verification.kernel.ptx import LANES, OPERATIONS, Program
from lobjax.errors import InputError

# out[program] = max over lanes of (sum of n first rows of in, lane by lane), where n = count[program]; lane 0 alone stores it.
SUMS = """
.version 9.0
.target sm_90a
.visible .entry sums(
    .param .u64 sums_param_0, .param .u64 sums_param_1, .param .u64 sums_param_2
)
.reqntid 32, 1, 1
{
    .reg .b32 %r<20>;
    ld.param.b64 %rd1, [sums_param_0];
    cvta.to.global.u64 %rd2, %rd1;
    ld.param.b64 %rd3, [sums_param_1];
    ld.param.b64 %rd4, [sums_param_2];
    mov.u32 %r1, %ctaid.x;
    mov.u32 %r2, %tid.x;
    mul.wide.u32 %rd5, %r1, 4;
    add.s64 %rd6, %rd3, %rd5;
    mov.u32 %r3, 0x0; ld.global.b32 { %r3 }, [ %rd6 + 0 ];
    mul.wide.u32 %rd7, %r2, 8;
    add.s64 %rd8, %rd2, %rd7;
    mov.b32 %r4, 0;
    mov.b32 %r5, -1;
$again:
    setp.ge.s32 %p1, %r4, %r3;   // a loop over rows of 64 numbers, two a lane
    @%p1 bra $done;
    ld.global.v2.b32 { %r6, %r7 }, [ %rd8 + 0 ];
    add.s32 %r8, %r6, %r7;
    add.s32 %r5, %r5, %r8;
    add.s64 %rd8, %rd8, 256;
    add.s32 %r4, %r4, 1;
    bra.uni $again;
$done:
    mov.b32 %r10, -1;
    redux.sync.max.s32 %r9, %r5, %r10;
    setp.eq.b32 %p2, %r2, 0;
    add.s64 %rd9, %rd4, %rd5;
    @%p2 st.global.b32 [ %rd9 + 0 ], { %r9 };
    ret;
}
"""


def test_a_kernel_written_by_hand_gives_its_result():
    rows = np.arange(3 * 64, dtype=np.int32) * 7 % 50
    rows[5] = 2**31 - 1  # wraps, as on the device
    counts, out = np.array([3, 0, 1], np.int32), np.full(4, 9, np.int32)
    program = Program(SUMS)
    executed = [program.run(at, [rows, counts, out]) for at in range(3)]
    by_lane = rows.reshape(3, len(LANES), 2).sum(axis=2, dtype=np.int32)
    assert out.tolist() == [(by_lane.sum(0, dtype=np.int32) - 1).max(), -1, (by_lane[0] - 1).max(), 9]
    assert [counted["ld.global.v2.b32"] for counted in executed] == [3, 0, 1]


def test_what_it_cannot_run_is_said():
    with pytest.raises(KeyError, match="sin"):
        Program(SUMS.replace("add.s32 %r8, %r6, %r7", "sin.approx.f32 %r8, %r6"))
    parted = SUMS.replace("setp.ge.s32 %p1, %r4, %r3", "setp.ge.s32 %p1, %r2, %r3")
    with pytest.raises(AssertionError, match="part at a branch"):
        Program(parted).run(0, [np.zeros(192, np.int32), np.ones(1, np.int32), np.zeros(1, np.int32)])


def test_wrong_arguments_of_the_command_are_one_line(tmp_path: Path):
    target = tmp_path / "gpu.txt"
    with pytest.raises(InputError, match="is no file; give the text"):
        kernel_compile(target=target)
    target.write_text("")
    with pytest.raises(InputError, match="--plugins: no jax_plugins"):
        kernel_compile(target=target, plugins=tmp_path)
    with pytest.raises(InputError, match=r"--capacities\[1\]: 513 is out of range"):
        kernel_compile(target=target, capacities=(8, 513))


@pytest.mark.parametrize(
    ("opcode", "operands", "expected"),
    (
        ("mul.hi.u32", (-1, -1), -2),
        ("mul.hi.s32", (-(2**31), 3), -2),
        ("div.u32", (-1, 2), 2**31 - 1),
        ("min.u32", (-1, 7), 7),
        ("max.u32", (-1, 7), -1),
        ("abs.s32", (-(2**31),), -(2**31)),
        ("clz.b32", (1,), 31),
        ("bfe.u32", (-1, 23, 8), 255),
        ("shf.l.wrap.b32", (-(2**31), 5, 2), 22),
        ("not.b32", (0,), -1),
    ),
)
def test_operations_on_one_number_and_on_lanes(opcode, operands, expected):
    assert OPERATIONS[opcode](*operands) == expected
    lanes = OPERATIONS[opcode](*(np.full(32, x, np.int64) if at == 0 else x for at, x in enumerate(operands)))
    assert np.array_equal(np.broadcast_to(lanes, 32), np.full(32, expected))


def test_shuffles_read_other_lanes():
    assert OPERATIONS["shfl.sync.bfly.b32"](LANES, 4, 31, -1).tolist() == [lane ^ 4 for lane in range(32)]
    assert OPERATIONS["shfl.sync.up.b32"](LANES, 2, 0, -1).tolist() == [0, 1, *range(30)]
