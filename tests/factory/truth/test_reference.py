"""The model as the reference of a search, and where it is ill-conditioned."""

import shutil
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers, ops

from conftest import REFERENCE
from kexport import build
from kexport.bundle import witnesses
from kexport.bundle.goldens import Golden
from kexport.bundle.witnesses import Witness
from kexport.factory.inputs.domains import resolve_domains
from kexport.factory.trace.program import trace
from kexport.factory.truth.goldens import PERTURBATION, establish
from kexport.factory.truth.oracle import Oracle
from kexport.factory.truth.reference import TwinReference
from kexport.field.search import Terms
from kexport.field.search.verdicts import verdicts
from kexport.parity.space import Space
from kexport.testing.closeness import assert_close

ULP = 2.0**-23


def model_of(function, shape=(4,), dtype="float32"):
    x = keras.Input(shape, name="x", dtype=dtype)
    return keras.Model(x, function(x), name="model")


def reference(model, domain):
    program = trace(model)
    domains = resolve_domains(program, {"x": domain}).domains
    oracle = Oracle(program, domains)
    return TwinReference(program, oracle, establish(program, oracle, domains).limits, program.signature), program


def known(model, domain, values, dtype="float32"):
    found, program = reference(model, domain)
    conditioning = found.conditioning({"x": np.array(values, dtype)}, np.random.default_rng(0))
    (name,) = [spec.name for spec in program.signature.outputs]
    return {
        "truth": conditioning.truth[name],
        "moves": conditioning.ulp_sensitivity[name],
        "noise": conditioning.noise[name],
        "own": conditioning.keras_output[name],
    }


def test_the_truth_is_in_float64_and_the_noise_is_that_of_float32():
    value = np.linspace(-1, 1, 4, dtype="float32")[None]
    found = known(model_of(lambda x: ops.tanh(x * 3.0)), "uniform(-1, 1)", value)
    assert_close(found["truth"], np.tanh(value.astype("float64") * 3))
    assert found["truth"].dtype == "float64"
    assert found["own"].dtype == "float32"
    assert 0 < found["noise"].max() < 16 * ULP
    assert 0 < found["moves"].max() < 16 * ULP


def test_a_rounding_edge_moves_and_its_neighbours_do_not():
    found = known(model_of(ops.round), "uniform(-5, 5)", [[0.5, 1.2, -3.4, 2.5]])
    assert (found["moves"] > 0.9).tolist() == [[True, False, False, True]]


def test_a_tie_of_scores_moves_and_a_clear_winner_does_not():
    found = known(
        model_of(lambda x: ops.argmax(x, axis=-1)), "uniform(-1, 1)", [[0.5, 0.5, 0, 0], [0.5, 0.4, 0, 0]]
    )  # fmt: skip
    assert (found["moves"] != 0).tolist() == [True, False]


def test_an_exact_tie_of_a_discrete_domain_is_no_edge_because_nothing_is_nudged():
    found = known(
        model_of(lambda x: ops.argmax(x, axis=-1)), "choice(0.0, 0.5)", [[0.5, 0.5, 0, 0]]
    )  # fmt: skip
    assert found["moves"].tolist() == [0]


def test_near_overflow_the_relative_noise_of_the_exponential_is_known():
    found = known(model_of(ops.exp), "uniform(-88, 88)", [[85.0, 1.0, -5.0, 0.0]])
    assert found["moves"][0, 0] > 64 * ULP * np.exp(1.0)
    assert found["moves"][0, 0] < 256 * ULP * np.exp(85.0)


class Bounded(layers.Layer):
    """Takes nothing above 1."""

    def call(self, x):
        import tensorflow as tf

        tf.debugging.assert_less_equal(x, 1.0, "above 1")
        return x * 2.0


def test_a_model_that_takes_its_domain_alone_is_never_asked_beyond_it():
    found, _ = reference(model_of(Bounded()), "uniform(0, 1)")
    at_the_end = {"x": np.ones((3, 4), "float32")}
    assert (found.conditioning(at_the_end, np.random.default_rng(0)).truth["bounded"] == 2).all()
    beyond = {"x": np.full((3, 4), 1.5, "float32")}
    for ask in (found.outputs, lambda feeds: found.conditioning(feeds, np.random.default_rng(0))):
        with pytest.raises(ValueError, match="above 1"):
            ask(beyond)


def searched(tmp_path, model, domain, search="1500", formats=("onnx",)):
    return build(model, tmp_path / "bundle", domain={"x": domain}, formats=formats, search=search)


def of_search(bundle):
    return [check for check in bundle.report.checks if check.kind == "search"]


def edges(x):
    """Outputs that one unit in the last place makes another number of, or moves far."""
    scores = layers.Dense(10)(x)
    return {"rounded": ops.round(scores * 20), "label": ops.argmax(scores, -1), "grown": ops.exp(x * 17)}


def test_edges_are_no_false_alarms(tmp_path):
    keras.utils.set_random_seed(0)
    bundle = searched(tmp_path, model_of(edges), "uniform(-5, 5)", "3000", ["onnx", "tflite"])
    assert bundle.passed, bundle.report
    checks = of_search(bundle)
    assert all(check.metrics["evaluations"] == 3000 for check in checks)
    assert sum(check.metrics["suspects"] for check in checks) > 0


def test_exact_ties_of_a_discrete_domain_are_compared(tmp_path):
    bundle = searched(tmp_path, model_of(lambda x: ops.argmax(x, -1)), "choice(-1.0, 0.0, 1.0)")
    assert bundle.passed, bundle.report
    parity = [check for check in bundle.report.checks if check.kind == "parity"]
    assert all(check.metrics["set_apart"] == 0 for check in parity)


def test_edges_hide_no_fault_elsewhere():
    """Beside an edge in each sample, one element is off."""
    found, program = reference(model_of(ops.round), "uniform(-5, 5)")
    feeds = {"x": np.array([[0.5, 1.2, -3.4, 2.5], [0.5, 1.2, -3.4, 2.1]], "float32")}
    conditioning = found.conditioning(feeds, np.random.default_rng(0))
    (spec,) = program.signature.outputs
    domains = resolve_domains(program, {}).domains
    limits = {spec.name: establish(program, Oracle(program), domains).limits[0]}
    terms = Terms(program.signature, Space(program.signature, domains, [{"x": (2, 4)}]), limits, ULP)
    value = conditioning.truth[spec.name].astype("float32")
    value[:, 0] = 1.0  # the other answer at the edge
    healthy = verdicts(terms, 1.0, feeds, {spec.name: value}, conditioning, "edge")
    assert [(each.wrong, each.excluded) for each in healthy] == [(False, True), (False, True)]
    value[1, 2] += 1.0
    faulty = verdicts(terms, 1.0, feeds, {spec.name: value}, conditioning, "edge")
    assert [each.wrong for each in faulty] == [False, True]


def test_what_is_mostly_an_edge_cannot_be_checked(tmp_path):
    model = model_of(lambda x: ops.sin(x * 1e8))
    bundle = searched(tmp_path, model, "uniform(-5, 5)", search="500", formats=["tflite"])
    assert bundle.report.exit_code == 3
    ran = {
        (check.kind, check.runtime): check.ran for check in bundle.report.checks if check.kind in ("parity", "search")
    }
    assert not ran["parity", "litert"]
    assert not ran["search", "litert"]
    assert ran["parity", "litert_reference"], "its sine is that of Keras, which is right too"


def test_a_build_anew_keeps_the_inputs_and_makes_their_truth_anew(tmp_path):
    old = Path(shutil.copytree(REFERENCE / "lowpass", tmp_path / "bundle"))
    golden = Golden("impulses", {"x": np.array([[1, 0, 0, 0]], "float32")}, {"y": np.full((1, 3), 9.0)})
    kept = Witness(golden, "litert", {"y": 1e-6}, {"y": 1.0}, digest="of an artifact that is gone")
    witnesses.store(old, kept)
    model = model_of(lambda x: layers.Dense(3, name="y")(x))
    bundle = searched(tmp_path, model, "uniform(-5, 5)", search=None)
    assert bundle.path == old
    assert bundle.passed
    ((_, found),) = witnesses.stream(bundle.path, bundle.signature)
    np.testing.assert_array_equal(found.golden.inputs["x"], golden.inputs["x"])
    np.testing.assert_array_equal(found.golden.truth["y"][0], model.get_weights()[0][0].astype("float64"))
    assert (found.reference, found.digest) == ("truth", "")
    assert [c.runtime for c in bundle.report.checks if c.kind == "witness"] == ["onnxruntime"]


def test_a_model_without_a_twin_is_its_own_truth_and_its_noise_is_what_one_ulp_does():
    program = trace(model_of(ops.tanh))
    oracle = Oracle(program, resolve_domains(program, {}).domains)
    limits = [replace(limit, source=PERTURBATION) for limit in establish(program, oracle, oracle._domains).limits]
    found = TwinReference(program, oracle, limits, program.signature)
    conditioning = found.conditioning({"x": np.full((1, 4), 0.3, "float32")}, np.random.default_rng(0))
    (moves,), (noise,), (own,), (truth,) = (
        each.values()
        for each in (conditioning.ulp_sensitivity, conditioning.noise, conditioning.keras_output, conditioning.truth)
    )
    np.testing.assert_array_equal(moves, noise)
    np.testing.assert_array_equal(own, truth)
    assert truth.dtype == "float64"
    assert moves.max() > 0
