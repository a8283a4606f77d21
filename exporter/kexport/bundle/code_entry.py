"""The user's code that a bundle needs: for the classes and functions in its `.keras` file, and for its contracts."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from enum import Enum

from kexport.bundle.json_files import FieldError, member, text
from kexport.bundle.json_text import JsonObject


class CodeKind(str, Enum):
    """What a piece of code is. A member equals its text, which is what manifests hold."""

    LAYER = "layer"
    MODEL = "model"
    CLASS = "class"  # of another object: an initializer, a regularizer, a constraint
    FUNCTION = "function"
    CONTRACT = "contract"  # a kind of contract
    LAMBDA = "lambda"  # the bytecode of a Lambda layer, which is in the .keras file itself

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True)
class CodeEntry:
    """One class or function that a bundle needs, and where its code was when the bundle was built; never a path.

    Attributes:
        name: under which it is registered: `package>Name` with Keras, the kind with kexport; the layer of a Lambda.
        kind: what it is.
        file: the name of the file that defines it, without its folder; empty if no file does.
        module: the module that defines it, where it can be imported by that name.
        distribution: the installed distribution that the module belongs to, if any.
        version: the version of that distribution.
        sha256: the digest of its code, whatever its line ends; empty for an installed distribution.
        digest_of: what the digest is of: `"file"`, or `"source"` for the sources of its functions, where no file is.
        obstacle: why nobody else can load it, in words; empty if others can.
    """

    name: str
    kind: CodeKind
    file: str = ""
    module: str = ""
    distribution: str = ""
    version: str = ""
    sha256: str = ""
    digest_of: str = ""
    obstacle: str = ""

    @property
    def place(self) -> str:
        """Where its code was, in words; empty if it was in neither a file nor a module."""
        if self.distribution:
            return f"the module {self.module} of {self.distribution} {self.version}".rstrip()
        return self.file if not self._by_module else f"the module {self.module}" if self.module else ""

    @property
    def import_name(self) -> str:
        """What `--import` takes to run this code; empty if nothing does."""
        return "" if self.obstacle else self.module if self._by_module else self.file

    @property
    def _by_module(self) -> bool:
        """Whether it is imported by the name of its module: it is installed, or belongs to a package."""
        return bool(self.distribution) or "." in self.module or self.file in ("", "__init__.py")

    def to_json(self) -> dict[str, str]:
        """The entry in the manifest, without what is empty."""
        return {key: str(value) for key, value in asdict(self).items() if value}

    @classmethod
    def from_json(cls, data: JsonObject) -> CodeEntry:
        """The inverse of `to_json`; keys of a later writer are ignored.

        Raises:
            FieldError: an entry is missing or of the wrong type, or the file is a path.
        """
        optional = [key for key in cls.__dataclass_fields__ if key in data and key not in ("name", "kind")]
        texts = {key: member(data, key, text) for key in optional}
        if {"/", "\\"} & set(texts.get("file", "")):
            raise FieldError(("file",), f"is a path, and not the name of a file: {texts['file']!r}")
        kind = member(data, "kind", text)
        known = CodeKind(kind) if kind in [each.value for each in CodeKind] else CodeKind.CLASS
        return cls(member(data, "name", text), known, **texts)


def described(entries: Sequence[CodeEntry]) -> str:
    """The entries with their places, those of one place together: `lab>Tab and lab>act from tab.py`."""
    groups: dict[tuple[str, str], list[str]] = {}
    for entry in entries:
        groups.setdefault((entry.place, entry.sha256 if entry.digest_of == "file" else ""), []).append(entry.name)
    places: list[str] = []
    parts = []
    for (place, _), names in groups.items():
        other = "another file " * (place in places and bool(place))
        parts.append(" and ".join(names) + (f" from {other}{place}" if place else ""))
        places.append(place)
    return ", ".join(parts)


def import_options(entries: Sequence[CodeEntry]) -> str:
    """The options that run the code of the entries: `--import tab.py --import lab.layers`; empty if none does."""
    by_code = {(entry.import_name, entry.sha256): entry.import_name for entry in entries if entry.import_name}
    return " ".join(f"--import {shlex.quote(name)}" for name in by_code.values())


def of_names(entries: Sequence[CodeEntry], names: Collection[str]) -> list[CodeEntry]:
    """The entries with these names."""
    return [entry for entry in entries if entry.name in names]
