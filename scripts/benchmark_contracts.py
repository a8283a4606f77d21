"""Measure promises: planted breaks, layers that keep their promises, the stop band of a filter, and the cost of layers.

    python scripts/benchmark_contracts.py --work DIR [--parts breaks,healthy,response,latency] [--only REGEX] [--write]
    python scripts/benchmark_contracts.py --sample

The cases are in scripts/contract_cases. `breaks` builds layers that break their promises, measures by how much, rejects
breaks within four slacks, and checks that every runtime finds the others. `healthy` builds layers and compositions of
them, and checks every promise with five seeds. `response` measures the stop band of a filter through every artifact,
against SciPy. `latency` times the artifact of each layer, in turns with the smallest hand-written graph of the same
mathematics.

Bundles and records are kept in DIR; `--resume` keeps what an earlier run wrote there. `--write` writes all
results to docs/contracts_measured.json, and the page docs/contracts_measured.md beside it. `--sample` plants a few
breaks, and compares the results with docs/contracts_measured.json.

Exit code 1 when a break is missed or has no effect, a kept promise is called broken, or a limit is missed. A full run
takes an hour or two on two cores. Needs the packages of `kexport[build,test]`.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import forked
from measurements import PACKAGES, Measurements, Record, add_options, parsed, parser, quiet_environment, versions

CONTRACTS = Measurements("contracts_measured", "contract_cases")
#: For each part, the module that does it. It has `names()` and `work(name, folder)`.
PARTS = {"breaks": "_found", "healthy": "_healthy", "response": "_response", "latency": "_latency"}
SAMPLE = "^(scaled|bounded|linear_time_invariant)/(off by one part|a clip|a step on|centre tap)"


def run(part: str, options: argparse.Namespace) -> Record:
    """Do a part for the requested cases; returns the records of all its cases."""
    module, work = CONTRACTS.cases(PARTS[part]), Path(options.work) / part
    names = [name for name in module.names() if re.search(options.only, name)]
    work.mkdir(parents=True, exist_ok=True)
    kept = {name: work / f"{_file_name(name)}.json" for name in names}
    waiting = [name for name in names if not (options.resume and _is_done(kept[name]))]
    # Timings run one at a time.
    jobs = 1 if part == "latency" else options.jobs
    tasks = [forked.Task(name, partial(module.work, name), work / _file_name(name)) for name in waiting]
    for index, outcome in enumerate(forked.outcomes(tasks, jobs), 1):
        name, problem = outcome.task.name, outcome.error[-3000:] or outcome.crash
        record = {"problem": problem} if problem else outcome.result
        kept[name].write_text(json.dumps(record))
        print(f"[{index}/{len(waiting)}] {part} {name}: {json.dumps(record)[:1500]}", flush=True)
    return {name: json.loads(path.read_text()) for name, path in kept.items() if path.exists()}


def _is_done(path: Path) -> bool:
    return path.exists() and "problem" not in json.loads(path.read_text())


def _file_name(name: str) -> str:
    return re.sub(r"[^a-z0-9.]+", "_", name.lower()).strip("_")


def merged(table: Record, found: dict[str, Record]) -> Record:
    """The table with the new results, without cases that no longer exist; other parts are unchanged."""
    parts = {}
    for part, module in PARTS.items():
        known = set(CONTRACTS.cases(module).names()) if part in found else set(table.get(part, {}))
        both = {**table.get(part, {}), **found.get(part, {})}
        parts[part] = {name: record for name, record in both.items() if name in known}
    return {**table, "versions": versions((*PACKAGES, "numpy", "scipy")), **parts}


def sample() -> int:
    """Plant a few breaks; returns 1 when one is missed or is not in the table."""
    with tempfile.TemporaryDirectory() as folder:
        options = argparse.Namespace(work=folder, only=SAMPLE, resume=False, jobs=2)
        wrong = list(_differences(run("breaks", options), CONTRACTS.read().get("breaks", {})))
    print("\n".join(wrong))
    return 1 if wrong else 0


def _differences(found: Record, table: Record) -> Iterator[str]:
    yield from CONTRACTS.cases("_page").bad({"breaks": found})
    for name, record in found.items():
        if name not in table:
            yield f"{name} is not in docs/contracts_measured.json"
        elif record.get("promise") != table[name]["promise"]:
            yield f"{name} promises {record.get('promise')}; docs/contracts_measured.json says {table[name]['promise']}"
    if not found:
        yield "no case was run"


def main() -> int:
    """Run the requested parts; returns 1 when a result is not as it should be."""
    quiet_environment()
    command = parser(__doc__)
    add_options(command, CONTRACTS, "cases")
    options = parsed(command, tuple(PARTS), tuple(PARTS))
    forked.import_everything("kexport_layers")
    if options.sample:
        return sample()
    table = merged(CONTRACTS.read(), {part: run(part, options) for part in options.parts})
    if options.write:
        CONTRACTS.write(table)
    bad = list(CONTRACTS.cases("_page").bad(table))
    print("\n".join(bad))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
