"""Promises about what a model computes: one file a kind, NumPy only.

`from kexport.contracts import Bounded` imports that kind and nothing else; a kind of your own is a frozen dataclass
with `kind`, `check` and `words` that `register` makes known.
"""

from typing import Any

from kexport import registry

_HOMES = {
    "About": "_kinds",
    "Contract": "_contract",
    "Effort": "_contract",
    "Function": "_function",
    "Measured": "falsification.hunt",
    "Slack": "_slack",
    "Verdict": "_contract",
    "WeightContract": "_contract",
    "hunt": "falsification.hunt",
    "register": "_kinds",
}


def __getattr__(name: str) -> Any:
    import importlib

    home = _HOMES.get(name) or _files().get(name)
    if home is None:
        raise AttributeError(f"module 'kexport.contracts' has no attribute {name!r}")
    return getattr(importlib.import_module(f"kexport.contracts.{home}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES, *_files()})


def _files() -> dict[str, str]:
    """The class of each file of the folder, by the rule of its name: `LowPass` lives in `low_pass.py`."""
    return {"".join(part.capitalize() for part in file.split("_")): file for file in registry.names("contracts")}
