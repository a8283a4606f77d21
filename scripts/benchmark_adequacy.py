"""Change one tensor of a model at a time, and count what the goldens of a default domain see of it.

    python scripts/benchmark_adequacy.py [--only REGEX] [--jobs 2] [--write]
    python scripts/benchmark_adequacy.py --sample

Models and changes are in scripts/adequacy_cases. Each model is built once, in a process of its own; each of its changes
is converted to ONNX and verified there. `--write` writes docs/adequacy.json, and the page docs/adequacy.md beside it.
`--sample` measures a few models, and compares the result with docs/adequacy.json.

Exit code 1 when fewer than 99 % of the changes are found by verification or listed as unseen by the build, or when a
healthy model does not pass. Some minutes in all. Needs `kexport[build]`.
"""

from __future__ import annotations

import json
import re
import sys
from functools import partial

import forked
from measurements import Measurements, Record, parser, quiet_environment, versions

ADEQUACY = Measurements("adequacy", "adequacy_cases")
SAMPLE = "^(dense|sensor)$"


def measured(names: list[str], jobs: int) -> dict[str, Record]:
    """The record of each model, a line printed for each."""
    measure = ADEQUACY.cases("_measuring").measure
    tasks = [forked.Task(name, partial(measure, name), timeout=1800.0) for name in names]
    found: dict[str, Record] = {}
    for outcome in forked.outcomes(tasks, jobs):
        name = outcome.task.name
        if outcome.error or outcome.crash:
            problem = (outcome.error or outcome.crash).strip()
            found[name] = {"wrong": [f"cannot be measured: {problem[-1500:]}"], "unchecked": [], "tensors": {}}
        else:
            found[name] = outcome.result
        print(f"{name} ({outcome.seconds:.0f} s): {_summary(found[name])}", flush=True)
    return found


def _summary(record: Record) -> str:
    rows = record["tensors"].values()
    counts = {key: sum(row[key] for row in rows) for key in ("changes", "found", "listed")}
    for key in ("without_effect", "missed"):
        counts[key] = sum(len(row[key]) for row in rows)
    missed = {name: row["missed"] for name, row in record["tensors"].items() if row["missed"]}
    silent = {name: row["without_effect"] for name, row in record["tensors"].items() if row["without_effect"]}
    told = [f"missed {json.dumps(missed)}"] * bool(missed) + [f"no effect {json.dumps(silent)}"] * bool(silent)
    return "\n    ".join([json.dumps(counts), *told, *record["wrong"], *record["unchecked"]])


def merged(table: Record, found: dict[str, Record]) -> Record:
    """The table with the new records; those of models that no longer exist are left out."""
    known = set(ADEQUACY.cases("_models").MODELS)
    kept = {
        name: row for name, row in table.get("tensors", {}).items() if name.partition(": ")[0] in known - set(found)
    }
    models = {name: row for name, row in table.get("models", {}).items() if name in known}
    for model, record in found.items():
        models[model] = {key: record[key] for key in ("wrong", "unchecked")}
        kept.update({f"{model}: {tensor}": row for tensor, row in record["tensors"].items()})
    return {"versions": versions(), "models": models, "tensors": kept}


def main() -> int:
    """Measure; 1 when a result is not as it should be."""
    quiet_environment()
    command = parser(__doc__)
    command.add_argument("--only", default="", metavar="REGEX", help="models whose name matches")
    command.add_argument("--jobs", type=int, default=1, help="how many models at a time (%(default)s)")
    command.add_argument("--sample", action="store_true", help="the part that the tests run")
    command.add_argument("--write", action="store_true", help="write docs/adequacy.json and its page")
    options = command.parse_args()
    forked.import_everything("adequacy_cases._measuring")
    names = [
        name for name in ADEQUACY.cases("_models").MODELS if re.search(SAMPLE if options.sample else options.only, name)
    ]
    found = measured(names, options.jobs)
    table = merged(ADEQUACY.read(), found)
    if options.sample:
        stated = ADEQUACY.read().get("tensors", {})
        wrong = [f"{name}: {row}" for name, row in merged({}, found)["tensors"].items() if stated.get(name) != row]
        print("\n".join(wrong))
        return 1 if wrong else 0
    if options.write:
        ADEQUACY.write(table)
    problems = list(ADEQUACY.cases("_page").bad(merged({}, found)))
    print("\n".join(problems))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
