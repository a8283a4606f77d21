"""Promises: breaks that are planted, layers that keep theirs, the stop band of a filter, and what layers cost.

    python scripts/benchmark_contracts.py --work DIR [--parts breaks,healthy,response,latency] [--only REGEX] [--write]
    python scripts/benchmark_contracts.py --sample

The cases are in scripts/contract_cases. `breaks` builds layers that do not keep what they promise, measures by how
much, refuses what lies within four slacks, and lets every runtime find it. `healthy` builds layers and compositions of
them, and checks every promise with five seeds. `response` measures the stop band of a filter through every artifact,
against SciPy. `latency` times the artifact of each layer in turns with the smallest hand-written graph of its
mathematics.

Bundles and records are kept in DIR; `--resume` keeps what an earlier run wrote there. `--write` puts all into
docs/contracts_measured.json, and the page docs/contracts_measured.md beside it. `--sample` plants a few breaks, and
compares what comes out with docs/contracts_measured.json.

Exit code 1 when a break is missed or is none, a promise that is kept is called broken, or a limit is missed. All of it
takes an hour or two on two cores. Needs the packages of `kexport[build,test]`.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.metadata
import json
import os
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
TABLE, PAGE = ROOT / "docs" / "contracts_measured.json", ROOT / "docs" / "contracts_measured.md"
PACKAGES = ("keras", "tensorflow-cpu", "tf2onnx", "onnx", "onnxruntime", "ai-edge-litert", "numpy", "scipy")
#: Of each part: the module that does it. It has `names()` and `work(name, folder)`.
PARTS = {"breaks": "._found", "healthy": "._healthy", "response": "._response", "latency": "._latency"}
SAMPLE = "^(scaled|bounded|linear_time_invariant)/(off by one part|a clip|a step on|centre tap)"
Record = dict[str, Any]


def cases_module(name: str = "") -> Any:
    """A module of the cases, imported late: most of them import Keras."""
    return importlib.import_module(f"contract_cases{name}")


def run(part: str, options: argparse.Namespace) -> Record:
    """Do a part for the cases that were asked for; what is known of all of its cases."""
    module, work = cases_module(PARTS[part]), Path(options.work) / part
    names = [name for name in module.names() if re.search(options.only, name)]
    work.mkdir(parents=True, exist_ok=True)
    kept = {name: work / f"{_file_name(name)}.json" for name in names}
    waiting = [name for name in names if not (options.resume and _is_done(kept[name]))]
    # What is timed is timed alone.
    jobs = 1 if part == "latency" else options.jobs
    nursery = cases_module("._nursery")
    for index, (name, record) in enumerate(
        nursery.outcomes(module.work, waiting, lambda n: work / _file_name(n), jobs), 1
    ):
        kept[name].write_text(json.dumps(record))
        print(f"[{index}/{len(waiting)}] {part} {name}: {json.dumps(record)[:1500]}", flush=True)
    return {name: json.loads(path.read_text()) for name, path in kept.items() if path.exists()}


def _is_done(path: Path) -> bool:
    return path.exists() and "problem" not in json.loads(path.read_text())


def _file_name(name: str) -> str:
    return re.sub(r"[^a-z0-9.]+", "_", name.lower()).strip("_")


def read() -> Record:
    """What docs/contracts_measured.json holds."""
    return dict(json.loads(TABLE.read_text(encoding="utf-8"))) if TABLE.exists() else {}


def write(table: Record) -> None:
    """Write the table, a line a case, and make the page of it."""
    sections = []
    for key, value in table.items():
        if isinstance(value, dict) and all(isinstance(entry, dict) for entry in value.values()):
            lines = ",\n".join(f"  {json.dumps(name)}: {json.dumps(entry)}" for name, entry in sorted(value.items()))
            sections.append(f" {json.dumps(key)}: {{\n{lines}\n }}")
        else:
            sections.append(f" {json.dumps(key)}: {json.dumps(value)}")
    TABLE.write_text("{\n" + ",\n".join(sections) + "\n}\n", encoding="utf-8")
    PAGE.write_text(cases_module("._page").page(table), encoding="utf-8")
    print(f"written: {TABLE} and {PAGE}")


def merged(table: Record, found: dict[str, Record]) -> Record:
    """The table with what was found now, without cases that are no more; other parts stay as they are."""
    versions = {name: importlib.metadata.version(name) for name in PACKAGES}
    parts = {}
    for part, module in PARTS.items():
        known = set(cases_module(module).names()) if part in found else set(table.get(part, {}))
        both = {**table.get(part, {}), **found.get(part, {})}
        parts[part] = {name: record for name, record in both.items() if name in known}
    return {**table, "versions": versions, **parts}


def parsed() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", metavar="DIR", help="where bundles and records are kept")
    parser.add_argument("--only", default="", metavar="REGEX", help="cases whose name matches")
    parser.add_argument("--parts", default=",".join(PARTS), help="some of: " + ",".join(PARTS))
    parser.add_argument("--jobs", type=int, default=1, help="at a time (%(default)s)")
    parser.add_argument("--resume", action="store_true", help="keep what is in DIR already")
    parser.add_argument("--sample", action="store_true", help="the part that the tests run")
    parser.add_argument("--write", action="store_true", help="write docs/contracts_measured.json and its page")
    options = parser.parse_args()
    options.parts = options.parts.split(",")
    if unknown := sorted(set(options.parts) - set(PARTS)):
        parser.error(f"unknown parts: {', '.join(unknown)}")
    if not (options.work or options.sample):
        parser.error("--work DIR is missing")
    return options


def sample() -> int:
    """Plant a few breaks; 1 when one is missed, or is not in the table."""
    with tempfile.TemporaryDirectory() as folder:
        options = argparse.Namespace(work=folder, only=SAMPLE, resume=False, jobs=2)
        wrong = list(_differences(run("breaks", options), read().get("breaks", {})))
    print("\n".join(wrong))
    return 1 if wrong else 0


def _differences(found: Record, table: Record) -> Iterator[str]:
    yield from cases_module("._page").bad({"breaks": found})
    for name, record in found.items():
        if name not in table:
            yield f"{name} is not in docs/contracts_measured.json"
        elif record.get("promise") != table[name]["promise"]:
            yield f"{name} promises {record.get('promise')}; docs/contracts_measured.json says {table[name]['promise']}"
    if not found:
        yield "no case was run"


def main() -> int:
    """Run what was asked for; 1 when something is not as it should be."""
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
    options = parsed()
    cases_module("._nursery").prepare()
    if options.sample:
        return sample()
    table = merged(read(), {part: run(part, options) for part in options.parts})
    if options.write:
        write(table)
    bad = list(cases_module("._page").bad(table))
    print("\n".join(bad))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
