"""Settings in the environment that libraries meet with a traceback, or with the end of the process: looked at before they are loaded."""

import os
import re
import subprocess
import sys

from lobjax.errors import InputError, nearest

MOST_THREADS = 1024  # with a million the process dies of a segmentation fault
LAYERS = ("default", "safe", "forksafe", "threadsafe", "omp", "tbb", "workqueue")
_PARSE_FLAGS = "from jaxlib import xla_client; xla_client.CompileOptions()"
_REASON = re.compile(r"\] (.*(?:XLA_FLAGS|for flag).*)")


def check() -> None:
    """InputError for a setting that Numba or XLA cannot start with. Takes a fraction of a second where XLA_FLAGS is set, else nothing."""
    threads = os.environ.get("NUMBA_NUM_THREADS", "").strip()
    most = max(MOST_THREADS, os.cpu_count() or 1)
    if threads and not (re.fullmatch(r"\+?\d{1,9}", threads) and 1 <= int(threads) <= most):
        raise InputError(f"NUMBA_NUM_THREADS={threads}: choose a whole number from 1 to {most}, or unset it")
    layer = os.environ.get("NUMBA_THREADING_LAYER", "").strip()
    if layer and layer not in LAYERS:
        raise InputError(f"NUMBA_THREADING_LAYER={layer}: unknown; {nearest(layer, LAYERS)}")
    if os.environ.get("XLA_FLAGS", "").strip():
        _check_flags(os.environ["XLA_FLAGS"])


def _check_flags(flags: str) -> None:
    """XLA ends the process that has a flag it does not know, so another process tries them."""
    tried = subprocess.run([sys.executable, "-c", _PARSE_FLAGS], capture_output=True, check=False)
    if tried.returncode and (found := _REASON.search(tried.stderr.decode(errors="replace"))):
        raise InputError(f"XLA_FLAGS='{flags}': {found.group(1).rstrip('. ')}; correct or unset it")
