"""Builds that replace one of two versions of a bundle by the other, and are killed."""

from __future__ import annotations

import os
import random
import shutil
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from kill_cases.commands import ORPHANS_AFTER, Command, Kill

VERSIONS = (3, 5)  # widths of the filter
_WRITTEN = ".b.*.building/report.json"  # written last, just before the exchange


class Build(Command):
    """A `kexport build`.

    Args:
        folder: to run in.
        target: the bundle.
        width: the version to build.
        precision: what is written.
    """

    def __init__(self, folder: Path, target: str, width: int, precision: str) -> None:
        self.target, self.width = folder / target, width
        version = ["build", "--model", "lowpass", "--set", f"kernel_size={width}"]
        super().__init__(folder, [*version, "--formats", "onnx", "--precision", precision, "--out", target])


def version_at(target: Path) -> int | None:
    """The width of the whole and good bundle at a path; None if there is nothing.

    Raises:
        ValueError: it is not whole, or failed a check.
    """
    from kexport.bundle import Bundle
    from kexport.errors import KexportError
    from kexport.field.integrity import check_digests

    if not target.exists():
        return None
    try:
        bundle = Bundle.open(target)
        wrong = [check for check in check_digests(bundle).checks if not check.passed]
        if wrong or not bundle.passed:
            raise ValueError(f"{target.name} is mixed: {wrong}")
        written = {"manifest.json", "report.json", "goldens.npz", *(each.path for each in bundle.manifest.artifacts)}
        written |= {each.kernels.path for each in bundle.manifest.artifacts if each.kernels is not None}
        left = {path.name for path in target.iterdir()} - written
        if left:
            raise ValueError(f"{target.name} holds {sorted(left)}")
        return _taps(target)
    except KexportError as error:
        raise ValueError(f"{target.name} is damaged: {error}") from None


def _taps(target: Path) -> int:
    """The number of the filter's taps in the ONNX file."""
    import onnx

    model = onnx.load(target / "model.onnx")
    return next(size for each in model.graph.initializer if (size := max(each.dims, default=0)) in VERSIONS)


class Campaign:
    """Builds, kills and judges.

    Args:
        folder: to work in.
        precision: what the builds write.
        say: prints a line.
    """

    def __init__(self, folder: Path, precision: str, say: Callable[[str], None] = print) -> None:
        self.precision = precision
        self.place = folder / "place"
        self.place.mkdir()
        temporary = folder / "temporary"
        temporary.mkdir()
        os.environ["TMPDIR"] = str(temporary)
        tempfile.tempdir = None
        self.temporary, self.say = temporary, say
        self.faults: list[str] = []
        self.counts: Counter[str] = Counter()
        first = Build(self.place, "b", VERSIONS[0], precision)
        if first.wait():
            raise RuntimeError(first.said())
        self.takes = time.monotonic() - first.began

    def run(self, kill: Kill) -> None:
        """One build, its end, and the judgement of what it leaves."""
        target = self.place / "b"
        before = version_at(target)
        width = next(each for each in VERSIONS if each != before)
        dead = set(self.place.glob(_WRITTEN))
        build = Build(self.place, "b", width, self.precision)
        other = Build(self.place, kill.beside, width, self.precision) if kill.beside else None
        if kill.signal is not None:
            self._wait_for(kill, build, dead)
            build.end(kill.signal, group=kill.group)
        status = build.wait()
        if status == 0:
            self.takes += (time.monotonic() - build.began - self.takes) / 4
        if other is not None:
            self._judge_other(kill, other)
        time.sleep(0 if not build.processes() else ORPHANS_AFTER)
        self._judge(kill, build, status, before)

    def _wait_for(self, kill: Kill, build: Build, dead: set[Path]) -> None:
        """Until the moment of the kill, or the end of the build; `dead` is what killed builds had written."""
        if kill.moment is not None:
            until = build.began + kill.moment * self.takes
            while time.monotonic() < until and not build.ended():
                time.sleep(0.002)
            return
        while not build.ended():
            if set(self.place.glob(_WRITTEN)) - dead:
                time.sleep(random.Random(kill.number).random() * 0.02)
                return
            time.sleep(0.0002)

    def _judge(self, kill: Kill, build: Build, status: int, before: int | None) -> None:
        said = build.said()
        try:
            after = version_at(build.target)
        except ValueError as error:
            self._fault(kill, str(error))
            shutil.rmtree(build.target, ignore_errors=True)
            return
        refused = "being built by another process" in said
        allowed = {0} | ({2} if refused and kill.beside == "b" else set())
        if kill.signal is not None:
            allowed |= {-kill.signal} | ({130} if kill.signal == signal.SIGINT else set())
        replaced = after == build.width or kill.beside == "b"  # the other build makes the same version
        truths = {
            f"exit {status}: {said[-300:]}": status in allowed,
            "the bundle is lost": after is not None,
            "it is said to be built, and is not": "built b" not in said or after == build.width,
            "it is said to be new, and is not": "new bundle is at" not in said or after == build.width,
            "it is said to be as it was, and is not": "is as it was" not in said
            or after == before
            or kill.beside == "b",
            "exit 0 without the bundle": status != 0 or replaced,
            f"a traceback: {said[-600:]}": "Traceback" not in said,
            f"processes are left: {build.processes()}": not build.processes(),
        }
        for words, true in truths.items():
            if not true:
                self._fault(kill, words)
        outcome = "ended" if status == 0 else "refused" if status == 2 else "new" if after != before else "old"
        self.counts[f"{kill.signal.name if kill.signal else 'no signal'}, {outcome}"] += 1
        if kill.signal is None and status == 0:
            self._judge_leftovers(kill)

    def _judge_other(self, kill: Kill, other: Build) -> None:
        """The build beside the killed one is whole; or it was refused, because both build one bundle."""
        status, said = other.wait(), other.said()
        if status != 0 and not (kill.beside == "b" and "being built by another process" in said):
            self._fault(kill, f"the build beside it: exit {status}: {said[-600:]}")
        try:
            if status == 0 and version_at(other.target) != other.width:
                self._fault(kill, "the build beside it is not there")
        except ValueError as error:
            self._fault(kill, f"the build beside it: {error}")
        if kill.beside != "b":
            shutil.rmtree(other.target, ignore_errors=True)

    def _judge_leftovers(self, kill: Kill) -> None:
        left = [path.name for path in self.place.iterdir() if path.name not in ("b", "b.x")]
        left += [path.name for path in self.temporary.iterdir()]
        if left:
            self._fault(kill, f"left behind: {left}")

    def _fault(self, kill: Kill, words: str) -> None:
        self.faults.append(f"{kill}: {words}")
        self.say(f"FAULT {self.faults[-1]}")
