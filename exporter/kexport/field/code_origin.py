"""Where registered code comes from: the file or module that defines it, and the digest of what it says.

A digest is the SHA-256 of the file, with the line ends of Unix. Code that is in no file, such as that of a notebook,
has the digest of the sources of its functions instead, which stay the same when the code is moved to a file.
"""

from __future__ import annotations

import hashlib
import inspect
import sys
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import metadata
from importlib.metadata import Distribution, entry_points
from pathlib import Path
from types import FunctionType, ModuleType

from kexport.bundle.code_entry import CodeEntry, CodeKind
from kexport.user_code import file_of_module

FILE, SOURCE = "file", "source"
_LAYERS = "kexport.layers"


@dataclass(frozen=True)
class CodeOrigin:
    """Where the code of a class or function is.

    Attributes:
        code: the class or function.
        module: the name of its module, such as `"__main__"`.
        path: the file, if the code is in one.
    """

    code: type | FunctionType
    module: str
    path: Path | None

    @classmethod
    def of(cls, registered: object) -> CodeOrigin:
        """The origin of a registered class or function, or of the class of another registered object."""
        code = registered if isinstance(registered, type | FunctionType) else type(registered)
        module = getattr(code, "__module__", None) or ""
        return cls(code, module, _file_of(sys.modules.get(module), code))

    def digest(self, of: str) -> str:
        """The digest of its file or of its sources; empty if these cannot be read."""
        try:
            text = self.path.read_bytes() if of == FILE and self.path is not None else b""
        except OSError:
            text = b""
        if of == SOURCE:
            text = "\n".join(_sources(self.code)).encode(errors="surrogatepass")
        return hashlib.sha256(text.replace(b"\r\n", b"\n")).hexdigest() if text else ""

    @property
    def importable(self) -> str:
        """The name by which its module can be imported; empty if it is a script, or has no file."""
        main = sys.modules.get("__main__")
        if self.module == "__main__":
            spec = getattr(main, "__spec__", None)  # of `python -m package.module`
            return str(spec.name) if spec is not None and self.path is not None else ""
        return "" if self.path is None or file_of_module(self.module) else self.module


def entry_of(name: str, kind: CodeKind, registered: object, obstacle: str = "") -> CodeEntry:
    """The record of a class or function that is registered under a name.

    Args:
        name: the name.
        kind: what it is.
        registered: the class or function.
        obstacle: why nobody else can load it, if so.
    """
    origin = CodeOrigin.of(registered)
    file = "" if origin.path is None else origin.path.name
    distribution = None if origin.path is None else distribution_of(origin)
    if distribution is not None:
        return CodeEntry(name, kind, file, origin.module, distribution.name, distribution.version)
    of = FILE if origin.path is not None else SOURCE
    digest = origin.digest(of)
    return CodeEntry(name, kind, file, origin.importable, "", "", digest, of if digest else "", obstacle)


def differences(code: Sequence[CodeEntry], registered: dict[str, object]) -> Iterator[str]:
    """For each file or distribution whose code is not what the bundle was built with, one line that says so.

    Args:
        code: what the bundle records.
        registered: what is registered here, by name.
    """
    changed: dict[str, list[str]] = {}
    for entry in code:
        if entry.name not in registered:
            continue
        origin = CodeOrigin.of(registered[entry.name])
        here = origin.path.name if origin.path is not None else origin.module
        if entry.distribution:
            now = None if origin.path is None else distribution_of(origin)
            version = f"{now.name} {now.version}" if now is not None else here
            if version != f"{entry.distribution} {entry.version}":
                line = f"{version} is not what the bundle was built with, {entry.distribution} {entry.version}"
                changed.setdefault(line, []).append(entry.name)
        elif entry.sha256 and entry.sha256 != origin.digest(entry.digest_of):
            line = f"the code in {here} is not what the bundle was built with"
            changed.setdefault(line, []).append(entry.name)
    for line, names in changed.items():
        yield f"{line}: {', '.join(names)}"


def distribution_of(origin: CodeOrigin) -> Distribution | None:
    """The installed distribution that a module belongs to; None for a user's own file."""
    top = origin.module.partition(".")[0]
    for point in entry_points(group=_LAYERS):
        if point.module.partition(".")[0] == top:
            return point.dist
    if origin.path is None or not {"site-packages", "dist-packages"} & set(origin.path.parts):
        return None
    names = metadata.packages_distributions().get(top, [])
    return metadata.distribution(names[0]) if names else None


def _file_of(module: ModuleType | None, code: type | FunctionType) -> Path | None:
    """The file of a module; else the one that its functions were compiled from, if that exists."""
    functions = _functions(code)
    compiled = [function.__code__.co_filename for function in functions]
    for name in [getattr(module, "__file__", None), *compiled]:
        if name and Path(name).is_file() and "ipykernel" not in Path(name).parent.name:
            return Path(name)
    return None


def _functions(code: type | FunctionType) -> list[FunctionType]:
    """The functions that a class defines itself, by name; a function alone is its own."""
    if isinstance(code, FunctionType):
        return [code]
    members = [vars(code)[name] for name in sorted(vars(code))]
    members = [member.fget if isinstance(member, property) else member for member in members]
    members = [getattr(member, "__func__", member) for member in members]
    return [inspect.unwrap(member) for member in members if isinstance(member, FunctionType)]


def _sources(code: type | FunctionType) -> Iterator[str]:
    for function in _functions(code):
        try:
            yield textwrap.dedent(inspect.getsource(function)).strip()
        except (OSError, TypeError):
            continue
