"""Pooling of one, two and three dimensions."""

from typing import Any

from keras import layers as L

from coverage_cases._case import Cases
from coverage_cases._draw import ended, integers, normal

CASES = Cases("layers")
of = CASES.of
_settings: Any
_SIZES = (9, 8, 7)
_FIRST = "channels_first"

for _d in (1, 2, 3):
    _last, _front = normal(*_SIZES[:_d], 3), normal(3, *_SIZES[:_d])
    _any, _any_front = normal(*(None,) * _d, 3), normal(3, *(None,) * _d)
    for _kind in ("Max", "Average"):
        for _variant, _draw, _settings in (
            ("default", _last, {"pool_size": 2}),
            ("same_overlapping", _last, {"pool_size": 3, "strides": 2, "padding": "same"}),
            ("valid_overlapping", _last, {"pool_size": 3, "strides": 1}),
            ("dynamic_same", _any, {"pool_size": 3, "strides": 2, "padding": "same"}),
            ("channels_first", _front, {"pool_size": 2, "data_format": _FIRST}),
            ("channels_first_same", _front, {"pool_size": 3, "padding": "same", "data_format": _FIRST}),
        ):
            of(
                f"{_kind}Pooling{_d}D/{_variant}",
                _draw,
                lambda x, d=_d, kind=_kind, settings=_settings: getattr(L, f"{kind}Pooling{d}D")(**settings)(x),
            )
        for _variant, _draw, _settings in (
            ("default", _last, {}),
            ("keepdims", _last, {"keepdims": True}),
            ("channels_first_dynamic", _any_front, {"keepdims": True, "data_format": _FIRST}),
        ):
            of(
                f"Global{_kind}Pooling{_d}D/{_variant}",
                _draw,
                lambda x, d=_d, kind=_kind, settings=_settings: getattr(L, f"Global{kind}Pooling{d}D")(**settings)(x),
            )
        for _variant, _draw, _settings in (
            ("default", _last, {}),
            ("channels_first", _front, {"data_format": _FIRST}),
        ):
            of(
                f"Adaptive{_kind}Pooling{_d}D/{_variant}",
                _draw,
                lambda x, d=_d, kind=_kind, settings=_settings: getattr(L, f"Adaptive{kind}Pooling{d}D")(
                    (4, 3, 2)[:d] if d > 1 else 4, **settings
                )(x),
            )
of("MaxPooling2D/rectangle", normal(9, 8, 3), lambda x: L.MaxPooling2D((2, 3), strides=(1, 2))(x))
of(
    "AveragePooling2D/mixed_float16",
    normal(9, 8, 3),
    lambda x: L.AveragePooling2D(2, dtype="mixed_float16")(x),
    noise=True,
)
of("MaxPooling2D/int", integers(-9, 9, 8, 8, 2), lambda x: L.MaxPooling2D(2)(x))
of(
    "GlobalAveragePooling1D/masked",
    ended(normal(7, 4)),
    lambda x: L.GlobalAveragePooling1D()(L.Masking(0.0)(x)),
)
of(
    "GlobalAveragePooling1D/masked_dynamic",
    ended(normal(None, 4)),
    lambda x: L.GlobalAveragePooling1D()(L.Masking(0.0)(x)),
)
