"""Which of several lowerings of one operation is asked first is stated by them, whatever their files are called."""

import dataclasses
import hashlib
from itertools import permutations

import numpy as np
import pytest
import tensorflow as tf

from kexport.factory import formats, lowerings
from kexport.factory.formats._tflite_conversion import Small, Small16, Wide
from kexport.factory.lowerings import Lowering, _rule

#: Of each format, the operations that several lowerings claim, not counting those on complex numbers, in order.
ORDER = {
    "onnx": {
        "Bitcast": ["sign_of_zero_onnx", "bitcast_onnx"],
        "Conv2D": ["convolution_line_onnx", "convolution_onnx"],
        "Cumprod": ["cumprod_onnx", "narrow_integers_onnx"],
        "LookupTableFindV2": ["integer_lookup", "string_lookup_onnx"],
        "ResizeBilinear": ["resize_bilinear", "resize_integers"],
        "Mean": ["mean_onnx", "narrow_integers_onnx"],
        "Sum": ["broadcast_gradient", "narrow_integers_onnx"],
    },
    "tflite": {
        **{kind: ["float64_places_tflite", "narrow_integers_tflite"] for kind in ("AddV2", "Minimum", "Mul", "Sub")},
        **{kind: ["float64_places_tflite", "rounding_tflite"] for kind in ("Ceil", "Rint", "Round")},
        **{kind: ["product_before_clip_tflite", "integer_product_tflite"] for kind in ("BatchMatMulV2", "MatMul")},
        "DynamicStitch": ["shape_gradients", "stitch_tflite"],
        "Maximum": ["clip_of_integers_tflite", "float64_places_tflite", "narrow_integers_tflite"],
        "Relu": ["clip_of_integers_tflite", "relu_of_negative_tflite", "narrow_integers_tflite"],
        "Reshape": ["tensordot_tflite", "known_size_tflite", "reshape_tflite"],
        "ResizeBilinear": ["resize_bilinear", "resize_integers"],
        "StridedSlice": ["empty_slice_tflite", "known_size_tflite", "strided_slice_tflite"],
    },
}


def claimed_by_several(format_name):
    claimants = {
        op: [lowering.name for lowering in claiming if not lowering.on_complex]
        for op, claiming in lowerings.needed_by(format_name).items()
    }
    return {op: names for op, names in claimants.items() if len(names) > 1}


@pytest.mark.parametrize("format_name", formats.names())
def test_the_order_of_the_lowerings_of_every_operation_is_stated(format_name):
    assert claimed_by_several(format_name) == ORDER.get(format_name, {})


def test_lowerings_that_are_asked_later_exist():
    named = {name for lowering in map(lowerings.get, lowerings.names()) for name in lowering.before}
    assert named <= set(lowerings.names())


def claiming(name, *before, on_complex=False):
    return Lowering(name, ("onnx",), ("Abs",), lambda op, inputs: inputs, before=before, on_complex=on_complex)


def test_the_stated_order_holds_in_whatever_order_lowerings_are_listed():
    listed = claiming("c", "a", "b"), claiming("a", "b"), claiming("b"), claiming("z", on_complex=True)
    for each in permutations(listed):
        assert [lowering.name for lowering in lowerings.in_order("Abs", each)] == ["z", "c", "a", "b"]


@pytest.mark.parametrize(
    "listed",
    [
        (claiming("a"), claiming("b")),
        (claiming("a", "b"), claiming("b", "a")),
        (claiming("a", "b", "c"), claiming("b"), claiming("c")),
    ],
)
def test_two_lowerings_of_one_operation_without_a_stated_order_are_an_error(listed):
    with pytest.raises(ValueError, match="both claim Abs: one must state `before` the other"):
        lowerings.in_order("Abs", listed)


def test_an_order_that_goes_round_in_a_circle_is_an_error():
    with pytest.raises(ValueError, match="form a cycle: a, b, c"):
        lowerings.in_order("Abs", [claiming("a", "b"), claiming("b", "c"), claiming("c", "a")])


def renamed(monkeypatch):
    """Give every lowering another name, so that they are listed in another order."""

    def new(name):
        return hashlib.sha256(name.encode()).hexdigest()[:8]

    old = {new(name): lowerings.get(name) for name in lowerings.names()}

    def get(name):
        return dataclasses.replace(old[name], name=name, before=tuple(map(new, old[name].before)))

    monkeypatch.setattr(_rule, "names", lambda: sorted(old))
    monkeypatch.setattr(_rule, "get", get)
    return new


@pytest.mark.parametrize("format_name", ["onnx", "tflite"])
def test_renaming_files_changes_neither_which_lowering_wins_nor_a_byte(format_name, converted, tmp_path, monkeypatch):
    from tf2onnx import utils

    def function(images, numbers):
        resized = tf.raw_ops.ResizeBilinear(images=images, size=[5, 7], half_pixel_centers=True)
        product = tf.math.cumprod(numbers, -1) if format_name == "onnx" else numbers + numbers
        return tf.round(resized), product

    def artifact():
        monkeypatch.setattr(utils, "INTERNAL_NAME", 1)
        images = np.arange(36, dtype="uint8").reshape(1, 3, 4, 3)
        converted(function, format_name, images, np.ones((1, 3), "int8"))
        return (tmp_path / f"model.{format_name}").read_bytes()

    artifact()  # in the first conversion of a process tf2onnx counts one name more
    before = artifact()
    new = renamed(monkeypatch)
    expected = {op: list(map(new, names)) for op, names in ORDER[format_name].items()}
    assert claimed_by_several(format_name) == expected
    assert artifact() == before


@pytest.mark.parametrize("precision", ["float32", "float16", "int8", "int16x8"])
def test_what_a_precision_asks_for_has_its_place_in_the_order(precision):
    if precision == "float32":
        way = Wide()
    elif precision == "int16x8":
        way = Small16(lambda _: iter(()), integer_io=False)
    else:
        way = Small(precision, lambda _: iter(()), integer_io=False)
    ordered = _rule.needed_by("tflite", way.lowerings)
    assert set(way.lowerings) <= {each.name for claimants in ordered.values() for each in claimants}
