"""What parsers raise, as one line."""

import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from lobjax.errors import InputError

# What parsers raise on bytes that are not what they read: zipfile RuntimeError for a password, NotImplementedError for an unknown method.
_PARSING = (
    ValueError, KeyError, IndexError, TypeError, AttributeError, EOFError, OverflowError, RecursionError, MemoryError, RuntimeError,
    SyntaxError, struct.error, zipfile.BadZipFile, zlib.error,
)  # fmt: skip
# And libraries whose exceptions are of no such class, by the names of their modules; Rust's panics are no Exceptions even.
_LIBRARIES = (
    "polars", "pyarrow", "yaml", "_csv", "_lzma", "lzma", "_zstd", "safetensors", "safetensors_rust", "databento_dbn", "pyo3_runtime",
)  # fmt: skip


@contextmanager
def parsing(path: Any, what: str, advice: str) -> Iterator[None]:
    """Whatever is raised meanwhile becomes an InputError: `path: not `what` (why); `advice``. InputErrors pass.

    Only parsing belongs under it: a fault of the program in there would be called a fault of the file.
    """
    try:
        yield
    except InputError:
        raise
    except OSError as error:
        # Those of gzip, bz2 and Arrow that tell of damaged bytes have no number of the system's.
        failed = "cannot be read" if error.errno else f"not {what}"
        raise InputError(f"{path}: {failed} ({reason(error)}); {advice}") from None
    except _PARSING as error:
        raise InputError(f"{path}: not {what} ({reason(error)}); {advice}") from None
    except BaseException as error:
        if type(error).__module__.partition(".")[0] not in _LIBRARIES:
            raise
        raise InputError(f"{path}: not {what} ({reason(error)}); {advice}") from None


def reason(error: BaseException) -> str:
    """What an exception says, in a line that is not too long."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    if isinstance(error, RecursionError):
        return "nested too deep"
    if isinstance(error, MemoryError):
        return "it asks for more memory than there is"
    said = " ".join(str(error).split())
    if isinstance(error, KeyError):
        said = f"without {said}"
    return said[:200] or type(error).__name__
