"""Metrics on a full disk: an error at once, naming the folder; never a wait for a writer that is gone."""

import subprocess
import sys

PROGRAM = """
import resource, signal, sys
from pathlib import Path
import numpy as np
from lobjax.learn.backend import Report
from lobjax.learn.runfolder import RunFolder
from lobjax.learn.sinks import Sinks, line_of

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000))
report = Report({f"name/{k}": np.float32(k) for k in range(20)}, {}, [])
try:
    with Sinks(RunFolder(Path(sys.argv[1])), 0) as sinks:
        for update in range(1000):
            sinks.write(line_of(update, update, report, {}))
except OSError as error:
    print("named" if error.filename == sys.argv[1] else error.filename)
"""


def test_a_full_disk_ends_a_run_at_once_and_names_the_folder(tmp_path):
    done = subprocess.run([sys.executable, "-c", PROGRAM, tmp_path], capture_output=True, text=True, timeout=60)
    assert done.stdout == "named\n", done.stderr
