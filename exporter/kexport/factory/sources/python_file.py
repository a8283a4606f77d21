"""`file.py:callable`: a function in the user's own file that returns the model; naming the file permits running it."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType

from kexport.errors import UsageError
from kexport.factory.sources._model_function import function_source, functions
from kexport.factory.sources._near_file import near_file
from kexport.factory.sources._source import Source, SourceKind
from kexport.user_code import run_file


def _claims(model: object) -> bool:
    return isinstance(model, str) and (".py:" in model or model.endswith(".py"))


def _find(model: str, settings: Mapping[str, str]) -> Source:
    place, _, attribute = model.rpartition(":") if ".py:" in model else (model, "", "")
    path = Path(place)
    if not path.is_file():
        raise UsageError(f"there is no file {path}", expected="file.py:callable", hint=near_file(path))
    if not attribute:
        raise UsageError(
            f"{model} names a file, but no function in it",
            expected=f"{path}:FUNCTION",
            hint=f"it defines {', '.join(functions(place, path)) or 'none'}",
        )

    def run() -> ModuleType:
        return _run(path.resolve())

    return function_source(place, attribute, settings, path, run)


def _run(path: Path) -> ModuleType:
    """Run the file with its folder first on the import path, so that it imports the `layers.py` beside it.

    The folder stays importable, because a function may import when it is called. Modules of the user's own that were
    imported from elsewhere under the name of a file in the folder are forgotten.
    """
    folder = path.parent
    packages = {each.parent.name for each in folder.glob("*/__init__.py")}
    neighbours = {each.stem for each in folder.glob("*.py")} | packages
    for name in [name for name in sys.modules if name.partition(".")[0] in neighbours]:
        file = getattr(sys.modules[name], "__file__", None)
        if file and _is_users(Path(file)) and folder not in Path(file).resolve().parents:
            del sys.modules[name]
    known = str(folder) in sys.path
    sys.path.insert(0, str(folder))
    try:
        return run_file(path, again=True)
    finally:  # what the file itself has put on the import path stays there: its function may import when it is called
        if str(folder) in sys.path:
            sys.path.remove(str(folder))
        if not known:
            sys.path.append(str(folder))


def _is_users(path: Path) -> bool:
    return not {"site-packages", "dist-packages"} & set(path.parts) and not str(path).startswith(sys.base_prefix)


KIND = SourceKind(rank=12, claims=_claims, find=_find)
