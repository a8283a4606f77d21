"""Several signatures of a SavedModel: one request for each, whose bundles lie side by side in one folder."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from kexport.bundle import data_files, store
from kexport.bundle.folder import is_bundle
from kexport.bundle.naming import unique
from kexport.errors import UsageError
from kexport.factory import sources
from kexport.factory.promises import statements
from kexport.factory.request import BuildRequest, Declarations

Value = TypeVar("Value")


@dataclass(frozen=True)
class _Names:
    """Names of inputs and outputs, as the SavedModel has them and as formats carry them.

    Attributes:
        inputs: those of inputs.
        outputs: those of outputs.
    """

    inputs: frozenset[str] = frozenset()
    outputs: frozenset[str] = frozenset()

    def beyond(self, own: _Names) -> _Names:
        """These without those that a signature has itself."""
        return _Names(self.inputs - own.inputs, self.outputs - own.outputs)

    def concern(self, subject: str) -> bool:
        """Whether a declaration about outputs, such as `y` or `x->y`, is about one of these."""
        source, _, target = (part.strip() for part in subject.rpartition("->"))
        return source in self.inputs or target in self.outputs


def _without(names: frozenset[str], declared: Mapping[str, Value]) -> dict[str, Value]:
    return {name: value for name, value in declared.items() if name not in names}


def each_signature(request: BuildRequest) -> dict[str, BuildRequest]:
    """One request for each signature that a request names, by its name; for none or one, the request itself.

    Each has its bundle in a folder of that name, in the folder of the request. What is declared about an input or
    output goes to the signatures that have it.

    Raises:
        UsageError: the folder is a bundle, or two signatures would have one folder.
        KexportError: the model cannot be loaded.
    """
    names = list(dict.fromkeys(request.declarations.signatures))
    declarations = replace(request.declarations, signatures=tuple(names))
    if len(names) < 2:
        return {name: replace(request, declarations=declarations) for name in names or [""]}
    target = _folder(request)
    interfaces = _interfaces(request, names) if _declares(request) else dict.fromkeys(names, _Names())
    every = _Names(
        frozenset[str]().union(*(each.inputs for each in interfaces.values())),
        frozenset[str]().union(*(each.outputs for each in interfaces.values())),
    )
    return {
        name: _only(replace(request, out=target / folder), name, every.beyond(interfaces[name]))
        for name, folder in zip(names, unique(names), strict=True)
    }


def _folder(request: BuildRequest) -> Path:
    """Where the bundles go."""
    source = sources.find(request.model, request.settings)
    target = store.resolved(request.out if request.out is not None else Path("artifacts") / source.name)
    if is_bundle(target):
        raise UsageError(
            f"{target} is in the way: it is a bundle",
            expected="a folder for one bundle of each signature, or nothing",
            hint="choose another --out",
        )
    return target


def _declares(request: BuildRequest) -> bool:
    given = request.declarations
    return any((given.domain, given.samples is not None, given.contracts, given.unseen, request.strictness.tolerance))


def _interfaces(request: BuildRequest, names: Iterable[str]) -> dict[str, _Names]:
    """The names of inputs and outputs of each signature."""
    source = sources.find(request.model, request.settings)
    interfaces = {}
    with request.trust.lambdas():
        for name in names:
            interface = source.with_signature(name).load().interface
            inputs = (*(spec.name for spec in interface.inputs), *interface.own_names())
            interfaces[name] = _Names(frozenset(inputs), frozenset(interface.output_names))
    return interfaces


def _by_subject(contracts: object) -> dict[str, list[object]]:
    """The contracts by what they are about, as `kexport.build` takes them."""
    found: dict[str, list[object]] = {}
    for statement in statements(contracts):
        found.setdefault(statement.about, []).append(statement.contract)
    return found


def _only(request: BuildRequest, name: str, foreign: _Names) -> BuildRequest:
    """The request for one signature, without the declarations about names that only others have."""
    given = request.declarations
    samples = given.samples
    if isinstance(samples, str | Path):
        samples = data_files.load(Path(samples), request.trust.max_bytes)
    if isinstance(samples, Mapping):
        samples = _without(foreign.inputs, samples) or None
    contracts = {about: each for about, each in _by_subject(given.contracts).items() if not foreign.concern(about)}
    declarations = Declarations(
        _without(foreign.inputs, given.domain),
        samples,
        contracts,
        _without(foreign.outputs, given.unseen),
        (name,),
    )
    strictness = replace(request.strictness, tolerance=_without(foreign.outputs, request.strictness.tolerance))
    return replace(request, declarations=declarations, strictness=strictness)
