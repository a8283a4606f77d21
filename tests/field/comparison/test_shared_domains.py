from pathlib import Path
from types import SimpleNamespace
from typing import Any

from kexport.bundle.declared_domain import default_for
from kexport.bundle.domain import Choice, Domain, Ints, Uniform
from kexport.bundle.signature import TensorSpec
from kexport.field.comparison.operands import Operand
from kexport.field.comparison.shared_interface import InterfaceOptions, domains_of
from kexport.field.comparison.tensor_pairs import TensorPair


def operand(name: str, domains: dict[str, Domain] | None) -> Operand:
    bundle: Any = None
    if domains is not None:
        bundle = SimpleNamespace(domains=lambda: domains, manifest=SimpleNamespace(notes=[]))
    return Operand(name, Path(), Path(), {}, bundle)


def shared(a, b, specs, **declared):
    pairs = [TensorPair(spec, TensorSpec(f"{spec.name}_b", spec.dtype, spec.shape)) for spec in specs]
    theirs = None if b is None else {f"{name}_b": each for name, each in b.items()}
    options = InterfaceOptions(domains=declared)
    return domains_of(pairs, (operand("A", a), operand("B", theirs)), options)[0]


TEXT, NUMBER = TensorSpec("city", "string", (None, 1)), TensorSpec("x", "float32", (None, 2))


def test_what_either_of_two_bundles_takes_is_drawn():
    a = {"city": Choice("ulm", "kiel"), "x": Uniform(-1, 1)}
    b = {"city": Choice("kiel", "bonn"), "x": Uniform(0, 9)}
    assert shared(a, b, (TEXT, NUMBER)) == {"city": Choice("ulm", "kiel", "bonn"), "x": Uniform(-1, 9)}


def test_a_declared_domain_goes_before_those_of_the_bundles():
    assert shared({"x": Uniform(-1, 1)}, {"x": Uniform(0, 9)}, (NUMBER,), x="uniform(2, 3)") == {"x": Uniform(2, 3)}


def test_an_input_may_be_named_as_the_model_itself_named_it():
    spec = TensorSpec("my_input_0", "float32", (None, 2))
    assert shared(None, None, (spec,), **{"my input:0": "uniform(2, 3)"}) == {"my_input_0": Uniform(2, 3)}


def test_quantised_inputs_of_bare_files_take_the_whole_range_of_their_dtype():
    assert default_for(TensorSpec("x", "int8", (1, 4))) == Ints(-128, 128)
