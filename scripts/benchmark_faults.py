"""Plant faults in healthy artifacts, and count what finds them.

    python scripts/benchmark_faults.py --work DIR [--only REGEX] [--parts effect,goldens,search,localise] [--write]
    python scripts/benchmark_faults.py --work DIR --parts healthy,resaved [--write]
    python scripts/benchmark_faults.py --sample

Models, their domains and their faults are in scripts/fault_cases, one file a family. Bundles are built once and kept in
DIR. `effect` plants each fault and measures what it does; a fault without an effect is refused. `goldens` verifies the
faulty bundle, `search` searches it for 60 s at most, `localise` names the layer. `healthy` searches healthy bundles for
2 s with 5 seeds, `resaved` verifies files with the same content in another order. `--resume` keeps what an earlier run
wrote into DIR. `--write` writes all results to docs/faults.json, and the page docs/faults.md beside it. `--sample`
plants a few faults, and compares the results with docs/faults.json.

Exit code 1 when a fault that must be found is missed, a healthy artifact is called faulty, or a fault cannot be
planted. A full run takes some hours on two cores. Needs `kexport[build]`.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any

from measurements import Measurements, Record, add_options, parsed, parser, quiet_environment, versions

FAULTS = Measurements("faults", "fault_cases")
OF_FAULTS, OF_HEALTHY = ("effect", "goldens", "search", "localise"), ("healthy", "resaved")
SAMPLE = "^(dense|bounded)/"


class Faults:
    """The requested faults and the record of each, kept in the work folder.

    Args:
        options: the options of the command line.
    """

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.work = Path(options.work)
        self.families = [
            family for family in FAULTS.cases().every() if any(re.search(options.only, f.name) for f in family.faults)
        ]
        self.faults = [fault for f in self.families for fault in f.faults if re.search(options.only, fault.name)]

    def place(self, fault: Any, suffix: str = "") -> Path:
        """The path of a fault's bundle, or of a file or folder beside it."""
        return self.work / str(fault.family) / (str(fault.name).replace("/", "_") + suffix)

    def record(self, fault: Any) -> Record:
        """The record of a fault."""
        path = self.place(fault, ".json")
        return dict(json.loads(path.read_text())) if path.exists() else {}

    def plant(self) -> None:
        """Plant and measure all faults, one process per family."""
        command = [sys.executable, __file__, "--work", str(self.work), "--only", self.options.only, "--family"]
        lacking = [f for f in self.families if not (self.options.resume and all(map(self._planted, f.faults)))]

        def run(family: Any) -> str:
            log = self.work / f"{family.name}.log"
            with log.open("w") as file:
                done = subprocess.run([*command, family.name], stdout=file, stderr=file, check=False)
            return "" if done.returncode == 0 else f"ended with {done.returncode}\n{log.read_text()[-2000:]}"

        for family, problem in _each(run, lacking, self.options.jobs):
            print(f"planted: {family.name} {problem}", flush=True)

    def _planted(self, fault: Any) -> bool:
        return not re.search(self.options.only, fault.name) or "effect" in self.record(fault)

    def find(self, part: str, how: Callable[[Any], Record]) -> None:
        """Run one way of finding faults on all planted faults."""
        faults = [fault for fault in self.faults if "effect" in self.record(fault)]
        if self.options.resume:
            faults = [fault for fault in faults if part not in self.record(fault)]
        for index, (fault, found) in enumerate(_each(how, faults, self.options.jobs), 1):
            self.place(fault, ".json").write_text(json.dumps({**self.record(fault), part: found}))
            print(f"[{index}/{len(faults)}] {part} {fault.name}: {json.dumps(found)}", flush=True)

    def goldens(self, fault: Any) -> Record:
        """The result of plain verification."""
        return dict(FAULTS.cases("_found").by_goldens(self.place(fault), fault.runtime))

    def search(self, fault: Any) -> Record:
        """The result of a search."""
        from kexport.parity.budget import Budget

        found, budget = FAULTS.cases("_found"), Budget(seconds=self.options.seconds)
        return dict(found.by_search(self.place(fault), fault.runtime, budget, self.place(fault, ".searched")))

    def localise(self, fault: Any) -> Record:
        """The layer that is named; only for faults inside a layer, in formats whose layers can be observed."""
        if not fault.layer or fault.format not in ("onnx", "tflite"):
            return {}
        searched = self.place(fault, ".searched")
        return dict(FAULTS.cases("_found").by_localise(searched if searched.exists() else self.place(fault), fault))


def _each(function: Callable[[Any], Any], items: Iterable[Any], jobs: int) -> Iterator[tuple[Any, Any]]:
    """Each item with its result, as soon as it is available."""
    with ThreadPoolExecutor(jobs) as pool:
        running = {pool.submit(function, item): item for item in items}
        for job in as_completed(running):
            yield running[job], job.result()


def healthy(options: argparse.Namespace, part: str) -> Record:
    """For each requested healthy model, the false alarms."""
    module, work = FAULTS.cases("_healthy"), Path(options.work)
    names = [name for name in module.names() if re.search(options.only, name)]
    kept = work / f"{part}.json"
    found: Record = dict(json.loads(kept.read_text())) if kept.exists() and options.resume else {}
    command = [sys.executable, __file__, "--work", str(work), "--healthy"]

    def run(name: str) -> Any:
        log = work / "healthy.log"
        with log.open("a") as file:
            done = subprocess.run([*command, name], stdout=subprocess.PIPE, stderr=file, text=True, check=False)
        if done.returncode:
            return f"the model cannot be built: {done.stdout[-300:]}"
        path = Path(done.stdout.splitlines()[-1])
        if part == "resaved":
            return {str(seed): module.resaved(path, seed) for seed in range(module.SEEDS)}
        return {str(seed): module.search(path, seed) for seed in range(module.SEEDS)}

    for name, result in _each(run, [name for name in names if name not in found], options.jobs):
        found[name] = result
        kept.write_text(json.dumps(found))
        print(f"{part} {name}: {json.dumps(result)[:400]}", flush=True)
    return found


def merged(table: Record, faults: Faults, parts: dict[str, Record]) -> Record:
    """The table with the new results, without faults that no longer exist; other sections are unchanged."""
    known = {fault.name for family in FAULTS.cases().every() for fault in family.faults}
    old = {name: entry for name, entry in table.get("faults", {}).items() if name in known}
    new = {fault.name: record for fault in faults.faults if "effect" in (record := faults.record(fault))}
    found = {name: {**table.get(name, {}), **part} for name, part in parts.items()}
    return {**table, "versions": versions(), "faults": {**old, **new}, **found}


def command_line() -> argparse.Namespace:
    """Parse the command line."""
    command = parser(__doc__)
    add_options(command, FAULTS, "faults, or healthy models,")
    command.add_argument("--seconds", type=float, default=60.0, help="of search per fault (%(default)s)")
    command.add_argument("--family", help=argparse.SUPPRESS)
    command.add_argument("--healthy", help=argparse.SUPPRESS)
    return parsed(command, OF_FAULTS + OF_HEALTHY, OF_FAULTS)


def sample() -> int:
    """Plant a few faults; returns 1 when a result differs from the table."""
    with tempfile.TemporaryDirectory() as folder:
        options = argparse.Namespace(work=folder, only=SAMPLE, resume=False, jobs=2)
        faults = Faults(options)
        faults.plant()
        table = FAULTS.read().get("faults", {})
        wrong = [line for fault in faults.faults for line in _differences(fault, faults.record(fault), table)]
    print("\n".join(wrong))
    return 1 if wrong else 0


def _differences(fault: Any, record: Record, table: Record) -> Iterator[str]:
    if "effect" not in record:
        yield f"{fault.name} cannot be planted: {record.get('broken', 'see its log')}"
        return
    stated = table.get(fault.name)
    if stated is None:
        yield f"{fault.name} is not in docs/faults.json"
    elif stated["effect"]["must_be_found"] != record["effect"]["must_be_found"]:
        yield f"{fault.name}: {record['effect']}; docs/faults.json says {stated['effect']}"


def main() -> int:
    """Run the requested parts; returns 1 when a result is not as it should be."""
    quiet_environment()
    options = command_line()
    if options.sample:
        return sample()
    work = Path(options.work)
    work.mkdir(parents=True, exist_ok=True)
    if options.family:
        FAULTS.cases("_measuring").measure(options.family, work, options.only)
        return 0
    if options.healthy:
        print(FAULTS.cases("_healthy").build(options.healthy, work))
        return 0
    faults = Faults(options)
    for part in OF_FAULTS:
        if part in options.parts:
            faults.plant() if part == "effect" else faults.find(part, getattr(faults, part))
    parts = {part: healthy(options, part) for part in OF_HEALTHY if part in options.parts}
    table = merged(FAULTS.read(), faults, parts)
    if options.write:
        FAULTS.write(table)
    bad = list(FAULTS.cases("_page").bad(table))
    bad += [f"{fault.name}: not planted" for fault in faults.faults if "effect" not in faults.record(fault)]
    print("\n".join(bad))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
