"""The domain of every input: declared by the user or the model, or else a default that the report names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from kexport.bundle.declared_domain import coerce, recorded
from kexport.bundle.domain import Domain, Samples
from kexport.bundle.samples import rows_of, thinned, unit
from kexport.bundle.signature import Array, Signature, TensorSpec
from kexport.errors import UsageError, require_known
from kexport.factory.inputs.from_model import known_domains
from kexport.factory.trace.program import Program


@dataclass(frozen=True)
class InputDomains:
    """The domains of the inputs of a model.

    Attributes:
        domains: the domains of every input.
        notes: for the report.
        undeclared: the inputs without a declared domain, each with the origin of its domain.
    """

    domains: dict[str, Domain]
    notes: list[str]
    undeclared: dict[str, str]

    def is_shared(self, signature: Signature) -> bool:
        """Whether an input has so few recorded rows that all of them serve both checks and calibration."""
        return any(
            rows_of(len(domain.values), unit(spec)).shared
            for spec in signature.inputs
            if isinstance(domain := self.domains[spec.name], Samples)
        )


def resolve_domains(program: Program, declared: Mapping[str, object]) -> InputDomains:
    """Choose a domain for every input: the declared one, else a default.

    Raises:
        UsageError: a domain is declared for an input that the model does not have, or cannot be read; or recorded data
            does not fit.
    """
    signature = program.signature
    names = [spec.name for spec in signature.inputs]
    declared = _by_input(declared, program.interface.own_names())
    for name in declared:
        require_known(name, names, f"a domain is given for {name!r}, which is not an input of the model")
    known = known_domains(program, [name for name in names if name not in declared])
    domains: dict[str, Domain] = {}
    undeclared: dict[str, str] = {}
    for spec in signature.inputs:
        if spec.name in declared:
            domains[spec.name] = coerce(spec.name, declared[spec.name], spec)
        else:
            domains[spec.name], undeclared[spec.name] = known[spec.name]
    kept, notes = _kept(signature, domains)
    return InputDomains({**domains, **kept}, [*program.interface.notes, *notes], undeclared)


def _by_input(declared: Mapping[str, object], own: Mapping[str, str]) -> dict[str, object]:
    """The declarations by input, also where a user names an input as the model itself does."""
    domains: dict[str, object] = {}
    for name, value in declared.items():
        called = own.get(name, name)
        if called in domains:
            raise UsageError(f"input {called!r} has two domains", got=", ".join(declared), expected="only one of them")
        domains[called] = value
    return domains


def _kept(signature: Signature, domains: Mapping[str, Domain]) -> tuple[dict[str, Samples], list[str]]:
    """The recorded data that the bundle keeps, and notes about it.

    Raises:
        UsageError: inputs whose rows belong together have recordings of different lengths.
    """
    specs = [spec for spec in signature.inputs if isinstance(domains[spec.name], Samples)]
    arrays = {spec.name: each.values for spec in specs if isinstance(each := domains[spec.name], Samples)}
    _require_same_count(specs, arrays)
    kept = thinned(arrays, specs)
    notes = []
    for spec in specs:
        before, values = len(arrays[spec.name]), kept[spec.name]
        rows = rows_of(len(values), unit(spec))
        if len(values) < before:
            notes.append(f"input {spec.name}: {len(values)} of {before} recorded rows are kept, evenly spread")
        if values.dtype.kind in "fc" and not np.isfinite(values).all():
            notes.append(f"input {spec.name}: the recorded rows hold NaN or infinity")
        notes.append(
            f"input {spec.name}: too few recorded rows to split ({rows.count}): all serve both checks and calibration"
            if rows.shared
            else f"input {spec.name}: {rows.check} recorded rows for checks, {rows.calibration} others for calibration"
        )
    return {name: Samples(values) for name, values in kept.items()}, notes


def _require_same_count(specs: list[TensorSpec], arrays: Mapping[str, Array]) -> None:
    firsts: dict[int | None, str] = {}
    for spec in specs:
        first = firsts.setdefault(spec.shape[0], spec.name)
        if len(arrays[first]) != len(arrays[spec.name]):
            raise UsageError(
                f"the recorded samples of inputs {first!r} and {spec.name!r} differ in number",
                got=f"{len(arrays[first])} and {len(arrays[spec.name])} rows",
                expected="the same number of rows: corresponding rows form one sample",
            )


def recordings(declared: Mapping[str, object]) -> dict[str, Array]:
    """The declarations that are recorded data, as arrays."""
    arrays = {name: recorded(value) for name, value in declared.items()}
    return {name: array for name, array in arrays.items() if array is not None}
