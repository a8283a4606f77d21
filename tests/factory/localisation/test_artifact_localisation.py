"""`localise` names the layer in which a fault was planted, of each kind, in ONNX and in TFLite."""

import json
import shutil

import numpy as np
import planted_layers
import pytest

import kexport
from kexport import runtimes
from kexport.bundle.folder import Bundle
from kexport.bundle.limits import OutputLimit
from kexport.bundle.report import Report
from kexport.bundle.signature import TensorSpec
from kexport.factory.localisation import bisection
from kexport.factory.localisation.artifact_localisation import localise_artifact
from kexport.factory.localisation.artifact_probe import ArtifactProbe
from kexport.factory.localisation.intermediates import ArtifactTensor
from kexport.factory.localisation.layer_calls import CallSite
from kexport.factory.localisation.layer_graph import TracedCall
from kexport.factory.localisation.layer_output import LayerOutput, LayerTruth
from kexport.factory.localisation.layer_truths import LayerTruths
from kexport.factory.localisation.replay_cases import replay_cases
from kexport.factory.localisation.tensor_matcher import TensorMatch, TensorMatcher
from kexport.parity.layer_report import FUSED, NOT_RUN, RIGHT, SAME, LayerRow
from kexport.parity.localised_bundle import LocalisedBundle
from kexport.reports import artifact_layers_table, layers_json


@pytest.fixture(scope="session")
def mixed(tmp_path_factory):
    """A bundle of a model with layers of many kinds, and the truth of its layers."""
    model = planted_layers.model()
    bundle = kexport.build(model, tmp_path_factory.mktemp("mixed") / "mixed", formats=["keras", "onnx", "tflite"])
    assert bundle.passed
    return bundle.path, LayerTruths(model, bundle.signature, next(iter(bundle.goldens())).inputs)


@pytest.fixture
def look(mixed, tmp_path):
    """`look(runtime, plant)`: what is found in a copy of the bundle, into whose artifact `plant(path)` put a fault."""
    folder, truths = mixed

    def looked(runtime, plant, edit=None):
        shutil.copytree(folder, tmp_path / "bundle")
        bundle = Bundle.open(tmp_path / "bundle")
        (artifact,) = bundle.artifacts_of(runtimes.get(runtime).reads)
        plant(bundle.path / artifact.path)
        if edit:
            edit(bundle.path)
            bundle = Bundle.open(bundle.path)
            (artifact,) = bundle.artifacts_of(runtimes.get(runtime).reads)
        with ArtifactProbe(bundle, artifact, runtimes.get(runtime)) as probe:
            return localise_artifact(probe, truths)

    return looked


def edited(change):
    """A plant that changes the ONNX graph."""

    def plant(path):
        import onnx

        file = onnx.load(str(path))
        change(file.graph, onnx)
        path.write_bytes(file.SerializeToString())

    return plant


def node(graph, name):
    return next(each for each in graph.node if each.name == name)


def first_named(found):
    """The layer that is named, and those that may be meant as well."""
    assert found.divergences, (found.failing, found.notes)
    return {found.divergences[0].layer, *found.divergences[0].with_it}


@pytest.mark.parametrize("runtime", ["onnxruntime", "litert", "litert_reference"])
def test_where_all_is_right_nothing_diverges_and_every_layer_is_accounted_for(look, runtime):
    found = look(runtime, lambda path: None)
    assert found.passed
    assert not found.divergences
    assert not found.notes
    assert {row.state for row in found.rows} <= {RIGHT, SAME, FUSED}, found.rows
    names = [row.layer for row in found.rows]
    assert names.index("encoder/conv") < names.index("encoder/relu") < names.index("shared #1")
    assert found.row("encoder").other == "encoder/mean"
    assert "every output is within its limit" in artifact_layers_table(found)


@pytest.mark.parametrize("layer", planted_layers.LAYERS)
def test_a_weight_that_was_moved_in_onnx_is_named_by_its_layer(look, layer):
    found = look("onnxruntime", lambda path: planted_layers.in_onnx(path, layer))
    assert found.failing
    assert found.divergences[0].layer == layer
    assert found.row(layer).error.excess > 1
    assert any("changed or damaged after the build" in note for note in found.notes)
    assert f"it diverges at {layer} (" in artifact_layers_table(found)


@pytest.mark.parametrize("layer", planted_layers.LAYERS)
def test_a_weight_that_was_moved_in_tflite_is_named_by_its_layer_or_by_what_it_is_fused_into(look, layer):
    found = look("litert", lambda path: planted_layers.in_tflite(path, layer))
    assert found.failing
    assert layer in first_named(found)
    if layer == "encoder/conv":
        assert found.row(layer).state == FUSED
        assert found.divergences[0].seen_in == "encoder/relu"


def test_layers_that_give_truth_values_are_compared_too(tmp_path):
    import keras
    from keras import layers

    x = keras.Input((None,), dtype="int32", name="x")
    hidden = layers.GRU(3)(layers.Embedding(5, 4, mask_zero=True)(x))
    model = keras.Model(x, layers.Dense(2, name="y")(hidden))
    bundle = kexport.build(model, tmp_path / "masked", formats=["keras", "onnx"])
    truths = LayerTruths(model, bundle.signature, next(iter(bundle.goldens())).inputs)
    (artifact,) = bundle.artifacts_of("onnx")
    with ArtifactProbe(bundle, artifact, runtimes.get("onnxruntime")) as probe:
        found = localise_artifact(probe, truths)
    assert found.passed
    (mask,) = (row for row in found.rows if row.layer.startswith("not_equal"))
    assert mask.state == RIGHT


def test_an_operation_that_the_converter_writes_as_two_operators_is_compared_behind_both():
    both = (
        ArtifactTensor("a:0", ("m/not_equal",), "Equal", ("x",)),
        ArtifactTensor("b:0", ("m/not_equal__6",), "Not", ("a:0",)),
    )
    truth = np.ones((2, 3), bool)  # one number only: its values do not tell which tensor it is
    spec = TensorSpec("mask", "bool", (2, 3))
    limit = OutputLimit("mask", 1.0, 0.0, 0.0, "exact")
    output = LayerOutput("m/not_equal:0", spec, limit, truth, truth, np.zeros((2, 3)))
    site = CallSite("not_equal", 1, "NotEqual")
    layer = LayerTruth(TracedCall(site, "not_equal", "", ("m/not_equal:0",), ()), (output,))
    match = TensorMatcher([layer], both, {"a:0": ~truth, "b:0": truth}, {}, 1.0).match(0, output)
    assert match.tensor is both[1]


def test_parallel_branches_are_not_blamed_for_each_other(look):
    found = look("onnxruntime", lambda path: planted_layers.in_onnx(path, "right"))
    assert [divergence.layer for divergence in found.divergences] == ["right"]
    assert found.row("left").state == RIGHT


def test_an_activation_that_was_removed_is_named(look):
    def change(graph, onnx):
        node(graph, "mixed_1/left_1/Relu").op_type = "Identity"

    found = look("onnxruntime", edited(change))
    assert found.divergences[0].layer == "left"
    assert "Identity" in found.row("left").source.operator


def test_a_fault_behind_the_tensor_of_a_layers_name_is_the_layers_where_its_operators_say_so(look):
    def change(graph, onnx):
        scope = "mixed_1/left_1"
        last = node(graph, f"{scope}/Relu")
        graph.initializer.append(onnx.numpy_helper.from_array(np.float32(1.5), "more"))
        for other in graph.node:
            for index, name in enumerate(other.input):
                if name == last.output[0]:
                    other.input[index] = f"{scope}/behind:0"
        place = list(graph.node).index(last) + 1
        graph.node.insert(
            place, onnx.helper.make_node("Mul", [last.output[0], "more"], [f"{scope}/behind:0"], f"{scope}/behind")
        )

    found = look("onnxruntime", edited(change))
    assert found.divergences[0].layer == "left", found.divergences


def test_nan_is_named_where_it_begins(look):
    def change(graph, onnx):
        bias = next(each for each in graph.initializer if each.name.startswith("mixed_1/right_1/BiasAdd"))
        bias.CopyFrom(onnx.numpy_helper.from_array(np.full(8, np.nan, "float32"), bias.name))

    found = look("onnxruntime", edited(change))
    assert found.divergences[0].layer == "right"
    assert "NaN" in found.row("right").error.detail
    assert (
        json.loads(layers_json("mixed", LocalisedBundle((found,), (), Report("mixed", ()))))["localisations"][0][
            "partings"
        ][0]["layer"]
        == "right"
    )


def test_another_shape_is_named_where_it_begins(look):
    def change(graph, onnx):
        convolution = node(graph, "mixed_1/encoder_1/conv_1/BiasAdd")
        keep = next(each for each in convolution.attribute if each.name == "strides")
        keep.ints[:] = [2, 2]

    found = look("onnxruntime", edited(change))
    assert found.divergences[0].layer == "encoder/conv"
    assert "shape" in found.row("encoder/conv").error.detail


def test_layers_that_are_all_right_leave_the_fault_to_what_comes_after(look):
    def change(graph, onnx):
        node(graph, "mixed_1/score_1/BiasAdd").output[0] = "raw"
        graph.initializer.append(onnx.numpy_helper.from_array(np.float32(1.5), "more"))
        graph.node.append(onnx.helper.make_node("Identity", ["raw"], ["score_copy"]))
        graph.node.append(onnx.helper.make_node("Mul", ["raw", "more"], ["score"], name="behind"))
        graph.output.append(onnx.helper.make_tensor_value_info("score_copy", onnx.TensorProto.FLOAT, None))

    found = look("onnxruntime", edited(change))
    assert found.failing
    assert not found.divergences
    assert any("between score and the outputs" in note for note in found.notes), found.notes


def test_an_artifact_that_does_not_run_is_cut_until_it_does(look):
    def change(graph, onnx):
        add = node(graph, "mixed_1/sum_1/Add")
        graph.initializer.append(onnx.numpy_helper.from_array(np.zeros((7, 7), "float32"), "unfit"))
        add.input[1] = "unfit"

    found = look("onnxruntime", edited(change))
    assert "does not run" in found.failing[0]
    assert found.divergences[0].layer == "sum"
    assert found.row("sum").state == NOT_RUN


def test_of_quantised_artifacts_the_layer_that_loses_most_decibels_is_named(look):
    def change(graph, onnx):
        weights = next(each for each in graph.initializer if each.name.startswith("mixed_1/left_1/Cast"))
        values = onnx.numpy_helper.to_array(weights)
        coarse = np.round(values * 2) / 2
        weights.CopyFrom(onnx.numpy_helper.from_array(coarse, weights.name))

    def edit(folder):
        data = json.loads((folder / "manifest.json").read_text())
        for artifact in data["artifacts"]:
            artifact["precision"] = "int8"
        (folder / "manifest.json").write_text(json.dumps(data))

    found = look("onnxruntime", edited(change), edit)
    assert found.divergences[0].layer == "left"
    assert found.row("left").error.sqnr_db < found.divergences[0].before_db
    assert {(row.state, row.error.limit) for row in found.rows if row.seen} == {(RIGHT, None)}
    assert " dB; its inputs: " in artifact_layers_table(found)


def test_a_witness_on_which_alone_the_artifact_is_wrong_is_looked_at(look, mixed):
    from kexport.bundle import witnesses
    from kexport.bundle.goldens import Golden

    folder, truths = mixed
    bundle = Bundle.open(folder)
    golden = next(iter(bundle.goldens()))
    feeds = {name: array * np.float32(1000) for name, array in golden.inputs.items()}
    outputs = truths.outputs

    def change(graph, onnx):
        graph.initializer.extend(
            [onnx.numpy_helper.from_array(np.float32(v), n) for n, v in (("low", -50), ("high", 50))]
        )
        add = node(graph, "mixed_1/encoder_1/norm_1/batchnorm/add_1")
        name, add.output[0] = add.output[0], "unclipped"
        place = list(graph.node).index(add) + 1
        graph.node.insert(place, onnx.helper.make_node("Clip", ["unclipped", "low", "high"], [name]))

    def edit(copy):
        import keras

        run = keras.saving.load_model(copy / "model.keras", compile=False)
        results = run(feeds, training=False)
        right = {spec.name: np.asarray(results[spec.name], "float64") for spec in bundle.signature.outputs}
        unit = dict.fromkeys(outputs, 1.0)
        loose = dict.fromkeys(outputs, 1e-5)
        witnesses.store(copy, witnesses.Witness(Golden("far out", feeds, right), "truth", loose, unit))

    found = look("onnxruntime", edited(change), edit)
    assert "witnesses/" in found.case
    assert found.divergences[0].layer == "encoder/norm"


class Unobservable:
    """A runtime that is wrong behind one layer, and all that follow it, only when nothing else is asked for."""

    runtime = runtimes.get("onnxruntime")

    def __init__(self, values, wrong):
        self.values, self.wrong = values, wrong

    def observe(self, calls, keys, *, alone=False):
        assert alone
        moved = 1.0 if keys[0] in self.wrong else 0.0
        return {}, {key: (self.values[key] + moved).astype("float32") for key in keys}


@pytest.mark.parametrize("layer", ["first", "encoder/norm", "shared #1", "shared #2", "left", "sum", "score"])
def test_a_fault_that_vanishes_under_observation_is_found_by_cutting(mixed, layer):
    folder, truths = mixed
    case = next(replay_cases(Bundle.open(folder), 1.0))
    layers = [each for each in truths.of(case.golden.inputs) if not each.call.same_as]
    rows = [LayerRow(each.name, each.call.site.kind, each.call.feeds) for each in truths.of(case.golden.inputs)]
    wrong = {layer}
    for row in rows:
        if wrong & set(row.feeds):
            wrong.add(row.layer)
    values = {each.name: each.outputs[0].truth for each in layers}
    matches = {each: TensorMatch(ArtifactTensor(each, (each,), "Op", ()), None, "name") for each in values}
    divergences, note = bisection.cut(Unobservable(values, wrong), case, layers, rows, matches)
    assert [divergence.layer for divergence in divergences] == [layer]
    assert not divergences[0].with_it
    assert int(note.rpartition("(")[2].split()[0]) < len(layers) / 2 + 2
