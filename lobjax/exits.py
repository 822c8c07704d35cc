"""How a command ends: what input or surroundings did wrong is one line on standard error and a status, our own faults a traceback."""

import errno
import re
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import NoReturn

from lobjax import streams
from lobjax.errors import InputError, one_line

_CANNOT_WRITE = (
    errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EISDIR, errno.EEXIST,
)  # fmt: skip
_TOO_MANY_FILES = (errno.EMFILE, errno.ENFILE)
_INTERRUPTED, _PIPE_CLOSED = 130, 141  # as shells count: 128 and the signal's number
_NO_BACKEND = re.compile(r"Backend '.*' failed to initialize|Unknown backend")
_NO_NAME = (errno.ENAMETOOLONG, errno.ELOOP, errno.EILSEQ)  # what no file can be called, or a link to itself


def exits_cleanly(main: Callable[..., None]) -> Callable[..., None]:
    """Wrap a command's main: what input or surroundings did wrong ends it with one line on standard error and status 2.

    An interrupt from the keyboard: a line and status 130. A reader of standard output that has gone: nothing, status 141. Any other
    error is a fault of ours and keeps its traceback.
    """

    @wraps(main)
    def guarded(*args, **kwargs) -> None:
        try:
            with streams.prepared(), _interrupts_kept():
                main(*args, **kwargs)
        except KeyboardInterrupt:
            _end("interrupted", _INTERRUPTED)
        except BrokenPipeError:
            streams.abandon()
            raise SystemExit(_PIPE_CLOSED) from None
        except Exception as error:
            line = in_a_line(error)
            if line is None:
                raise
            _end(f"error: {one_line(line)}", 2)

    return guarded


@contextmanager
def _interrupts_kept() -> Iterator[None]:
    """An interrupt that comes while a callback of the garbage collector runs (JAX has one) is lost there: it is sent again."""
    before = sys.unraisablehook

    def hook(lost: "sys.UnraisableHookArgs") -> None:
        if isinstance(lost.exc_value, KeyboardInterrupt):
            again = threading.Timer(0.01, _interrupt_main)  # after the callback
            again.daemon = True
            again.start()
        else:
            before(lost)

    sys.unraisablehook = hook
    try:
        yield
    finally:
        sys.unraisablehook = before


def _interrupt_main() -> None:
    """A real signal, which also ends a wait."""
    if main := threading.main_thread().ident:
        signal.pthread_kill(main, signal.SIGINT)


def _end(line: str, status: int) -> NoReturn:
    streams.tell(line)
    try:
        with streams.prepared():  # what was printed before goes out, if it can
            pass
    except OSError:
        streams.abandon()
    raise SystemExit(status) from None


def in_a_line(error: Exception) -> str | None:
    """What a user can do about an error of input or surroundings; None for a fault of ours."""
    said = str(error)
    match error:
        case InputError():
            return said
        case OSError():
            return _of_system(error)
        case MemoryError():
            return f"the machine's memory is not enough{f' ({said})' if said else ''}; ask for less at a time, or raise ulimit -v"
        case RecursionError():
            return "what was given is nested too deeply; flatten it"
        case UnicodeEncodeError():
            return f"'{error.object[error.start : error.end]!a}' cannot be written as {error.encoding}; choose a name in UTF-8"
        case UnicodeError():
            return f"text cannot be read: {said}; save it in UTF-8"
        case ImportError() if any(part in said for part in ("failed to map segment", "llocate memory", "open files")):
            return f"a library cannot be loaded: {said}; raise ulimit -v or -n"
        case RuntimeError() if "can't start new thread" in said:
            return "no further thread can be started; raise ulimit -u or -v"
        case RuntimeError() if "no locator available" in said:
            return "no folder for compiled code can be written; set NUMBA_CACHE_DIR to one that can"
    return _of_settings(error)


def _of_system(error: OSError) -> str:
    said, where = error.strerror or str(error), f" '{one_line(str(error.filename))}'" if error.filename else ""
    if error.errno in _NO_NAME:
        return f"cannot use{where}: {said}; choose another name"
    if error.errno in _CANNOT_WRITE:
        return f"cannot write{where}: {said}; free space or choose another place"
    if error.errno in _TOO_MANY_FILES:
        return f"cannot open{where}: {said}; raise ulimit -n"
    if error.errno == errno.ENOENT and not where:
        if "temporary" in said:
            return f"{said}; set TMPDIR to a folder that can be written"
        return "the working directory is gone; change into one that exists"
    return f"{error.filename}: {said}" if where else f"the system refuses: {said}"


def _of_settings(error: Exception) -> str | None:
    """Libraries read their settings from the environment as they are imported, and JAX looks for devices when the first is asked for."""
    frames = [
        (frame.f_globals.get("__name__"), frame.f_code.co_name) for frame, _ in traceback.walk_tb(error.__traceback__)
    ]
    said = str(error) or "no device of the platforms that are asked for"
    importing = {name for name, function in frames if function == "<module>"}
    if "jax._src.config" in importing or (importing and frames[-1][0] == "jax._src.config"):
        return f"JAX refuses a setting in the environment: {said}; correct or unset it"
    # JAX may have taken its own frames out of the traceback.
    if ("jax._src.xla_bridge", "backends") in frames or (isinstance(error, RuntimeError) and _NO_BACKEND.match(said)):
        return f"JAX finds no device: {said}; set JAX_PLATFORMS=cpu, or to what is here, and unset JAX_DEFAULT_DEVICE"
    if "matplotlib" in importing and isinstance(error, ValueError):
        return f"Matplotlib refuses a setting (MPLBACKEND, matplotlibrc): {said}; correct or unset it"
    return None
