"""`python -m bench gpu-check`: on a machine with an NVIDIA GPU, its tests and its measurements, in one folder of records."""

import json
import time
from pathlib import Path
from typing import Annotated

from lobjax.errors import InputError
from lobjax.locks import alone_in_out, is_free
from lobjax.ranges import Range, ranged


@alone_in_out
@ranged
def gpu_check(
    *,
    out: Path,
    data: Path | None = None,
    minutes: Annotated[float, Range(0.1, 10_000.0)] = 16.0,
    kernel_record: Path | None = None,
) -> None:
    """Run the GPU's tests, then measure engines and environments on it, into a folder: records.jsonl, summary.json, tables.md,
    scaling.png, log.txt, parity.jsonl and nets.jsonl. Ends with status 1 if a part failed, and with status 2 where there is no GPU.

    Args:
        out: The folder; it must not exist or be empty.
        data: A recorded day for environments: a LOBSTER zip or message file, or a built folder. Without it recorded flow is left out.
        minutes: The most that all parts may take together.
        kernel_record: JSON lines of `bench kernel-compile`, for the floor in instructions.
    """
    if not is_free(out):
        raise InputError(f"--out {out}: exists; name a new folder")
    if data is not None and not data.exists():
        raise InputError(f"--data {data}: no such file; name the recorded day")
    from bench.verification import gpu_check as work

    device = work.found_gpu()
    out.mkdir(parents=True, exist_ok=True)
    done, end = [], time.monotonic() + 60 * minutes
    for part in work.parts(out, data, kernel_record):
        done.append(work.run(part, out / work.LOG, end - time.monotonic()))
        work.summarise(out, device, done, data)
    # Tables and plot of whatever was measured.
    tables = work.Part("tables", ["-m", "bench", "table", str(out / work.RECORDS), "--plot", str(out / work.PLOT)], 60)
    done.append(work.run(tables, out / work.LOG, 60, stdout=out / work.TABLES))
    summary = work.summarise(out, device, done, data)
    failed = [part["part"] for part in done if part["status"] != 0]
    print(json.dumps({"device": device, "out": str(out), "failed": failed, "records": summary["records"]}))
    if failed:
        raise SystemExit(1)
