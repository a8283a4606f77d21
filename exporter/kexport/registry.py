"""Plug-ins, found by file name and by entry point, and imported only when requested.

A folder of kexport (`runtimes/`, `factory/formats/`, `reports/` ...) is a table of contents: each file in it whose
name does not begin with an underscore is one plug-in, and the file's module-level object named after its kind
(`RUNTIME`, `FORMAT`, ...) is the plug-in itself. Models and layers come from other packages through the
entry-point groups `kexport.models` and `kexport.layers`; an entry point names either a package, all of whose files
are then plug-ins, or one object as `module:object`. Finding them runs none of their code: a package of layers imports
Keras.
"""

from __future__ import annotations

import ast
import importlib
import importlib.util
import sys
from dataclasses import dataclass
from functools import cache
from importlib.machinery import ModuleSpec, PathFinder
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType
from typing import TypeVar

from kexport.errors import unknown

_BASE = Path(__file__).parent

T = TypeVar("T")


def names(folder: str) -> list[str]:
    """The plug-ins in a folder of kexport, such as `"factory/formats"`, in alphabetical order."""
    return list(_names(_BASE / folder))


@cache  # a build asks for every lowering more than once, and each would list the folder
def _names(folder: Path) -> tuple[str, ...]:
    return tuple(sorted(path.stem for path in folder.glob("*.py") if not path.stem.startswith("_")))


def get(folder: str, name: str, expected: type[T], attribute: str, kind: str | None = None) -> T:
    """The plug-in of that name in a folder of kexport.

    Args:
        folder: such as `"factory/formats"`.
        name: the name of its file.
        expected: the type of the plug-in.
        attribute: its name in the file.
        kind: what error messages call it; by default the attribute in lower case.

    Raises:
        UsageError: there is no file of that name.
        TypeError: the object in the file is of another type.
    """
    if name not in names(folder):
        raise unknown(kind or attribute.lower(), name, names(folder))
    return _attribute(f"kexport.{folder.replace('/', '.')}.{name}", attribute, expected)


def _attribute(module: str, name: str, expected: type[T]) -> T:
    value = getattr(importlib.import_module(module), name)
    if not isinstance(value, expected):
        raise TypeError(f"{module}.{name} is of type {type(value).__name__}, expected {expected.__name__}")
    return value


@dataclass(frozen=True)
class Offer:
    """A model, layer or contract that an installed package offers.

    Attributes:
        name: the name that users type.
        module: the module that defines it.
        attribute: its name in that module.
    """

    name: str
    module: str
    attribute: str

    def load(self, expected: type[T]) -> T:
        """Import the module and return the object.

        Args:
            expected: the type of the object.

        Raises:
            TypeError: it is of another type.
        """
        return _attribute(self.module, self.attribute, expected)

    def inspected(self) -> ModuleType:
        """The module, to look at the object in it before the model is loaded.

        The package around it may import Keras, which a look must not cost. So the module is a copy that ran without
        its package, if the package is not imported yet and the module's own imports need nothing of it.
        """
        spec = spec_of(self.module)
        package = self.module.partition(".")[0]
        needs_package = spec is None or spec.origin is None or _imports(_tree(Path(spec.origin)), package)
        if needs_package or package in sys.modules or spec is None or spec.loader is None:
            return importlib.import_module(self.module)
        module = importlib.util.module_from_spec(spec)
        sys.modules[self.module] = module  # while it runs, where its dataclasses look for it
        try:
            spec.loader.exec_module(module)
        finally:
            del sys.modules[self.module]
        return module

    def definition(self) -> ast.FunctionDef | ast.ClassDef | None:
        """The object's syntax tree, read without running its module."""
        spec = spec_of(self.module)
        if spec is None or spec.origin is None or not spec.origin.endswith(".py"):
            return None
        return _definition(Path(spec.origin), self.attribute)

    def summary(self) -> str:
        """The first line of the object's docstring."""
        definition = self.definition()
        text = ast.get_docstring(definition) if definition else None
        return text.splitlines()[0] if text else ""

    def parameters(self) -> list[str]:
        """The function's parameters with their defaults, as written."""
        definition = self.definition()
        if not isinstance(definition, ast.FunctionDef):
            return []
        args = definition.args
        pairs = list(zip(args.args[len(args.args) - len(args.defaults) :], args.defaults, strict=True))
        pairs += [(a, d) for a, d in zip(args.kwonlyargs, args.kw_defaults, strict=True) if d is not None]
        return [f"{arg.arg}={ast.unparse(default)}" for arg, default in pairs]


@cache
def offers(group: str) -> dict[str, Offer]:
    """What installed packages offer in an entry-point group, by name, in alphabetical order."""
    by_name: dict[str, Offer] = {}
    for point in entry_points(group=group):
        if point.attr:
            by_name[point.name] = Offer(point.name, point.module, point.attr)
            continue
        package = spec_of(point.module)
        if package is None:
            raise ModuleNotFoundError(f"No module named {point.module!r}", name=point.module)
        for folder in package.submodule_search_locations or ():
            for path in sorted(Path(folder).glob("*.py")):
                if not path.stem.startswith("_"):
                    offer = _offer_in_file(point.module, path)
                    by_name[offer.name] = offer
    return dict(sorted(by_name.items()))


def spec_of(module: str) -> ModuleSpec | None:
    """The specification of a module, found without running the packages that it lies in; None if there is none."""
    name, *rest = module.split(".")
    spec = importlib.util.find_spec(name)
    for part in rest:
        if spec is None or spec.submodule_search_locations is None:
            return None
        name = f"{name}.{part}"
        spec = PathFinder.find_spec(name, spec.submodule_search_locations)
    return spec


def _offer_in_file(package: str, path: Path) -> Offer:
    """The plug-in in a file: the function named after the file, or else the first public class."""
    module = f"{package}.{path.stem}"
    if _definition(path, path.stem) is not None:
        return Offer(path.stem, module, path.stem)
    for node in _tree(path).body:
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            return Offer(node.name, module, node.name)
    return Offer(path.stem, module, path.stem)


def _definition(path: Path, attribute: str) -> ast.FunctionDef | ast.ClassDef | None:
    for node in _tree(path).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name == attribute:
            return node
    return None


def _imports(tree: ast.Module, package: str) -> bool:
    """Whether a module imports a module of the package, or a relative one, as soon as it runs."""
    names: list[str] = []
    for node in tree.body:
        if isinstance(node, ast.ImportFrom):
            names.append(package if node.level else node.module or "")
        elif isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.If | ast.Try | ast.With) and ast.unparse(node).count("import") and not _typing(node):
            return True  # what runs depends on the conditions: the package is imported
    return any(name.partition(".")[0] == package for name in names)


def _typing(node: ast.stmt) -> bool:
    """Whether a statement is `if TYPE_CHECKING:`, which never runs."""
    return isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING") and not node.orelse


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))
