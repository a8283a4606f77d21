"""Convolutions of one, two and three dimensions."""

from keras import layers as L

from coverage_cases._case import Cases
from coverage_cases._draw import normal

CASES = Cases("layers")
of = CASES.of
_SIZES = (12, 11, 10)
_FIRST = "channels_first"

for _d in (1, 2, 3):
    _last, _front, _any = normal(*_SIZES[:_d], 4), normal(4, *_SIZES[:_d]), normal(*(None,) * _d, 4)
    for _variant, _draw, _settings in (
        ("default", _last, {}),
        ("same", _last, {"padding": "same", "activation": "relu"}),
        ("strides", _last, {"strides": 2}),
        ("same_strides", _last, {"strides": 2, "padding": "same"}),
        ("dilated", _last, {"dilation_rate": 2}),
        ("dilated_same", _last, {"dilation_rate": 2, "padding": "same"}),
        ("groups", _last, {"groups": 2, "padding": "same"}),
        ("channels_first", _front, {"padding": "same", "data_format": _FIRST}),
        ("channels_first_strides", _front, {"strides": 2, "data_format": _FIRST}),
        ("channels_first_groups", _front, {"groups": 2, "data_format": _FIRST}),
        ("dynamic", _any, {"padding": "same"}),
        ("dynamic_strides", _any, {"padding": "same", "strides": 2}),
        ("dynamic_dilated", _any, {"padding": "same", "dilation_rate": 2}),
        ("no_bias", _last, {"use_bias": False}),
    ):
        of(
            f"Conv{_d}D/{_variant}",
            _draw,
            lambda x, d=_d, settings=_settings: getattr(L, f"Conv{d}D")(6, 3, **settings)(x),
        )
    for _variant, _draw, _settings in (
        ("default", _last, {}),
        ("same_strides", _last, {"strides": 2, "padding": "same"}),
        ("valid_strides", _last, {"strides": 3}),
        ("output_padding", _last, {"strides": 2, "padding": "same", "output_padding": 1}),
        ("dilated", _last, {"dilation_rate": 2}),
        ("dilated_same", _last, {"dilation_rate": 2, "padding": "same"}),
        ("channels_first", _front, {"strides": 2, "padding": "same", "data_format": _FIRST}),
        ("channels_first_valid", _front, {"data_format": _FIRST}),
        ("dynamic_strides", _any, {"strides": 2, "padding": "same"}),
        ("dynamic_valid", _any, {"strides": 2}),
    ):
        of(
            f"Conv{_d}DTranspose/{_variant}",
            _draw,
            lambda x, d=_d, settings=_settings: getattr(L, f"Conv{d}DTranspose")(6, 3, **settings)(x),
        )
for _d in (1, 2):
    _last, _front, _any = normal(*_SIZES[:_d], 4), normal(4, *_SIZES[:_d]), normal(*(None,) * _d, 4)
    for _variant, _draw, _settings in (
        ("default", _last, {}),
        ("same_strides_multiplier", _last, {"strides": 2, "padding": "same", "depth_multiplier": 2}),
        ("dilated", _last, {"dilation_rate": 2}),
        ("dilated_same", _last, {"dilation_rate": 2, "padding": "same"}),
        ("channels_first", _front, {"padding": "same", "data_format": _FIRST}),
        ("channels_first_strides", _front, {"strides": 2, "data_format": _FIRST}),
        ("dynamic", _any, {"padding": "same"}),
        ("dynamic_strides", _any, {"padding": "same", "strides": 2}),
    ):
        of(
            f"DepthwiseConv{_d}D/{_variant}",
            _draw,
            lambda x, d=_d, settings=_settings: getattr(L, f"DepthwiseConv{d}D")(3, **settings)(x),
        )
        of(
            f"SeparableConv{_d}D/{_variant}",
            _draw,
            lambda x, d=_d, settings=_settings: getattr(L, f"SeparableConv{d}D")(5, 3, **settings)(x),
        )
of("Conv1D/causal", normal(12, 4), lambda x: L.Conv1D(5, 3, padding="causal")(x))
of("Conv1D/causal_strides", normal(12, 4), lambda x: L.Conv1D(5, 3, padding="causal", strides=2)(x))
of("Conv1D/causal_dilated_dynamic", normal(None, 4), lambda x: L.Conv1D(5, 3, padding="causal", dilation_rate=2)(x))
of("Conv1D/mixed_float16", normal(12, 4), lambda x: L.Conv1D(5, 3, dtype="mixed_float16")(x), noise=True)
of("Conv1D/float64", normal(12, 4, dtype="float64"), lambda x: L.Conv1D(5, 3, dtype="float64")(x))
of("Conv1D/kernel_one", normal(12, 4), lambda x: L.Conv1D(5, 1)(x))
of("Conv2D/rectangle", normal(12, 11, 3), lambda x: L.Conv2D(4, (3, 5), strides=(2, 1), padding="same")(x))
of("Conv2D/groups_depthwise", normal(8, 8, 4), lambda x: L.Conv2D(8, 3, groups=4, padding="same")(x))
of("Conv2D/groups_dynamic", normal(None, None, 4), lambda x: L.Conv2D(8, 3, groups=2, padding="same")(x))
of("Conv2D/even_kernel", normal(9, 8, 3), lambda x: L.Conv2D(4, 4, padding="same", strides=2)(x))
of("Conv2D/mixed_float16", normal(9, 8, 3), lambda x: L.Conv2D(4, 3, dtype="mixed_float16")(x), noise=True)
of("Conv2D/mixed_bfloat16", normal(9, 8, 3), lambda x: L.Conv2D(4, 3, dtype="mixed_bfloat16")(x), noise=True)
of("Conv2D/lora", normal(9, 8, 3), lambda x: L.Conv2D(4, 3, lora_rank=2)(x))
of("Conv2D/dilated_rectangle", normal(12, 12, 3), lambda x: L.Conv2D(4, 3, dilation_rate=(1, 3))(x))
of("Conv2DTranspose/rectangle", normal(6, 7, 3), lambda x: L.Conv2DTranspose(4, (2, 5), strides=(1, 3))(x))
of("DepthwiseConv2D/rectangle_strides", normal(9, 8, 3), lambda x: L.DepthwiseConv2D((3, 2), strides=2)(x))
