"""The kinds of contract by name, contracts as text, and contracts as entries of a manifest."""

from kexport.contracts.kinds.catalogue import (
    FOLDER,
    About,
    get,
    make,
    names,
    parameters,
    params_of,
    register,
    summary,
)
from kexport.contracts.kinds.entries import contract_of, entry_of
from kexport.contracts.kinds.notation import parse, text

__all__ = [
    "FOLDER",
    "About",
    "contract_of",
    "entry_of",
    "get",
    "make",
    "names",
    "parameters",
    "params_of",
    "parse",
    "register",
    "summary",
    "text",
]
