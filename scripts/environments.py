"""Commands in odd places, and what they must do there: `python scripts/environments.py`, as root on Linux for all.

An environment is a place (read-only, full, without a temporary folder, another user ...) around each of a few commands.
A command must do its work, or end with a message and the exit code that belongs to it: never with a traceback, a hang,
a changed home folder or something left behind.
"""

from __future__ import annotations

import argparse
import os
import re
import resource
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

REFERENCE = Path(__file__).resolve().parent.parent / "artifacts" / "reference" / "lowpass"
_LONGEST = 240.0  # seconds
_NOBODY = 65534

#: The commands, by name; {bundle} and {data} are paths.
COMMANDS: Mapping[str, Sequence[str]] = {
    "run": ("run", "{bundle}", "--input", "{data}", "--runtime", "onnxruntime"),
    "verify": ("verify", "{bundle}", "--runtime", "onnxruntime", "--runtime", "litert"),
    "search": ("verify", "{bundle}", "--runtime", "litert", "--search", "20"),
    "inspect": ("inspect", "{bundle}"),
    "json": ("verify", "{bundle}", "--runtime", "litert", "--json"),
    "write": ("run", "{bundle}", "--input", "{data}", "--output", "out.npy", "--runtime", "litert"),
}
#: Commands that import TensorFlow, which takes long.
SLOW_COMMANDS: Mapping[str, Sequence[str]] = {
    "build": ("build", "--model", "scaled", "--formats", "onnx", "--out", "built"),
    "keras": ("verify", "{bundle}", "--runtime", "keras"),
}


@dataclass(frozen=True)
class Place:
    """Where a command runs.

    Attributes:
        name: of the place.
        before: shell commands that prepare it; the command follows in the same shell, as `"$@"`.
        codes: the exit codes that are right here besides 0, by command; "*" for all others.
        also: further exit codes that are right, whatever fails first.
        must_fail: commands that cannot do their work here, so that exit 0 would be a lie.
        root: whether only root can prepare it.
        variables: of the environment; None removes one.
        limit: called in the process before it starts.
        commands: the names of those that are run here; all if empty.
    """

    name: str
    before: str = ""
    codes: Mapping[str, int] = field(default_factory=dict)
    also: frozenset[int] = frozenset()
    must_fail: frozenset[str] = frozenset()
    root: bool = False
    variables: Mapping[str, str | None] = field(default_factory=dict)
    limit: Callable[[], None] | None = None
    commands: tuple[str, ...] = ()


def _files(count: int) -> Callable[[], None]:
    return lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (count, count))


def _memory(size: int) -> Callable[[], None]:
    return lambda: resource.setrlimit(resource.RLIMIT_AS, (size, size))


_READ_ONLY = "mount -o remount,bind,ro / && mount -t tmpfs -o ro none /dev/shm"
_FULL = "mount -t tmpfs -o size=4k none {0} && (head -c 9999 /dev/zero > {0}/fill; true) 2>/dev/null"
_WRITES = frozenset({"write", "build"})
_SPEAKS = frozenset({"run", "verify", "search", "inspect", "json", "build", "keras"})
_LATIN = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}


def _as_user(number: int) -> str:
    """Shell commands that become another user, for whom Python's own folder is made reachable."""
    base = Path(sys.base_prefix)
    closed = next((each for each in reversed(base.parents) if not each.stat().st_mode & stat.S_IXOTH), None)
    open_up = ""
    if closed is not None:
        open_up = (
            f"mkdir -p $OLDHOME && mount --bind {base} $OLDHOME && mount -t tmpfs -o mode=755 none {closed} "
            f"&& mkdir -p {base} && mount --bind $OLDHOME {base};"
        )
    return f'{open_up} exec setpriv --reuid {number} --regid {number} --clear-groups -- "$@"'


def places() -> list[Place]:
    """Every place."""
    none = {"search": 3, "write": 2, "build": 2}
    return [
        Place("as it is"),
        Place("read-only everywhere", _READ_ONLY, none, must_fail=frozenset(none), root=True),
        Place("no /tmp", "mount -t tmpfs -o ro none /tmp", root=True),
        Place("no /dev/shm", "mount -t tmpfs -o ro none /dev/shm", root=True),
        Place("full /tmp", _FULL.format("/tmp"), {"build": 2}, root=True),
        Place("full /dev/shm", _FULL.format("/dev/shm"), root=True),
        Place("full folder", _FULL.format("here") + "; cd here",
              {"write": 2, "build": 2}, must_fail=_WRITES, root=True),
        Place("read-only folder", "mount --bind here here; mount -o remount,bind,ro here; cd here",
              {"write": 2, "build": 2}, must_fail=_WRITES, root=True),
        Place("another user", _as_user(_NOBODY), root=True, variables={"HOME": "/nonexistent"}),
        Place("a user without a name", _as_user(54321), root=True,
              variables={"HOME": None, "USER": None, "LOGNAME": None}),
        Place("a bundle that may not be read", "chmod 700 bundle;" + _as_user(_NOBODY),
              {"*": 2, "build": 0}, must_fail=frozenset({*COMMANDS, "keras"}), root=True),
        Place("a folder that may not be read", "chmod 711 here; cd here;" + _as_user(_NOBODY),
              {"write": 2, "build": 2}, must_fail=_WRITES, root=True),
        Place("TMPDIR that is not there", variables={"TMPDIR": "/none"}),
        Place("TMPDIR that is a file", variables={"TMPDIR": "/etc/hosts"}),
        Place("no HOME", variables={"HOME": None}),
        Place("HOME that is not there", variables={"HOME": "/none/at/all"}),
        Place("HOME that is a file", variables={"HOME": "/etc/hosts"}),
        Place("empty environment", variables=dict.fromkeys(set(os.environ) - {"PATH", "PYTHONPATH"})),
        Place("closed standard output", 'exec "$@" >&-', {"*": 2}, must_fail=_SPEAKS),
        Place("full standard output", 'exec "$@" >/dev/full', {"*": 2}, must_fail=_SPEAKS),
        Place("closed standard error", 'exec "$@" 2>&-'),
        Place("full standard error", 'exec "$@" 2>/dev/full'),
        Place("closed standard input", 'exec "$@" <&-'),
        Place("all streams closed", 'exec "$@" <&- >&- 2>&-', {"*": 2}),
        Place("a reader that goes away", '"$@" | head -c 1 >/dev/null; exit ${PIPESTATUS[0]}'),
        Place("no reader", '"$@" | true; exit ${PIPESTATUS[0]}'),
        Place("interrupts ignored", "trap '' INT HUP TERM; exec \"$@\""),
        Place("locale C", variables={"LC_ALL": "C"}),
        Place("locale that is not installed", variables={"LC_ALL": "de_DE.ISO-8859-1"}),
        Place("an encoding that is not UTF-8", variables=_LATIN),
        Place("an encoding that is not UTF-8, and a folder beyond it", "mkdir -p ünï; cd ünï", variables=_LATIN),
        Place("a folder with a space, a quote and a star", "mkdir -p \"a b'*[x]\"; cd \"a b'*[x]\""),
        Place("a folder with control characters", "mkdir -p $'a\\x1b[31m\\nb'; cd $'a\\x1b[31m\\nb'"),
        Place("a folder that is not UTF-8", "mkdir -p $'a\\xff'; cd $'a\\xff'", {"build": 2}),
        Place("a long path", "d=$(printf 'd%.0s' {1..200}); for i in 1 2 3 4 5; do mkdir -p $d; cd $d; done"),
        Place("a path of 4,000 characters",
              "d=$(printf 'd%.0s' {1..240}); for i in {1..16}; do mkdir -p $d; cd $d; done", {"*": 2}),
        Place("a removed folder", "mkdir gone; cd gone; rmdir ../gone", {"write": 2, "build": 2}, must_fail=_WRITES),
        Place("files that shadow packages", "for n in kexport click numpy rich json typing errors onnx keras; do "
              "echo 'raise SystemExit(77)' > here/$n.py; done; cd here"),
        Place("umask 077", "umask 077"),
        Place("umask 000", "umask 000"),
        Place("umask 777", "umask 777", {"*": 2, "build": 2, "write": 2}),
        Place("12 open files", limit=_files(12), codes={"*": 2}, also=frozenset({1, 3})),
        Place("32 open files", limit=_files(32), codes={"keras": 1, "build": 1}),
        Place("300 MB of memory", limit=_memory(300 << 20), codes={"*": 2}, also=frozenset({1})),
        Place("no colours", variables={"NO_COLOR": "1", "TERM": "dumb"}),
        Place("few columns", variables={"COLUMNS": "20", "LINES": "2"}),
        Place("odd values of columns", variables={"COLUMNS": "-3", "TERM": "none"}),
        Place("another hash seed, optimised", variables={"PYTHONHASHSEED": "7", "PYTHONOPTIMIZE": "2"}),
        Place("another time zone", variables={"TZ": "Pacific/Apia"}),
    ]  # fmt: skip


@dataclass(frozen=True)
class Finding:
    """What went wrong in a place."""

    place: str
    command: str
    words: str


class Tour:
    """Runs commands in places.

    Args:
        folder: to work in; every command gets a folder of its own there.
        python: the command line of the command itself.
    """

    def __init__(self, folder: Path, python: Sequence[str] = ()) -> None:
        self._folder = folder
        script = Path(sys.executable).parent / "kexport"
        self._program = list(python) or ([str(script)] if script.exists() else [sys.executable, "-m", "kexport"])

    def visit(self, place: Place, command: str, words: Sequence[str]) -> Iterator[Finding]:
        """Run a command in a place, and judge it."""
        folder = Path(tempfile.mkdtemp(dir=self._folder))
        (folder / "here").mkdir()
        home = folder / "home"
        home.mkdir()
        folder.chmod(0o777)
        shutil.copytree(REFERENCE, folder / "bundle")
        (folder / "data.csv").write_text("1\n2\n3\n")
        paths = {"bundle": str(folder / "bundle"), "data": str(folder / "data.csv")}
        before = set(Path(tempfile.gettempdir()).glob("*autograph*"))
        done = self._run(place, folder, home, [word.format(**paths) for word in words])
        for what in self._judge(place, command, done):
            yield Finding(place.name, command, what)
        if any(home.iterdir()):
            yield Finding(place.name, command, f"the home folder holds {[path.name for path in home.iterdir()]}")
        left = set(Path(tempfile.gettempdir()).glob("*autograph*")) - before
        if left and command == "keras":
            yield Finding(place.name, command, f"left behind: {sorted(path.name for path in left)}")
        if place.name.startswith("umask 0") and command == "build" and (folder / "built").exists():
            mode = stat.S_IMODE((folder / "built").stat().st_mode)
            if mode != 0o777 & ~int(place.name[-3:], 8):
                yield Finding(place.name, command, f"the bundle has mode {mode:o}")
        subprocess.run(["rm", "-rf", str(folder)], check=False)

    def _run(
        self, place: Place, folder: Path, home: Path, words: Sequence[str]
    ) -> subprocess.CompletedProcess[str] | None:
        environment = {**os.environ, "HOME": str(home), "OLDHOME": str(folder / "python")}
        for name, value in place.variables.items():
            environment.pop(name, None)
            if value is not None:
                environment[name] = value
        command = place.before if '"$@"' in place.before else f'{place.before or ":"} && exec "$@"'
        shell = ["bash", "-c", command, "bash", *self._program, *words]
        if place.root:
            shell = ["unshare", "-m", "--propagation", "private", *shell]
        try:
            return subprocess.run(
                shell, cwd=folder, env=environment, capture_output=True, text=True, errors="replace", check=False,
                stdin=subprocess.DEVNULL, preexec_fn=place.limit, timeout=_LONGEST,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return None

    def _judge(self, place: Place, command: str, done: subprocess.CompletedProcess[str] | None) -> Iterator[str]:
        if done is None:
            yield "a hang"
            return
        said = done.stderr + done.stdout
        allowed = {0, place.codes.get(command, place.codes.get("*", 0)), *place.also}
        if command in place.must_fail:
            allowed -= {0}
        if done.returncode not in allowed:
            yield f"exit {done.returncode} instead of {sorted(allowed)}: {said[-500:]}"
        if "Traceback" in said:
            yield f"a traceback: {said[-700:]}"
        if re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f]", said):
            yield "control characters in the output"
        speaks = "standard error" not in place.name and "streams" not in place.name
        if done.returncode and speaks and not re.search("^error: |FAIL|not checked", said, re.MULTILINE):
            yield f"exit {done.returncode} without a message: {said[-300:]}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run every command in every place; 1 when something was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", help="places whose names hold this")
    parser.add_argument("--command", action="append", choices=[*COMMANDS, *SLOW_COMMANDS], help="only this command")
    parser.add_argument("--slow", action="store_true", help="also the commands that import TensorFlow")
    options = parser.parse_args(arguments)
    commands = {**COMMANDS, **(SLOW_COMMANDS if options.slow or options.command else {})}
    if options.command:
        commands = {name: commands[name] for name in options.command}
    count, findings = 0, []
    with tempfile.TemporaryDirectory(prefix="environments-", dir="/var/tmp") as folder:
        Path(folder).chmod(0o755)
        for place in places():
            if (options.only and options.only not in place.name) or (place.root and os.getuid() != 0):
                continue
            for name, words in commands.items():
                if place.commands and name not in place.commands:
                    continue
                count += 1
                for finding in Tour(Path(folder)).visit(place, name, words):
                    findings.append(finding)
                    print(f"FOUND in {finding.place}, {finding.command}: {finding.words}", flush=True)
    print(f"{count} environments, {len(findings)} findings")
    return bool(findings)


if __name__ == "__main__":
    sys.exit(main())
