"""Export every public Keras layer and operation, and models of all kinds, in every format; say what is right.

    python scripts/export_coverage.py [--only REGEX] [--groups layers,ops,...] [--write]
    python scripts/export_coverage.py --sample

Each case is built in a process of its own, and its artifacts are run by the raw runtimes on inputs that the build has
not seen. `--write` puts the outcomes into docs/coverage.json, and the page docs/coverage.md beside it. `--sample` runs
a fixed part of the cases in under three minutes. Without `--write` the outcomes are compared with docs/coverage.json:
exit code 1 when one differs, or is wrong and not caught, right and called wrong, or a crash.

All of it takes about half an hour on two cores. Needs `kexport[build]`; cases of other packages need these, which no
extra brings: `pip install --no-deps keras-hub regex tokenizers sentencepiece`, and for the group `packages` keras-rs,
keras-tcn, keras-lmu, keras-mdn-layer, ncps, mtcnn, basic-pitch with tf-keras, and kapre and keras-cv with what they
import (librosa, keras-core, tensorflow-datasets). Cases whose package is missing are left out, told, and never counted;
the table keeps what was measured last. Nothing is downloaded while it runs.
"""

from __future__ import annotations

import importlib.metadata
import json
import re
import sys
import zlib
from collections import Counter
from functools import partial
from typing import Any

import forked
from measurements import PACKAGES, Measurements, parser, quiet_environment

COVERAGE = Measurements("coverage", "coverage_cases")
GROUPS = ("layers", "ops", "models", "applications", "hub", "packages")
BAD = ("wrong", "false alarm", "crash")
SAMPLED = 16  # one case of so many is in the sample, and these, which broke most often
SAMPLED_TOO = (
    "Activation/gelu", "TimeDistributed/dynamic", "one_hot/outside", "mod/int", "GRU/masked_dynamic",
    "Conv2DTranspose/dilated", "AveragePooling3D/default", "Resizing/bicubic_down", "rfft/odd", "scatter/twice",
    "RandomFlip/inference", "StringLookup/int", "Dense/bfloat16", "Resizing/bilinear_up", "MobileNetV3Small/32",
)  # fmt: skip


def chosen(groups: list[str], only: str, sample: bool) -> list[Any]:
    """The cases to run."""
    cases = [case for case in COVERAGE.cases().every(groups) if re.search(only, case.name)]
    return [case for case in cases if in_sample(case)] if sample else cases


def in_sample(case: Any) -> bool:
    """Whether the case is in the sample, which does not change when cases are added."""
    if case.name in SAMPLED_TOO or case.group in ("applications", "hub", "packages"):
        return case.name in SAMPLED_TOO
    return zlib.crc32(case.name.encode()) % SAMPLED == 0


def run(cases: list[Any], jobs: int) -> dict[str, dict[str, dict[str, str]]]:
    """The outcome of every case, by group, case and format; a line is printed for each.

    Raises:
        SystemExit: a case is at fault itself.
    """
    export = COVERAGE.cases("_export").export
    tasks = [forked.Task(case.name, partial(export, case), timeout=case.timeout) for case in cases]
    by_task = dict(zip(map(id, tasks), cases, strict=True))
    found: dict[str, dict[str, dict[str, str]]] = {}
    broken = []
    for index, outcome in enumerate(forked.outcomes(tasks, jobs), 1):
        case = by_task[id(outcome.task)]
        head = f"[{index}/{len(cases)}] {case.group} {case.name} {outcome.seconds:.1f} s"
        if outcome.error:
            broken.append(case.name)
            print(f"{head}: the case fails\n{outcome.error}", flush=True)
            continue
        statuses = dict.fromkeys(case.formats, ("crash", outcome.crash)) if outcome.crash else outcome.result
        row = {name: f"{status}: {why}" if why else status for name, (status, why) in statuses.items()}
        found.setdefault(case.group, {})[case.name] = row
        print(f"{head}: " + ", ".join(f"{name} {text}" for name, text in row.items()), flush=True)
    if broken:
        raise SystemExit(f"cases that fail by themselves: {', '.join(broken)}")
    return found


def write(found: dict[str, dict[str, dict[str, str]]]) -> None:
    """Put the outcomes into the table, without cases that are no more, and make the page."""
    cases = COVERAGE.cases().every(GROUPS)
    known = {(case.group, case.name) for case in cases}
    table = {"versions": {}, "cases": {}, **COVERAGE.read()}
    groups = table["cases"]
    for group in GROUPS:
        merged = {**groups.get(group, {}), **found.get(group, {})}
        groups[group] = {name: row for name, row in sorted(merged.items()) if (group, name) in known}
    names = dict.fromkeys((*PACKAGES, *filter(None, (case.package for case in cases))))
    versions = {name: _version(name) or table["versions"].get(name, "") for name in names}
    versions = {name: version for name, version in versions.items() if version}
    lines = [f" {json.dumps('versions')}: {json.dumps(versions)},", ' "cases": {']
    for group, rows in groups.items():
        entries = [f"   {json.dumps(name)}: {json.dumps(row)}" for name, row in rows.items()]
        lines += [f"  {json.dumps(group)}: {{", ",\n".join(entries), "  }" + ("," if group != GROUPS[-1] else "")]
    page = COVERAGE.cases("_page").page(groups, versions)
    COVERAGE.write_text("\n".join(["{", *lines, " }", "}"]) + "\n", page)


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return ""


def missing(cases: list[Any]) -> dict[str, int]:
    """The packages that some of the cases need and that are not installed, with the number of these cases."""
    return dict(Counter(case.package for case in cases if case.package and not _version(case.package)))


def differences(found: dict[str, dict[str, dict[str, str]]]) -> list[str]:
    """What is not as the table says, a line each."""
    table = COVERAGE.read().get("cases", {})
    lines = []
    for group, rows in found.items():
        for name, row in rows.items():
            stated = table.get(group, {}).get(name, {})
            for form in {**stated, **row}:
                was, now = stated.get(form, "nothing"), row.get(form, "nothing")
                if was.partition(":")[0] != now.partition(":")[0]:
                    lines.append(f"{group} {name}, {form}: {now}; docs/coverage.json says {was}")
    return lines


def main() -> int:
    """Run the cases; 1 when something is not as it should be."""
    command = parser(__doc__)
    command.add_argument("--only", default="", metavar="REGEX", help="cases whose name matches")
    command.add_argument("--groups", default=",".join(GROUPS), help="some of: %(default)s")
    command.add_argument("--sample", action="store_true", help="the part of the cases that the tests run")
    command.add_argument("--write", action="store_true", help="write docs/coverage.json and docs/coverage.md")
    command.add_argument("--jobs", type=int, default=2, help="cases at a time (%(default)s)")
    options = command.parse_args()
    groups = options.groups.split(",")
    if unknown := sorted(set(groups) - set(GROUPS)):
        command.error(f"unknown groups: {', '.join(unknown)}")
    quiet_environment()
    forked.import_everything("coverage_cases._export")  # before the cases, which import Keras
    cases = chosen(groups, options.only, options.sample)
    absent = missing(cases)
    for package, count in absent.items():
        print(f"not installed: {package}, so {count} of its cases are not measured (see --help)")
    found = run([case for case in cases if case.package not in absent], options.jobs)
    bad = [
        f"{group} {name}, {form}: {text}"
        for group, rows in found.items()
        for name, row in rows.items()
        for form, text in row.items()
        if text.startswith(BAD)
    ]
    if options.write:
        write(found)
    changed = differences(found)
    for line in dict.fromkeys([*bad, *changed]):
        print(line)
    if changed:
        print("if that is intended: python scripts/export_coverage.py --sample --write (or --only), and commit docs/")
    return 1 if bad or changed else 0


if __name__ == "__main__":
    sys.exit(main())
