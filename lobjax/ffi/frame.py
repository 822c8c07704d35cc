"""The frame of a call and its buffers, as `c_api.h` under `jax.ffi.include_dir()` lays them out, in words of 64 bits."""

# Numba's intrinsics are called without the typing context that they are defined with.
# pyright: reportCallIssue=false, reportAttributeAccessIssue=false, reportPrivateImportUsage=false

from numba import types
from numba.extending import intrinsic
from numba.np.arrayobj import populate_array

from lobjax.ffi.jit import inline, inner

# Words of XLA_FFI_CallFrame, of the XLA_FFI_Args and XLA_FFI_Rets in it, and of XLA_FFI_Buffer.
_EXTENSION, _ARGS_COUNT, _ARGS, _RETS_COUNT, _RETS, _ATTRS = 1, 7, 9, 12, 14, 20
_DATA, _RANK, _DIMS = 3, 4, 5
_METADATA_EXTENSION = 1


def _view(dtype: types.Type, rank: int):
    """Typing and code of an intrinsic: the C-ordered array at an address, not owned by anybody; from the address and its shape."""
    array = types.Array(dtype, rank, "C")

    def codegen(context, builder, signature, args):
        address, shape = args[0], args[1:]
        itemsize = context.get_constant(types.intp, dtype.bitwidth // 8)
        strides = [itemsize]
        for length in reversed(shape[1:]):
            strides.insert(0, builder.mul(strides[0], length))
        view = context.make_array(array)(context, builder)
        populate_array(view, builder.inttoptr(address, view.data.type), shape, strides, itemsize, meminfo=None)
        return view._getvalue()

    return array(types.int64, *[types.int64] * rank), codegen


@intrinsic
def integers(typing_context, address, length):
    """The int32 `[length]` at an address."""
    return _view(types.int32, 1)


@intrinsic
def naturals(typing_context, address, length):
    """The uint32 `[length]` at an address."""
    return _view(types.uint32, 1)


@intrinsic
def integer_rows(typing_context, address, rows, length):
    """The int32 `[rows, length]` at an address."""
    return _view(types.int32, 2)


@intrinsic
def integer_blocks(typing_context, address, blocks, rows, length):
    """The int32 `[blocks, rows, length]` at an address."""
    return _view(types.int32, 3)


@intrinsic
def words(typing_context, address, length):
    """The 64-bit words `[length]` at an address."""
    return _view(types.int64, 1)


@inline
def arguments(frame):
    """Addresses of the argument buffers of a call."""
    frame = words(frame, _ATTRS + 1)
    return words(frame[_ARGS], frame[_ARGS_COUNT])


@inline
def results(frame):
    """Addresses of the result buffers of a call."""
    frame = words(frame, _ATTRS + 1)
    return words(frame[_RETS], frame[_RETS_COUNT])


@inner
def attribute(frame, index):
    """An attribute of a call, an int64 scalar; attributes stand in the order of their names."""
    scalar = words(words(words(frame, _ATTRS + 1)[_ATTRS], index + 1)[index], 2)
    return words(scalar[1], 1)[0]


@inner
def data(buffer):
    """Where the numbers of a buffer begin."""
    return words(buffer, _DIMS + 1)[_DATA]


@inline
def dims(buffer):
    """The shape of a buffer, int64 `[rank]`."""
    buffer = words(buffer, _DIMS + 1)
    return words(buffer[_DIMS], buffer[_RANK])


@inner
def answers_metadata(frame, major, minor):
    """At registration XLA asks for the version a handler was written for: answer, and tell whether that was the call."""
    extension = words(frame, _ATTRS + 1)[_EXTENSION]
    while (
        extension != 0
    ):  # {size, type, next, metadata}; the metadata: {size, version {size, extension, major and minor}, traits}
        fields = words(extension, 4)
        if (fields[1] & 0xFFFFFFFF) == _METADATA_EXTENSION:
            words(fields[3], 4)[3] = major | (minor << 32)
            return True
        extension = fields[2]
    return False
