"""Mutate every kind of file of a bundle, and see what loads, runs, inspects, verifies and compares it.

    python scripts/mutations.py --work DIR --count 100000 [--seed N] [--jobs N] [--only REGEX] [--write]
    python scripts/mutations.py --work DIR --replay NUMBER [--seed N]
    python scripts/mutations.py --work DIR --again [--write]
    python scripts/mutations.py --sample

A mutation is drawn from the seed and its number: a healthy bundle, one of its files, one to three changes of it, and an
operation. Digests in the manifest are made right, so that it reaches the parser. Some artifacts are files of one
operator, drawn anew: the cases of ONNX's own tests, and templates of TFLite's operators. Each operation runs in a child
of this process. It may end with an answer, a KexportError, or a report; everything else is a failure: another
exception, a death, 20 s without an answer, 1 GB of memory, a file written outside of its folder, code that a file
brought, or something wrong accepted. The files of a failure are kept in DIR/failures, with as few of its changes as
show it.

`--again` takes once more what failed in the run that DIR holds, after it was cured, and corrects its figures.
`--seconds` ends the run after that time. `--bases` is a folder with further bundles. `--write` writes
docs/mutations.json and docs/mutations.md. `--sample` takes two minutes. Exit code 1 after a failure. Needs
`kexport[build]`.
"""

from __future__ import annotations

import argparse
import collections
import importlib
import json
import pkgutil
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from measurements import Measurements, Record, parser, quiet_environment, versions

MUTATIONS = Measurements("mutations", "mutation_cases")
PACKAGES = ("onnxruntime", "ai-edge-litert", "numpy", "tensorflow-cpu", "keras")
LIMIT = 20.0  # seconds
SAMPLE_SECONDS, SAMPLE_OF_TENSORFLOW = 100.0, 12
_EXAMPLES = 5


class Run:
    """Mutations with one seed, and what became of them.

    Args:
        options: the options of the command line.
        work: a folder for the files.
    """

    def __init__(self, options: argparse.Namespace, work: Path) -> None:
        self.options, self.work = options, work
        bases, also = MUTATIONS.cases("_bases"), options.bases and Path(options.bases)
        self.bases = bases.every(work / "bases", also)
        self.counts: collections.Counter[tuple[str, str, str]] = collections.Counter()
        self.failures: dict[str, Record] = {}
        self.failed: dict[str, str] = {}  # the verdict of each number that failed
        for place in range(options.jobs):
            watched = self.folder(place) / "watched"
            watched.mkdir(parents=True, exist_ok=True)
            (watched / "secret").write_bytes(b"secret" * 100)
            for base in self.bases:
                _operations().write(dict(base.files), watched / base.name, watched)

    def folder(self, place: int) -> Path:
        """The folder of a child."""
        return self.work / f"child{place}"

    def draw(self, numbers: Sequence[int]) -> list[Any]:
        """The mutations of these numbers that are asked for."""
        cases = MUTATIONS.cases("_mutation")
        kinds = [kind for kind in cases.KINDS if re.search(self.options.only, kind)]
        drawn = [cases.draw(self.bases, self.options.seed, number, kinds) for number in numbers]
        return [each for each in drawn if re.search(self.options.operation, each.operation)]

    def take(self, mutations: Sequence[Any], seconds: float = float("inf")) -> None:
        """Take the mutations, for that long at most."""
        by_number = {mutation.number: mutation for mutation in mutations}
        jobs, until = self.options.jobs, time.monotonic() + seconds
        children = MUTATIONS.cases("_children")
        for outcome in children.run(mutations, self.folder, self.options.limit, jobs=jobs, until=until):
            mutation = by_number[outcome.number]
            self.counts[mutation.kind, mutation.operation, outcome.verdict] += 1
            if outcome.verdict in _operations().FAILURES:
                self._fail(mutation, outcome)
            if (done := sum(self.counts.values())) % 1000 == 0:
                print(f"{done} mutations, {len(self.failures)} kinds of failure", flush=True)

    def _fail(self, mutation: Any, outcome: Any) -> None:
        told = re.sub(r"\d+", "N", outcome.told.partition(": ")[0] if outcome.verdict == "raw" else outcome.told)
        name = f"{mutation.kind} {mutation.operation}: {outcome.verdict} {told}"
        failure = self.failures.setdefault(name, {"count": 0, "examples": []})
        failure["count"] += 1
        self.failed[str(outcome.number)] = outcome.verdict
        if len(failure["examples"]) < _EXAMPLES:
            failure["examples"].append(
                {"number": outcome.number, "what": outcome.what[:200], "told": outcome.told[:200]}
            )
        if failure["count"] == 1:
            print(f"FAILURE {name} (number {outcome.number}, {outcome.what[:200]})", flush=True)

    def keep(self) -> None:
        """Keep the files of the first example of each failure, with as few changes as show it."""
        for name, failure in self.failures.items():
            number = failure["examples"][0]["number"]
            (mutation,) = self.draw([number])
            chosen = self._fewest(mutation, name.split(": ")[1].split()[0])
            place = self.work / "failures" / str(number)
            files, what = MUTATIONS.cases("_mutation").files_of(mutation, chosen)
            place.mkdir(parents=True, exist_ok=True)
            _operations().write(files, place / "bundle", self.folder(0) / "watched" / mutation.base.name)
            about = {"failure": name, "seed": mutation.seed, "number": number, "changes": chosen, "what": what}
            about |= {"operation": mutation.operation, "runtime": mutation.runtime, **failure}
            (place / "about.json").write_text(json.dumps(about, indent=2))

    def _fewest(self, mutation: Any, verdict: str) -> list[int]:
        """The changes that lead to the same verdict without the others, one after another left out."""
        chosen = list(range(mutation.edits))
        for index in range(mutation.edits):
            fewer = [each for each in chosen if each != index]
            if fewer and [each.verdict for each in self._again(mutation, fewer)] == [verdict]:
                chosen = fewer
        return chosen

    def _again(self, mutation: Any, chosen: Sequence[int]) -> Iterator[Any]:
        yield from MUTATIONS.cases("_children").run([mutation], self.folder, self.options.limit, chosen)

    def table(self, seconds: float) -> Record:
        """What docs/mutations.json holds."""
        rows: Record = {}
        for (kind, operation, verdict), count in sorted(self.counts.items()):
            rows.setdefault(f"{kind} {operation}", {})[verdict] = count
        about = {"seed": self.options.seed, "count": sum(self.counts.values()), "minutes": round(seconds / 60, 1)}
        about |= {"bundles": [base.name for base in self.bases], "cured": 0}
        return {"versions": versions(PACKAGES), "run": about, "rows": rows, "failures": self.failures}

    def corrected(self, before: Record) -> Record:
        """The table of an earlier run, some of whose failures were taken once more."""
        table = self.table(0)
        for number, verdict in before["failed"].items():
            (mutation,) = self.draw([int(number)])
            self.counts[mutation.kind, mutation.operation, verdict] -= 1
        rows = before["table"]["rows"]
        for (kind, operation, verdict), count in self.counts.items():
            row = rows[f"{kind} {operation}"]
            row[verdict] = row.get(verdict, 0) + count
        cured = before["table"]["run"]["cured"] + len(before["failed"]) - len(self.failed)
        return {**table, "rows": rows, "run": {**before["table"]["run"], "cured": cured}}


def _operations() -> Any:
    return MUTATIONS.cases("_operations")


def import_everything(tensorflow: bool) -> None:
    """Import what the children need, and run nothing: children with threads of their parent's would hang."""
    import kexport

    MUTATIONS.cases("_onnx_operators").templates()  # which takes seconds
    modules = ["onnxruntime", "ai_edge_litert.interpreter"]
    ours = [module.name for module in pkgutil.walk_packages(kexport.__path__, "kexport.")]
    if tensorflow:
        from kexport.factory.tensorflow_workers import import_tensorflow

        import_tensorflow()
    late = ("__main__", "kexport.factory", "kexport.testing", "kexport.runtimes.keras_model")
    for module in [*modules, *ours]:
        if (tensorflow or not any(part in module for part in late)) and not module.endswith("__main__"):
            importlib.import_module(module)


def command_line() -> argparse.Namespace:
    """Parse the command line."""
    options = parser(__doc__)
    options.add_argument("--work", metavar="DIR", help="where the files are kept; a temporary folder by default")
    options.add_argument("--count", type=int, default=10_000, help="how many mutations (%(default)s)")
    options.add_argument("--start", type=int, default=0, metavar="NUMBER", help="the first number (%(default)s)")
    options.add_argument("--seed", type=int, default=1, help="%(default)s by default")
    options.add_argument("--seconds", type=float, default=float("inf"), help="ends the run after that time")
    options.add_argument("--limit", type=float, default=LIMIT, help="seconds that an operation may take (%(default)s)")
    options.add_argument("--jobs", type=int, default=1, help="how many run at a time (%(default)s)")
    options.add_argument("--only", default="", metavar="REGEX", help="kinds of file that match")
    options.add_argument("--operation", default="", metavar="REGEX", help="operations that match")
    options.add_argument("--bases", metavar="DIR", help="a folder with further bundles to mutate")
    options.add_argument("--replay", type=int, metavar="NUMBER", help="take one mutation again, and keep its files")
    options.add_argument("--again", action="store_true", help="take again what failed in the run that DIR holds")
    options.add_argument("--sample", action="store_true", help="the part that the tests run")
    options.add_argument("--write", action="store_true", help="write docs/mutations.json and its page")
    return options.parse_args()


def run(options: argparse.Namespace, work: Path) -> int:
    """Run what is asked for; returns 1 after a failure."""
    start, kept = time.monotonic(), work / "run.json"
    before = json.loads(kept.read_text()) if options.again else {"failed": {}}
    if options.again:
        options.seed = before["table"]["run"]["seed"]
    import_everything(tensorflow=False)
    whole = Run(options, work)
    numbers: Sequence[int] = range(options.start, options.start + options.count)
    if options.again or options.replay is not None:
        numbers = list(map(int, before["failed"])) if options.again else [options.replay]
    take_all(whole, whole.draw(numbers), start)
    shutil.rmtree(work / "failures", ignore_errors=True)
    whole.keep()
    table = whole.corrected(before) if options.again else whole.table(time.monotonic() - start)
    if options.replay is None:
        kept.write_text(json.dumps({"table": table, "failed": whole.failed}, indent=1))
    print("\n".join(MUTATIONS.cases("_page").lines(table)))
    if options.write:
        MUTATIONS.write(table)
    return 1 if whole.failures else 0


def take_all(whole: Run, mutations: Sequence[Any], start: float) -> None:
    """Take the mutations, those that need TensorFlow last: it is slow to import, and slow to fork."""
    options = whole.options
    light = [mutation for mutation in mutations if not mutation.uses_tensorflow]
    heavy = [mutation for mutation in mutations if mutation.uses_tensorflow]
    whole.take(light, SAMPLE_SECONDS if options.sample else options.seconds)
    heavy = heavy[:SAMPLE_OF_TENSORFLOW] if options.sample else heavy
    if heavy:
        import_everything(tensorflow=True)
        whole.take(heavy, max(0.0, start + options.seconds - time.monotonic()))


def main() -> int:
    """Run the script."""
    quiet_environment()
    options = command_line()
    if options.work:
        Path(options.work).mkdir(parents=True, exist_ok=True)
        return run(options, Path(options.work).resolve())
    with tempfile.TemporaryDirectory() as folder:
        return run(options, Path(folder).resolve())


if __name__ == "__main__":
    sys.exit(main())
