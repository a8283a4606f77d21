"""Comparing any two models: what is paired, what the limit is, what is found, and what is never green."""

import json
import re
import shutil

import numpy as np
import onnxruntime
import pytest

import kexport
import onnx_models as models
from conftest import REFERENCE
from kexport.bundle import manifest
from kexport.bundle.digests import digest
from kexport.bundle.facts import IDENTICAL
from kexport.bundle.folder import Bundle
from kexport.errors import BundleError, MissingRuntimeError, UsageError
from kexport.parity.tolerance import EPSILON, EXACT, LEAST_ULPS, PERTURBED, UNMEASURED, for_kernels
from kexport.runtimes import get as get_runtime
from kexport.runtimes.files import tflite
from kexport.testing.closeness import assert_close

LOWPASS = REFERENCE / "lowpass"
FEW = "60"  # evaluations


def compare(a, b, *runtimes, search=FEW, **options):
    return kexport.compare(a, b, runtimes or None, search=search, **options)


def of_kind(report, kind):
    return [check for check in report.checks if check.kind == kind]


def off(weights=models.WEIGHTS, share=1e-3):
    """One weight off by a share of its size."""
    changed = weights.copy()
    changed.flat[np.abs(weights).argmax()] *= 1 + share
    return changed


def edited(bundle, change):
    content = json.loads((bundle / manifest.FILE_NAME).read_text())
    change(content)
    (bundle / manifest.FILE_NAME).write_text(json.dumps(content))
    return bundle


def retensored(source, target, change):
    """The TFLite file with every tensor of its main graph changed."""
    import flatbuffers

    types = tflite.schema()
    model = types.ModelT.InitFromPackedBuf(bytearray(source.read_bytes()), 0)
    graph = model.subgraphs[0]
    for index in (*graph.inputs, *graph.outputs):
        change(graph.tensors[index])
    model.signatureDefs = []
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    target.write_bytes(bytes(builder.Output()))
    return target


def test_a_file_and_itself_are_identical(tmp_path):
    path = models.two(tmp_path / "two.onnx")
    report = compare(path, path)
    assert report.passed
    assert [check.output for check in of_kind(report, "parity")] == ["y", "k"]
    assert all(check.facts == (IDENTICAL,) for check in of_kind(report, "parity"))
    assert any(note.startswith("identical: ") for note in report.notes)
    assert "A and B are the same bytes" in report.notes
    assert of_kind(report, "search")[0].metrics["evaluations"] == int(FEW)


def test_files_of_two_formats_are_compared_each_in_its_runtime():
    report = compare(LOWPASS / "model.onnx", LOWPASS / "model.tflite", "litert_reference")
    assert report.passed
    (check,) = of_kind(report, "parity")
    assert check.runtime == "litert_reference against onnxruntime"
    assert check.metrics["a"] == {"artifact": "model.onnx", "runtime": "onnxruntime"}


def test_two_bundles_are_compared_format_by_format_after_their_digests():
    report = compare(LOWPASS, LOWPASS, "onnxruntime", "litert")
    assert report.passed
    assert [check.runtime for check in of_kind(report, "parity")] == ["onnxruntime", "litert"]
    assert len(of_kind(report, "search")) == 2
    assert len(of_kind(report, "digest")) == 2 * 5


def test_a_bundle_without_a_format_of_the_other_is_compared_in_the_best_runtime_of_each(tmp_path):
    def keep(name):
        def change(content):
            content["artifacts"] = [each for each in content["artifacts"] if each["format"] == name]

        return edited(shutil.copytree(LOWPASS, tmp_path / name), change)

    report = compare(keep("onnx"), keep("tflite"))
    assert report.passed
    assert of_kind(report, "parity")[0].runtime == "litert against onnxruntime"
    assert any("no format in common" in note for note in report.notes)


def test_a_weight_off_by_a_thousandth_is_found_and_the_witness_shows_it(tmp_path):
    a, b = models.two(tmp_path / "a.onnx"), models.two(tmp_path / "b.onnx", "pqrs", off())
    names = dict(zip("xnyk", "pqrs", strict=True))
    report = compare(a, b, names=names, witness=tmp_path / "w.npz")
    assert report.exit_code == 1
    assert [check.passed for check in of_kind(report, "parity") if check.output == "y"] == [False]
    assert "the input is kept in" in of_kind(report, "search")[0].detail
    found = dict(np.load(tmp_path / "w.npz", allow_pickle=False))
    assert sorted(found) == ["n", "x"], "by the names of A"
    assert np.count_nonzero(found["x"]) == 1, "minimised: the weight itself is at fault"
    ours, theirs = (onnxruntime.InferenceSession(path) for path in (a, b))
    feeds = {names[name]: value for name, value in found.items()}
    apart = np.abs(ours.run(["y"], found)[0] - theirs.run(["r"], feeds)[0]).max()
    check = of_kind(report, "parity")[0]
    assert apart > check.limit


def test_a_difference_at_the_edge_of_the_domain_alone_is_found(tmp_path):
    healthy = models.chain(tmp_path / "a.onnx", ("Mul", "one"), one=np.float32(1))
    capped = models.chain(tmp_path / "b.onnx", ("Min", "cap"), cap=np.float32(0.999))
    where = {"x": "uniform(-1, 1)"}
    assert compare(healthy, capped, domain=where).exit_code == 1
    assert compare(healthy, capped, domain={"x": "uniform(-0.9, 0.9)"}).passed


def test_names_are_paired_whatever_their_order(tmp_path):
    def pair(path, first, second):
        inputs = [(name, models.FLOAT, ["n", 4]) for name in (first, second)]
        return models.save(path, [models.node("Sub", ["p", "q"], ["d"])], inputs, [("d", models.FLOAT, ["n", 4])])

    report = compare(pair(tmp_path / "a.onnx", "p", "q"), pair(tmp_path / "b.onnx", "q", "p"))
    assert report.passed
    order = "inputs of B come in another order"
    assert any(order in str(note) and str(note).endswith("q, p") for note in report.notes)
    assert not any(order in str(note) for note in compare(tmp_path / "a.onnx", tmp_path / "a.onnx").notes)
    swapped = compare(tmp_path / "a.onnx", tmp_path / "b.onnx", names={"p": "q", "q": "p"})
    assert swapped.exit_code == 1


def test_what_has_no_partner_is_refused_with_both_sides(tmp_path):
    a, b = models.two(tmp_path / "a.onnx"), models.two(tmp_path / "b.onnx", "pqrs")
    with pytest.raises(UsageError, match="cannot be paired") as error:
        compare(a, b)
    for word in ("x float32 (?, 4)", "q int64 (?, 2)", "names={'A_NAME': 'B_NAME'"):
        assert word in str(error.value)
    with pytest.raises(UsageError, match="outputs of A and B cannot be paired"):
        compare(a, b, names={"x": "p", "n": "q"})
    with pytest.raises(UsageError, match="one model has more"):
        compare(a, models.linear(tmp_path / "c.onnx"))


@pytest.mark.parametrize("names", [{"x": "z"}, {"z": "x"}, {"x": "x", "n": "x"}])
def test_a_map_to_nothing_is_refused(tmp_path, names):
    path = models.two(tmp_path / "a.onnx")
    with pytest.raises(UsageError):
        compare(path, path, names=names)


def test_the_last_ones_left_are_paired_with_a_note_when_they_are_alike(tmp_path):
    a, b = models.linear(tmp_path / "a.onnx"), models.linear(tmp_path / "b.onnx", x="image", y="scores")
    report = compare(a, b)
    assert report.passed
    assert any("input x of A is paired with image of B" in note for note in report.notes)
    assert any("output y of A is paired with scores of B" in note for note in report.notes)
    other = models.linear(tmp_path / "c.onnx", models.WEIGHTS.astype("float64"), x="image", dtype=models.DOUBLE)
    with pytest.raises(UsageError, match="inputs of A and B cannot be paired"):
        compare(a, other)


def test_names_that_tensorflow_has_added_to_are_recognised(tmp_path):
    def rename(tensor):
        name = tensor.name.decode()
        tensor.name = f"serving_default_{name}:0" if name == "signal" else f"{name}:0"

    foreign = retensored(LOWPASS / "model.tflite", tmp_path / "foreign.tflite", rename)
    report = compare(LOWPASS, foreign)
    assert report.passed
    assert "input signal of A is serving_default_signal:0 of B, the name that TensorFlow gave it" in report.notes


@pytest.mark.parametrize(
    ("other", "words"),
    [({"weights": models.WEIGHTS.astype("float64"), "dtype": models.DOUBLE}, "float64 .* dtypes differ"),
     ({"weights": np.ones((5, 3), "float32")}, "x is .* shapes differ"),
     ({"weights": np.ones((4, 2), "float32")}, "y is .* shapes differ")],
)  # fmt: skip
def test_another_dtype_or_shape_is_a_failed_check_of_the_signature(tmp_path, other, words):
    report = compare(models.linear(tmp_path / "a.onnx"), models.linear(tmp_path / "b.onnx", **other))
    assert report.exit_code == 1
    (check,) = of_kind(report, "signature")
    assert not check.passed
    assert re.search(words, check.detail)


@pytest.mark.parametrize("batch", [1, 3])
def test_a_dynamic_axis_takes_the_size_of_a_fixed_one(tmp_path, batch):
    fixed = models.linear(tmp_path / "fixed.onnx", batch=batch)
    dynamic, wrong = models.linear(tmp_path / "a.onnx"), models.linear(tmp_path / "b.onnx", off())
    assert compare(fixed, dynamic).passed
    assert compare(dynamic, fixed).passed
    assert compare(fixed, wrong).exit_code == 1


def test_a_tflite_file_that_takes_one_sample_at_a_time_serves_the_batches_of_its_bundle(tmp_path):
    def pin(tensor):
        tensor.shapeSignature = [1, *tensor.shapeSignature[1:]]

    bundle = shutil.copytree(LOWPASS, tmp_path / "pinned")
    retensored(LOWPASS / "model.tflite", bundle / "model.tflite", pin)

    def describe(content):
        for entry in content["artifacts"]:
            if entry["format"] == "tflite":
                entry |= {"sha256": digest(bundle / "model.tflite"), "pinned": {"batch": 1}}

    report = compare(LOWPASS, edited(bundle, describe), "litert")
    assert report.passed
    assert of_kind(report, "parity")[0].metrics["samples"] > len(Bundle.open(LOWPASS).manifest.cases)


def test_text_and_whole_numbers_are_compared_exactly(tmp_path):
    same = models.chain(tmp_path / "a.onnx", "Identity", dtype=models.STRING)
    twice = models.chain(tmp_path / "b.onnx", "Identity", "Identity", dtype=models.STRING)
    assert compare(same, twice).passed
    reverse = models.save(
        tmp_path / "c.onnx", [models.node("Gather", ["x", "order"], ["y"], axis=1)],
        [("x", models.STRING, ["n", 4])], [("y", models.STRING, ["n", 4])], order=np.array([0, 1, 3, 2], "int64"),
    )  # fmt: skip
    report = compare(same, reverse)
    assert report.exit_code == 1
    assert of_kind(report, "parity")[0].unit == "elements that differ"
    whole = compare(models.two(tmp_path / "d.onnx"), models.two(tmp_path / "e.onnx", weights=-models.WEIGHTS))
    assert [check.passed for check in of_kind(whole, "parity")] == [False, False]


def test_of_bundles_the_limit_is_the_sum_of_what_their_manifests_allow():
    bundle = REFERENCE / "regularized"
    (check,) = of_kind(compare(bundle, bundle, "litert_reference"), "parity")
    (limit,) = Bundle.open(bundle).manifest.limits
    assert check.limit > 2 * limit.limit, "the order in which these kernels add up counts too"
    assert check.limit == 2 * for_kernels(limit, get_runtime("litert_reference").accumulation_factor).limit


def test_of_bare_files_the_limit_is_what_one_ulp_of_the_inputs_makes(tmp_path):
    def limit(path):
        check = of_kind(compare(path, path), "parity")[0]
        return check.limit, check.metrics["limit_source"]

    plain = models.chain(tmp_path / "a.onnx", "Relu")
    steep = models.chain(tmp_path / "c.onnx", ("Mul", "m"), "Exp", m=np.float32(8))
    assert limit(plain) == (2 * LEAST_ULPS * EPSILON["float32"], PERTURBED)
    assert limit(steep)[0] > limit(plain)[0]
    whole = models.lookup(tmp_path / "d.onnx", np.ones((2, 3), "float32"))
    assert limit(whole)[1] == UNMEASURED
    assert limit(models.chain(tmp_path / "e.onnx", "Abs", dtype=models.INT64)) == (0, EXACT)


def test_where_the_model_is_ill_conditioned_nothing_is_held_against_it(tmp_path):
    a = models.chain(tmp_path / "a.onnx", ("Mul", "seven"), "Floor", seven=np.float32(7))
    b = models.chain(tmp_path / "b.onnx", ("Div", "seventh"), "Floor", seventh=np.float32(1 / 7))
    report = compare(a, b, search="2000")
    assert report.passed, report
    assert of_kind(report, "search")[0].metrics["set_apart"] > 0
    wrong = models.chain(tmp_path / "c.onnx", ("Mul", "seven"), "Ceil", seven=np.float32(7))
    assert compare(a, wrong).exit_code == 1


def test_a_declared_tolerance_stands_in_place_of_the_derived_limit(tmp_path):
    a, b = models.linear(tmp_path / "a.onnx"), models.linear(tmp_path / "b.onnx", off())
    report = compare(a, b, tolerance={"y": "1e-2: another sensor"})
    assert report.passed
    assert "the limit of output y, 0.01, was declared: another sensor" in report.notes
    assert_close(of_kind(report, "parity")[0].limit, 0.01)
    with pytest.raises(UsageError, match="not an output of the model"):
        compare(a, b, tolerance={"z": "1e-2"})


def test_what_one_model_alone_refuses_is_a_failed_check_with_its_name(tmp_path):
    table = np.ones((2, 3), "float32")
    a, b = models.lookup(tmp_path / "a.onnx", table), models.lookup(tmp_path / "b.onnx", table[:1])
    report = compare(a, b)
    assert report.exit_code == 1
    (check,) = of_kind(report, "runtime")
    assert check.facts[0].startswith("B (onnxruntime) fails on")
    assert compare(a, b, domain={"i": "ints(0, 1)"}).passed
    neither = compare(a, a, domain={"i": "ints(5, 9)"})
    assert not neither.passed
    assert neither.exit_code != 0


def test_a_model_with_state_is_compared_on_its_goldens_alone(tmp_path):
    bundle = edited(shutil.copytree(LOWPASS, tmp_path / "state"), lambda content: content.update(stateful=True))
    report = compare(LOWPASS, bundle, "onnxruntime")
    assert report.passed
    assert not of_kind(report, "search")
    assert any(note.startswith("no search") for note in report.notes)


def test_a_damaged_bundle_is_not_compared(reference):
    with (reference / "model.onnx").open("ab") as file:
        file.write(b"x")
    report = compare(LOWPASS, reference, "onnxruntime")
    assert report.exit_code == 1
    assert not of_kind(report, "parity")
    (failed,) = [check for check in report.checks if not check.passed]
    assert failed.facts[0].startswith("B: model.onnx is not the file")


def test_recorded_samples_are_the_domain(tmp_path):
    a, b = models.two(tmp_path / "a.onnx"), models.two(tmp_path / "b.onnx", weights=off())
    np.savez(tmp_path / "s.npz", x=np.zeros((20, 4), "float32"), n=np.ones((20, 2), "int64"))
    assert compare(a, b, samples=tmp_path / "s.npz").passed, "the weight has no part in them"
    np.savez(tmp_path / "s.npz", x=np.ones((20, 4), "float32"), n=np.ones((20, 2), "int64"))
    assert compare(a, b, samples=tmp_path / "s.npz").exit_code == 1
    np.savez(tmp_path / "s.npz", x=np.ones((20, 4), "float32"), z=np.ones(20))
    with pytest.raises(UsageError, match="'z' is no input"):
        compare(a, b, samples=tmp_path / "s.npz")


def test_the_same_seed_finds_the_same(tmp_path):
    a, b = models.linear(tmp_path / "a.onnx"), models.linear(tmp_path / "b.onnx", off(share=2e-7))
    first, again = (compare(a, b, search="300") for _ in range(2))
    assert of_kind(first, "search")[0].figure == of_kind(again, "search")[0].figure
    assert of_kind(first, "parity") == of_kind(again, "parity")


def test_a_runtime_that_reads_neither_or_is_unknown_is_refused(tmp_path):
    path = models.linear(tmp_path / "a.onnx")
    with pytest.raises(MissingRuntimeError, match="can read neither"):
        compare(path, path, "litert")
    with pytest.raises(UsageError, match="unknown runtime"):
        compare(path, path, "onnxruntme")


def test_files_that_are_no_models_are_refused(tmp_path):
    good = models.linear(tmp_path / "a.onnx")
    (tmp_path / "empty.onnx").write_bytes(b"")
    (tmp_path / "cut.onnx").write_bytes(good.read_bytes()[:60])
    (tmp_path / "words.onnx").write_text("no model\n")
    (tmp_path / "cut.tflite").write_bytes((LOWPASS / "model.tflite").read_bytes()[:500])
    (tmp_path / "folder").mkdir()
    for name in ("empty.onnx", "cut.onnx", "words.onnx", "cut.tflite", "folder", "none.onnx", "cut.bin"):
        with pytest.raises(BundleError):
            compare(good, tmp_path / name)
