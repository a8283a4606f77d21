"""`file.py:callable` and `package.module:callable` alike: a function of the user's own code that returns the model."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType

from kexport.bundle.naming import carried
from kexport.errors import KexportError, ModelError, UsageError, located, nearest
from kexport.factory.sources import _keras2
from kexport.factory.sources._settings import typed_settings
from kexport.factory.sources._source import Source
from kexport.factory.trace import explained
from kexport.user_code import in_this_folder


def function_source(
    place: str, attribute: str, settings: Mapping[str, str], code: Path | None, run: Callable[[], ModuleType]
) -> Source:
    """The source of a model that a function returns.

    Args:
        place: the file or module, as typed.
        attribute: the name of the function in it.
        settings: keyword arguments of the function, as text.
        code: the file, if it can be read before it is run.
        run: runs the file or imports the module.

    Raises:
        UsageError: the code cannot be parsed, or defines no such name.
    """
    domains = _read(place, attribute, code) if code is not None else {}

    def load() -> object:
        with in_this_folder():
            try:
                module = run()
            except (KexportError, KeyboardInterrupt):
                raise
            except BaseException as error:
                raise UsageError(f"{place} fails when it is run", got=located(error)) from error
            return _model(f"{place}:{attribute}", _attribute(module, place, attribute), settings)

    return Source(carried(attribute.rpartition(".")[2]), load, domains, live=True)


def _model(subject: str, function: object, settings: Mapping[str, str]) -> object:
    """The model that the function returns, or that it is."""
    import keras

    if isinstance(function, keras.Model) or _keras2.is_model(function):
        if settings:
            raise UsageError(f"{subject} is a model and takes no --set", got=", ".join(settings))
        return _keras2.from_model(function) if _keras2.is_model(function) else function
    if not callable(function):
        raise UsageError(
            f"{subject} is not callable", got=type(function).__name__, expected="a function that returns a keras.Model"
        )
    arguments = typed_settings(function, settings, subject)
    try:
        model: object = function(**arguments)
    except (KexportError, KeyboardInterrupt):
        raise
    except BaseException as error:
        got, hint = explained(error).facts(located(error), None)
        raise ModelError(f"{subject} fails", got=got, hint=hint) from error
    if _keras2.is_model(model):
        return _keras2.from_model(model)
    if not isinstance(model, keras.Model):
        if inspect.iscoroutine(model):
            model.close()  # or Python says on the terminal that nothing awaited it
        raise ModelError(
            f"{subject} returns no model",
            got=f"the class {model.__name__}" if inspect.isclass(model) else type(model).__name__,
            expected="a keras.Model",
        )
    return model


def _attribute(module: ModuleType, place: str, attribute: str) -> object:
    value: object = module
    for name in attribute.split("."):
        if not hasattr(value, name):
            raise _undefined(place, attribute, [other for other in vars(module) if not other.startswith("_")])
        value = getattr(value, name)
    return value


def _undefined(place: str, attribute: str, defined: list[str]) -> UsageError:
    return UsageError(f"{place} defines no {attribute!r}", hint=nearest(attribute, defined))


def _read(place: str, attribute: str, code: Path) -> dict[str, str]:
    """The domains that the code declares as `DOMAINS`, read without running it.

    Raises:
        UsageError: the code cannot be parsed, or does not define the attribute.
    """
    names: list[str] = []
    domains: dict[str, str] = {}
    complete = True
    for node in _statements(place, code):
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
            complete = False  # an `if` or a `try` may define more names
    if complete and "*" not in names and "__getattr__" not in names and attribute.partition(".")[0] not in names:
        raise _undefined(place, attribute, [name for name in names if not name.startswith("_")])
    return domains


def functions(place: str, code: Path) -> list[str]:
    """The functions that the code defines for others to call, read without running it.

    Raises:
        UsageError: the code cannot be parsed.
    """
    named = [node.name for node in _statements(place, code) if isinstance(node, ast.FunctionDef)]
    return [name for name in named if not name.startswith("_")]


def _statements(place: str, code: Path) -> list[ast.stmt]:
    try:
        return ast.parse(code.read_text(encoding="utf-8")).body
    except SyntaxError as error:
        raise UsageError(f"{place} cannot be parsed", got=f"{error.msg} ({code.name}:{error.lineno})") from None
    except (OSError, ValueError) as error:
        raise UsageError(f"{place} cannot be read", got=error) from None


def _literal(node: ast.expr) -> dict[str, str]:
    try:
        value = ast.literal_eval(node)
    except ValueError:
        return {}
    texts = isinstance(value, dict) and all(isinstance(part, str) for part in (*value, *value.values()))
    return value if texts else {}
