"""Build random networks with default domains, and report every verdict that is not a pass.

    python scripts/random_networks.py --count 500 --seed 1 [--jobs 2] [--only 17,31] [--work DIR] [--smallest 20]
    python scripts/random_networks.py --sample

The networks are chains and branches of Keras' own layers and operations, and of networks in networks, some of which
are called twice, with random weights, a number each; the same seed and number draw the same network. Every one is
healthy: what kexport says against it is a false alarm, a fault of a converter, or a refusal. Each is built in a process
of its own, in every format, and checked in every runtime; what passes is run by the raw runtimes on inputs that the
build has not seen. `--smallest N` makes
each network that does not pass smaller, in N trials at most, and writes it into DIR as a file with a `make()`.
`--sample` builds a few. `--summary` writes docs/random_networks.md from a log, where the last word on a network counts.

Exit code 1 when a network does not pass. About three seconds a network. Needs `kexport[build]`.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import forked
from measurements import DOCS, parser, quiet_environment, versions

SAMPLE = (1, (2, 5, 9))  # a seed, and numbers
_TIMEOUT = 300.0


def judged(options: argparse.Namespace, verdict: Any) -> Iterator[tuple[int, dict[str, Any]]]:
    """What is said of every requested network, as soon as it is known."""
    tasks = [
        forked.Task(str(index), partial(verdict.of_number, options.seed, index), timeout=_TIMEOUT)
        for index in options.numbers
    ]
    for outcome in forked.outcomes(tasks, options.jobs):
        yield int(outcome.task.name), _record(outcome) | {"seconds": round(outcome.seconds, 1)}


def _record(outcome: forked.Outcome) -> dict[str, Any]:
    if outcome.error or outcome.crash:
        said = [{"kind": "crash", "detail": (outcome.error or outcome.crash)[-1500:]}]
        return {"network": {}, "passed": False, "code": None, "said": said, "notes": []}
    return dict(outcome.result)


def reduce(record: dict[str, Any], verdict: Any, trials: int) -> dict[str, Any]:
    """The record of the smallest network of which the same is said."""
    formats = verdict.formats_of(record)

    def judge(network: dict[str, Any]) -> dict[str, Any] | None:
        task = forked.Task("smaller", partial(verdict.of_network, network, formats), timeout=_TIMEOUT)
        (outcome,) = forked.outcomes([task], 1)
        return None if outcome.error else _record(outcome) | {"network": network}

    return dict(verdict.smallest(record, judge, trials)) if record["network"] else record


def logged(path: str) -> dict[tuple[int, int], dict[str, Any]]:
    """The last record of each seed and number in a log, in their order."""
    records = [json.loads(line) for line in Path(path).read_text().splitlines()]
    return dict(sorted({(each["seed"], each["index"]): each for each in records}.items()))


def group_of(record: dict[str, Any]) -> str:
    """What is said of a network that does not pass, in few words, without names."""
    first = record["said"][0]
    kind, detail = first["kind"], str(first["detail"])
    if kind == "export" and "a bug in kexport" not in detail:
        return f"refused by name: {first['artifact']}"
    if "nothing can be concluded" in detail:
        return "ill-conditioned: nothing can be concluded"
    if kind == "adequacy not run":
        return "weights that no input of the default domain sees"
    if kind == "error":
        return "refused by Keras itself"
    where = ", ".join(dict.fromkeys(str(each["runtime"]) for each in record["said"] if each.get("runtime")))
    return f"{kind} in {where}" if where else str(kind)


def page(found: dict[tuple[int, int], dict[str, Any]]) -> str:
    """The page of the figures."""
    groups: dict[str, list[str]] = {}
    for (seed, index), record in found.items():
        if not record["passed"]:
            groups.setdefault(group_of(record), []).append(f"{seed}/{index}")
    failed = sum(map(len, groups.values()))
    packages = ", ".join(f"{name} {version}" for name, version in versions().items())
    lines = [
        "# Random networks", "",
        f"{len(found):,} random networks, built in every format and checked in every runtime with default domains; of",
        f"these {len(found) - failed:,} pass, and agree in the raw runtimes on inputs that the build has not seen. The",
        "others, by what is said of them, with seed and number:", "",
        f"{packages}.", "",
        "| said | networks | share | which |", "| --- | --- | --- | --- |",
    ]  # fmt: skip
    for group, names in sorted(groups.items(), key=lambda item: -len(item[1])):
        lines.append(f"| {group} | {len(names)} | {len(names) / len(found):.2%} | {', '.join(names)} |")
    lines += [
        "",
        "`unseen` are those that passed, and differ on other inputs; `parity` and `model` were told by the build.",
    ]
    return "\n".join([*lines, "", "Made by `scripts/random_networks.py --summary`.", ""])


def write(options: argparse.Namespace, index: int, record: dict[str, Any], smaller: dict[str, Any]) -> None:
    """Write the network as a file, with what is said of it."""
    from network_cases._network import Network

    said = "\n".join(json.dumps(each)[:900] for each in smaller["said"])
    head = f'"""Network {index} of seed {options.seed}: python scripts/random_networks.py --seed {options.seed} '
    head += f"--only {index}\n\n" + said.replace("\\", "/").replace('"""', "'''") + '\n"""\n\n'
    network = smaller["network"] or record["network"]
    source = Network.from_json(network).source() if network else ""
    (Path(options.work) / f"network_{options.seed}_{index}.py").write_text(head + source)


def main() -> int:
    """Build them; 1 when one does not pass."""
    quiet_environment()
    options = command_line()
    if options.summary:
        (DOCS / "random_networks.md").write_text(page(logged(options.log)))
        return 0
    forked.import_everything("network_cases._verdict")
    from network_cases import _verdict

    sorts: Counter[str] = Counter()
    for done, (index, record) in enumerate(judged(options, _verdict), 1):
        if options.log:
            with Path(options.log).open("a") as log:
                log.write(json.dumps({"seed": options.seed, "index": index, **record}) + "\n")
        sort = _verdict.sort_of(record)
        if not sort:
            continue
        sorts[sort] += 1
        print(f"[{done}/{len(options.numbers)}] seed {options.seed}, network {index}: {sort}", flush=True)
        for each in record["said"]:
            print(f"    {json.dumps(each)[:700]}", flush=True)
        if options.work:
            new = options.smallest and sorts[sort] <= options.each
            write(options, index, record, reduce(record, _verdict, options.smallest) if new else record)
    failed = sum(sorts.values())
    print(f"seed {options.seed}: {len(options.numbers) - failed} of {len(options.numbers)} networks pass")
    for sort, count in sorts.most_common():
        print(f"  {count} x {sort}")
    return 1 if failed else 0


def command_line() -> argparse.Namespace:
    """Parse the command line."""
    command = parser(__doc__)
    command.add_argument("--count", type=int, default=500, help="how many networks (%(default)s)")
    command.add_argument("--start", type=int, default=0, help="the number of the first (%(default)s)")
    command.add_argument("--seed", type=int, default=1, help="of the networks (%(default)s)")
    command.add_argument("--only", default="", metavar="NUMBERS", help="these networks, separated by commas")
    command.add_argument("--jobs", type=int, default=2, help="how many are built at a time (%(default)s)")
    command.add_argument("--work", metavar="DIR", help="where networks that do not pass are written")
    command.add_argument("--log", metavar="FILE", help="what is said of each, one JSON object per line")
    command.add_argument("--smallest", type=int, default=0, metavar="N", help="make each smaller, in N trials at most")
    command.add_argument("--each", type=int, default=3, metavar="N", help="make N of each sort smaller (%(default)s)")
    command.add_argument("--sample", action="store_true", help="the networks that the tests build")
    command.add_argument("--summary", action="store_true", help="write docs/random_networks.md from the log alone")
    options = command.parse_args()
    options.numbers = list(range(options.start, options.start + options.count))
    if options.sample:
        options.seed, options.numbers = SAMPLE
    if options.only:
        options.numbers = [int(number) for number in options.only.split(",")]
    if options.work:
        Path(options.work).mkdir(parents=True, exist_ok=True)
    return options


if __name__ == "__main__":
    sys.exit(main())
