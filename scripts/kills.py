"""Kill commands at random moments, and judge what they leave: `python scripts/kills.py --count 1000`.

Every build replaces one of two versions of a bundle by the other. It is ended by KILL, TERM or INT, sent to the process
or to all of its group: at any moment, or around the exchange of the two bundles; sometimes beside another build, of
the same bundle or of one with a similar name. After each, the target must be one whole version, the message must be
true, and two seconds later no process may be left. Every tenth build is left to end; after it nothing may be left of
the others. The processes are forks of this one, which has imported TensorFlow.

With `--readers`, the commands that read a bundle are killed instead: `verify`, with a search and without, `compare`,
`run`, `inspect` and `localise`.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import os
import random
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
VERSIONS = (3, 5)  # widths of the filter
REFERENCE = Path(__file__).resolve().parent.parent / "artifacts" / "reference" / "lowpass"
_SOME = ("--runtime", "onnxruntime", "--runtime", "litert")
#: The commands that read a bundle, by name.
READERS: Mapping[str, Sequence[str]] = {
    "verify": ("verify", "b", *_SOME),
    "search": ("verify", "b", *_SOME, "--search", "20"),
    "compare": ("compare", "b", "b", *_SOME),
    "run": ("run", "b", "--input", "x.csv", "--output", "y.csv", "--runtime", "litert"),
    "inspect": ("inspect", "b/model.onnx"),
    "localise": ("localise", "b", "--runtime", "onnxruntime"),
}
_numbers = itertools.count()
_leave = os._exit  # a command replaces it, in its own process
_WRITTEN = ".b.*.building/report.json"  # written last, just before the exchange
_ORPHANS_AFTER = 2.0  # seconds
_LONGEST = 300.0  # seconds that a build may take
_UNKILLED = 10  # every so many builds, one is left to end


@dataclass(frozen=True)
class Kill:
    """One build that is to be ended.

    Attributes:
        number: of the build.
        signal: what ends it; None for a build that is left to end.
        group: whether all its processes get the signal, as from Ctrl-C in a terminal.
        moment: a share of the time that a build takes; None for a moment around the exchange.
        beside: the target of a second build at the same time; None for none.
    """

    number: int
    signal: signal.Signals | None
    group: bool
    moment: float | None
    beside: str | None

    def __str__(self) -> str:
        when = "at the exchange" if self.moment is None else f"at {self.moment:.0%}"
        name = "no signal" if self.signal is None else f"{self.signal.name} {when}"
        return f"{self.number}: {name}{' to the group' * self.group}{f', beside {self.beside}' if self.beside else ''}"


def drawn(count: int, seed: int) -> Iterator[Kill]:
    """The kills of a campaign."""
    draw = random.Random(seed)
    for number in range(1, count + 1):
        kind = draw.choice(SIGNALS)
        moment = draw.choice([None, draw.random() * 1.1])
        beside = draw.choice([None, None, None, "b", "b.x"])
        yield Kill(number, kind if number % _UNKILLED else None, draw.random() < 0.5, moment, beside)


class Command:
    """A `kexport` command in a fork of this process, in a session of its own.

    Args:
        folder: to run in.
        words: the arguments.
    """

    def __init__(self, folder: Path, words: Sequence[str]) -> None:
        self.words = words
        self.log = folder.parent / f"{next(_numbers)}.log"
        self.log.touch()
        self.status: int | None = None
        self.began = time.monotonic()
        handler = signal.signal(signal.SIGINT, signal.SIG_DFL)  # as in a process that has just started
        self.pid = os.fork()
        if self.pid != 0:
            signal.signal(signal.SIGINT, handler)
        else:
            try:
                os.setsid()
                os.chdir(folder)
                with self.log.open("wb") as log:
                    os.dup2(log.fileno(), 1)
                    os.dup2(log.fileno(), 2)
                sys.argv = ["kexport", *words]
                from kexport.cli import main

                main()
            except BaseException:  # noqa: BLE001  the process must not go on as the campaign
                traceback.print_exc()
            finally:
                sys.stderr.flush()
                _leave(99)

    def end(self, number: signal.Signals, *, group: bool) -> None:
        """Send a signal, if it still runs."""
        with contextlib.suppress(ProcessLookupError):
            (os.killpg if group else os.kill)(self.pid, number)

    def wait(self, timeout: float = _LONGEST) -> int:
        """The exit status, negative for a signal."""
        until = time.monotonic() + timeout
        while not self.ended():
            if time.monotonic() > until:
                self.end(signal.SIGKILL, group=True)
                raise TimeoutError(f"{' '.join(self.words)} did not end")
            time.sleep(0.001)
        assert self.status is not None
        return self.status

    def ended(self) -> bool:
        """Whether it has ended."""
        if self.status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            self.status = os.waitstatus_to_exitcode(status) if pid else None
        return self.status is not None

    def said(self) -> str:
        """Its output, without what libraries say."""
        lines = self.log.read_text(errors="replace").splitlines()
        return "\n".join(line for line in lines if not line.startswith(("WARNING: All log", "I0000")))

    def processes(self) -> list[int]:
        """The processes of its session that still run."""
        found = []
        for path in Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):
                state, *numbers = path.read_text().rpartition(")")[2].split()
                if state != "Z" and int(numbers[2]) == self.pid:
                    found.append(int(path.parent.name))
        return found


class Build(Command):
    """A `kexport build`.

    Args:
        folder: to run in.
        target: the bundle.
        width: the version to build.
    """

    def __init__(self, folder: Path, target: str, width: int) -> None:
        self.target, self.width = folder / target, width
        words = ["build", "--model", "lowpass", "--set", f"kernel_size={width}", "--formats", "onnx", "--out", target]
        super().__init__(folder, words)


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
        left = {path.name for path in target.iterdir()} - {"manifest.json", "report.json", "goldens.npz", "model.onnx"}
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
        say: prints a line.
    """

    def __init__(self, folder: Path, say: Callable[[str], None] = print) -> None:
        self.place = folder / "place"
        self.place.mkdir()
        temporary = folder / "temporary"
        temporary.mkdir()
        os.environ["TMPDIR"] = str(temporary)
        tempfile.tempdir = None
        self.temporary, self.say = temporary, say
        self.faults: list[str] = []
        self.counts: Counter[str] = Counter()
        first = Build(self.place, "b", VERSIONS[0])
        if first.wait():
            raise RuntimeError(first.said())
        self.takes = time.monotonic() - first.began

    def run(self, kill: Kill) -> None:
        """One build, its end, and the judgement of what it leaves."""
        target = self.place / "b"
        before = version_at(target)
        width = next(each for each in VERSIONS if each != before)
        dead = set(self.place.glob(_WRITTEN))
        build = Build(self.place, "b", width)
        other = Build(self.place, kill.beside, width) if kill.beside else None
        if kill.signal is not None:
            self._wait_for(kill, build, dead)
            build.end(kill.signal, group=kill.group)
        status = build.wait()
        if status == 0:
            self.takes += (time.monotonic() - build.began - self.takes) / 4
        if other is not None:
            self._judge_other(kill, other)
        time.sleep(0 if not build.processes() else _ORPHANS_AFTER)
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


class ReadersCampaign:
    """Commands that read a bundle, kills and judges.

    Args:
        folder: to work in.
        say: prints a line.
    """

    def __init__(self, folder: Path, say: Callable[[str], None] = print) -> None:
        self.place, self.temporary = folder / "place", folder / "temporary"
        self.temporary.mkdir()
        shutil.copytree(REFERENCE, self.place / "b")
        (self.place / "x.csv").write_text("1\n2\n3\n")
        os.environ["TMPDIR"] = str(self.temporary)
        tempfile.tempdir = None
        self.say = say
        self.faults: list[str] = []
        self.counts: Counter[str] = Counter()
        self.state = self._files()
        self.output = b""
        self.takes = {name: self._measured(words) for name, words in READERS.items()}

    def _measured(self, words: Sequence[str]) -> float:
        command = Command(self.place, words)
        if command.wait():
            raise RuntimeError(command.said())
        self.output = self._output() or self.output
        return time.monotonic() - command.began

    def _output(self) -> bytes | None:
        """What `run` wrote, which is removed."""
        path = self.place / "y.csv"
        content = path.read_bytes() if path.exists() else None
        path.unlink(missing_ok=True)
        return content

    def _files(self) -> dict[str, bytes]:
        paths = (path for path in self.place.rglob("*") if path.is_file())
        return {path.relative_to(self.place).as_posix(): path.read_bytes() for path in paths}

    def run(self, kill: Kill) -> None:
        """One command, its end, and the judgement of what it leaves."""
        name = random.Random(kill.number).choice(list(READERS))
        command = Command(self.place, READERS[name])
        if kill.signal is not None:
            until = command.began + (0.98 if kill.moment is None else kill.moment) * self.takes[name]
            while time.monotonic() < until and not command.ended():
                time.sleep(0.002)
            command.end(kill.signal, group=kill.group)
        status = command.wait()
        time.sleep(0 if not command.processes() else _ORPHANS_AFTER)
        said, written, files = command.said(), self._output(), self._files()
        allowed = {0} if kill.signal is None else {0, -kill.signal, *([130] if kill.signal == signal.SIGINT else [])}
        truths = {
            f"exit {status}: {said[-300:]}": status in allowed,
            f"half an output: {written!r}": written in (None, self.output),
            "exit 0 without the output": status != 0 or name != "run" or written is not None,
            f"the folder has changed: {sorted(files.keys() ^ self.state.keys())}": files == self.state,
            f"a traceback: {said[-600:]}": "Traceback" not in said,
            f"processes are left: {command.processes()}": not command.processes(),
        }
        if kill.signal is None:
            left = [path.name for path in self.temporary.iterdir()]
            truths[f"left behind: {left}"] = not left
        for words in (words for words, true in truths.items() if not true):
            self.faults.append(f"{kill}, {name}: {words}")
            self.say(f"FAULT {self.faults[-1]}")
        self.counts[f"{name}, {'ended' if status == 0 else 'killed'}"] += 1


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a campaign; 1 when something was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--readers", action="store_true", help="kill the commands that read a bundle")
    options = parser.parse_args(arguments)
    from kexport.factory.tensorflow_workers import import_tensorflow

    import_tensorflow()
    with tempfile.TemporaryDirectory(prefix="kills-") as folder:
        campaign = (ReadersCampaign if options.readers else Campaign)(Path(folder))
        for kill in drawn(options.count, options.seed):
            campaign.run(kill)
            if kill.number % 50 == 0:
                print(f"{kill.number} kills, {len(campaign.faults)} faults", flush=True)
    for name, count in sorted(campaign.counts.items()):
        print(f"{count:5}  {name}")
    print(f"{options.count} kills, {len(campaign.faults)} faults")
    return bool(campaign.faults)


if __name__ == "__main__":
    sys.exit(main())
