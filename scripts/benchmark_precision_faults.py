"""Plant faults in healthy artifacts of small precisions, and count what finds them.

    python scripts/benchmark_precision_faults.py --work DIR [--only REGEX] [--parts faults,healthy] [--write]
    python scripts/benchmark_precision_faults.py --sample

Models and faults are in scripts/precision_fault_cases, one file a family. `faults` plants each in a bundle that is
built once and kept in DIR, verifies it, and searches it for a few seconds. `healthy` builds each model with five seeds,
and searches all of its artifacts. `--resume` keeps what an earlier run wrote into DIR. `--write` writes all results to
docs/precision_faults.json, and the page docs/precision_faults.md beside it. `--sample` plants a few faults, and
compares the results with docs/precision_faults.json.

Exit code 1 when a fault is missed or cannot be planted, or a healthy artifact is called faulty. Needs `kexport[build]`.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from measurements import Measurements, Record, add_options, parsed, parser, quiet_environment, versions

FAULTS = Measurements("precision_faults", "precision_fault_cases")
PARTS = ("faults", "healthy")
SAMPLE = "^convolution/(a-row-of-weights-shifted/int8.tflite|scales-of-channels-permuted/int8.onnx)"
_SAMPLE_SECONDS = 1.0


def command_line() -> argparse.Namespace:
    """Parse the command line."""
    command = parser(__doc__)
    add_options(command, FAULTS, "faults, or models,")
    command.add_argument("--seconds", type=float, default=3.0, help="of search per bundle (%(default)s)")
    command.add_argument("--family", help=argparse.SUPPRESS)
    command.add_argument("--narrow", action="store_true", help="build only the precisions of the requested faults")
    return parsed(command, PARTS, PARTS)


def chosen(only: str) -> list[Any]:
    """The families with a fault whose name matches."""
    return [f for f in FAULTS.cases().every() if any(re.search(only, fault.name) for fault in f.faults)]


def faults(options: argparse.Namespace) -> Record:
    """A record of each requested fault; one process a family, which a native runtime may end."""
    work, measuring, found = Path(options.work), FAULTS.cases("_measuring"), {}
    for family in chosen(options.only):
        own = [fault for fault in family.faults if re.search(options.only, fault.name)]
        done = [fault for fault in own if options.resume and measuring.record_of(fault, work).exists()]
        if len(done) < len(own):
            command = [sys.executable, __file__, "--work", str(work), "--only", options.only, "--family", family.name]
            command += ["--seconds", str(options.seconds), *["--narrow"] * options.narrow]
            subprocess.run(command, check=False)
        for fault in own:
            path = measuring.record_of(fault, work)
            found[fault.name] = json.loads(path.read_text()) if path.exists() else {"broken": "its process ended"}
    return found


def healthy(options: argparse.Namespace) -> Record:
    """For each model and seed, what is said against its artifacts."""
    module, work, found = FAULTS.cases("_healthy"), Path(options.work), {}
    for family in FAULTS.cases().every():
        for seed in range(module.SEEDS):
            name, kept = f"{family.name}, seed {seed}", work / "healthy" / f"{family.name}.{seed}.json"
            if not re.search(options.only, name):
                continue
            if not (options.resume and kept.exists()):
                record = module.measure(family.name, work, seed, options.seconds)
                kept.write_text(json.dumps(record))
                print(f"{name}: {json.dumps(record)}", flush=True)
            found[name] = json.loads(kept.read_text())
    return found


def merged(table: Record, parts: dict[str, Record]) -> Record:
    """The table with the new results, without faults that no longer exist."""
    known = {fault.name for family in FAULTS.cases().every() for fault in family.faults}
    old = {name: entry for name, entry in table.get("faults", {}).items() if name in known}
    return {
        "versions": versions(),
        "faults": {**old, **parts.get("faults", {})},
        "healthy": {**table.get("healthy", {}), **parts.get("healthy", {})},
    }


def sample() -> int:
    """Plant a few faults; returns 1 when a result differs from the table."""
    with tempfile.TemporaryDirectory() as folder:
        options = argparse.Namespace(work=folder, only=SAMPLE, resume=False, seconds=_SAMPLE_SECONDS, narrow=True)
        found, stated = faults(options), FAULTS.read().get("faults", {})
    wrong = list(_differences(found, stated))
    print("\n".join(wrong))
    return 1 if wrong or not found else 0


def _differences(found: Record, stated: Record) -> Iterator[str]:
    for name, record in found.items():
        if "broken" in record:
            yield f"{name} cannot be planted: {record['broken']}"
        elif name not in stated:
            yield f"{name} is not in {FAULTS.table.name}"
        elif record["goldens"]["found"] != stated[name]["goldens"]["found"]:
            yield f"{name}: {record['goldens']}; {FAULTS.table.name} says {stated[name]['goldens']}"


def main() -> int:
    """Run the requested parts; returns 1 when a result is not as it should be."""
    quiet_environment()
    options = command_line()
    if options.sample:
        return sample()
    work = Path(options.work)
    (work / "healthy").mkdir(parents=True, exist_ok=True)
    if options.family:
        FAULTS.cases("_measuring").measure(options.family, work, options.only, options.seconds, narrow=options.narrow)
        return 0
    parts = {part: {"faults": faults, "healthy": healthy}[part](options) for part in options.parts}
    table = merged(FAULTS.read(), parts)
    if options.write:
        FAULTS.write(table)
    bad = list(FAULTS.cases("_page").bad(table))
    print("\n".join(bad))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
