"""What `file.py:callable` and `package.module:callable` share: the code that makes the model is the user's own."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from kexport.bundle.naming import carried
from kexport.errors import KexportError, ModelError, UsageError, located, nearest
from kexport.factory.sources._parameters import typed
from kexport.factory.sources._source import Source


def source(
    where: str, attribute: str, settings: Mapping[str, str], code: Path | None, run: Callable[[], ModuleType]
) -> Source:
    """The source of a model that a callable makes.

    Args:
        where: the file or module, as typed.
        attribute: the name of the callable in it.
        settings: keyword arguments of the callable, as text.
        code: the file, if there is one that can be read before it is run.
        run: runs the file or imports the module.

    Raises:
        UsageError: the code cannot be parsed, or defines no such name.
    """
    domains = _look(where, attribute, code) if code is not None else {}

    def load() -> object:
        try:
            module = run()
        except KexportError:
            raise
        except (Exception, SystemExit) as error:  # the user's code may raise anything
            raise UsageError(f"{where} fails when it is run", got=located(error)) from error
        return _made(f"{where}:{attribute}", _attribute(module, where, attribute), settings)

    return Source(carried(attribute.rpartition(".")[2]), load, domains, live=True)


def _made(subject: str, function: Any, settings: Mapping[str, str]) -> object:
    """The model that the callable returns."""
    import keras

    if isinstance(function, keras.Model):
        if settings:
            raise UsageError(f"{subject} is a model and takes no --set", got=", ".join(settings))
        return function
    if not callable(function):
        raise UsageError(
            f"{subject} is not callable", got=type(function).__name__, expected="a function that returns a keras.Model"
        )
    arguments = typed(function, settings, subject)
    try:
        model = function(**arguments)
    except KexportError:
        raise
    except (Exception, SystemExit) as error:  # likewise
        raise ModelError(f"{subject} fails", got=located(error)) from error
    if not isinstance(model, keras.Model):
        kind = type(model).__name__
        raise ModelError(
            f"{subject} returns no model",
            got=f"the class {model.__name__}" if inspect.isclass(model) else kind,
            expected="a keras.Model",
        )
    return model


def _attribute(module: ModuleType, where: str, attribute: str) -> Any:
    found: Any = module
    for name in attribute.split("."):
        if not hasattr(found, name):
            raise _missing(where, attribute, [known for known in vars(module) if not known.startswith("_")])
        found = getattr(found, name)
    return found


def _missing(where: str, attribute: str, known: list[str]) -> UsageError:
    return UsageError(f"{where} defines no {attribute!r}", hint=nearest(attribute, known))


def _look(where: str, attribute: str, code: Path) -> dict[str, str]:
    """Parse the code: refuse a name that it does not define; give the domains that it declares as `DOMAINS`."""
    try:
        tree = ast.parse(code.read_text(encoding="utf-8"))
    except SyntaxError as error:
        raise UsageError(f"{where} cannot be parsed", got=f"{error.msg} ({code.name}:{error.lineno})") from None
    except (OSError, ValueError) as error:
        raise UsageError(f"{where} cannot be read", got=error) from None
    names: list[str] = []
    domains: dict[str, str] = {}
    sure = True
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.append(node.name)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                names += [part.id for part in ast.walk(target) if isinstance(part, ast.Name)]
            if "DOMAINS" in names and node.value is not None and not domains:
                domains = _literal(node.value)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names += [(alias.asname or alias.name).partition(".")[0] for alias in node.names]
        elif not isinstance(node, ast.Expr):
            sure = False  # an `if` or a `try` may define it
    if sure and "*" not in names and "__getattr__" not in names and attribute.partition(".")[0] not in names:
        raise _missing(where, attribute, [name for name in names if not name.startswith("_")])
    return domains


def _literal(node: ast.expr) -> dict[str, str]:
    try:
        value = ast.literal_eval(node)
    except ValueError:
        return {}
    texts = isinstance(value, dict) and all(isinstance(part, str) for part in (*value, *value.values()))
    return value if texts else {}
