"""Build each model several times, in other environments, and compare every byte.

    python scripts/benchmark_same_bytes.py [--only REGEX] [--sample]

Models, options and environments are in scripts/byte_cases: other folders, users, time zones, locales, umasks, hash
seeds, numbers of cores, and a process that has built something else before. For each file that differs, the first
difference is printed. `--sample` builds two models in two environments.

Exit code 1 when a byte differs. An hour in all. Needs Linux and `kexport[build]`.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from byte_cases._builds import CASES, ENVIRONMENTS, Environment, build
from kexport.factory.repetition.first_difference import first_difference
from measurements import quiet_environment

SAMPLE = ("branches", "lowpass")


def differences(one: Path, other: Path) -> Iterator[str]:
    """Each file that one of two bundles has alone, or in which they differ."""
    names = {path.relative_to(each) for each in (one, other) for path in each.rglob("*") if not path.is_dir()}
    for name in sorted(names):
        if not (one / name).exists() or not (other / name).exists():
            yield f"{name}: only one build writes it"
        elif (difference := first_difference(one / name, other / name)) is not None:
            yield f"{name}: {difference}"


def measure(name: str, environments: tuple[Environment, ...]) -> list[str]:
    """What differs between the builds of a case."""
    with tempfile.TemporaryDirectory(prefix="same-bytes-") as within:
        first = build(name, environments[0], Path(within))
        found = []
        for environment in environments[1:]:
            bundle = build(name, environment, Path(within))
            found += [f"{name} in {environment.folder!r}: {each}" for each in differences(first, bundle)]
        files = sum(not path.is_dir() for path in first.rglob("*"))
        print(f"{name}: {files} files, {len(environments)} builds, {len(found)} differences", flush=True)
        return found


def main() -> int:
    """Build and compare; 1 when a byte differs."""
    quiet_environment()
    command = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    command.add_argument("--only", default="", metavar="REGEX", help="models whose name matches")
    command.add_argument("--sample", action="store_true", help="the part that the tests run")
    options = command.parse_args()
    names = SAMPLE if options.sample else [name for name in CASES if re.search(options.only, name)]
    environments = (ENVIRONMENTS[0], ENVIRONMENTS[1]) if options.sample else ENVIRONMENTS
    found = [each for name in names for each in measure(name, environments)]
    print("\n".join(found))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
