"""Recurrent layers, cells and wrappers."""

from typing import Any

import keras
from keras import layers as L

from coverage_cases._case import Cases
from coverage_cases._draw import booleans, ended, integers, normal

CASES = Cases("layers")
of = CASES.of
_settings: Any
_STEPS, _ANY = normal(6, 4), normal(None, 4)

for _kind in ("LSTM", "GRU", "SimpleRNN"):
    for _variant, _draw, _settings in (
        ("default", _STEPS, {}),
        ("sequences", _STEPS, {"return_sequences": True}),
        ("sequences_dynamic", _ANY, {"return_sequences": True}),
        ("dynamic", _ANY, {}),
        ("state", _STEPS, {"return_state": True, "return_sequences": True}),
        ("backwards", _STEPS, {"go_backwards": True, "return_sequences": True}),
        ("backwards_dynamic", _ANY, {"go_backwards": True}),
        ("unrolled", _STEPS, {"unroll": True}),
        ("relu", _STEPS, {"activation": "relu"}),
        ("no_bias", _STEPS, {"use_bias": False}),
        ("dropouts", _STEPS, {"dropout": 0.3, "recurrent_dropout": 0.2}),
    ):
        of(
            f"{_kind}/{_variant}",
            _draw,
            lambda x, kind=_kind, settings=_settings: getattr(L, kind)(5, **settings)(x),
        )
    of(
        f"{_kind}/masked_dynamic",
        ended(integers(1, 9, None)),
        lambda x, kind=_kind: getattr(L, kind)(5, return_sequences=True)(L.Embedding(9, 4, mask_zero=True)(x)),
    )
    of(
        f"{_kind}/mask_given",
        [_STEPS, booleans(6)],
        lambda x, kind=_kind: getattr(L, kind)(5, zero_output_for_mask=True, return_sequences=True)(x[0], mask=x[1]),
    )
    of(
        f"{_kind}/initial_state",
        [_STEPS, normal(5), *([normal(5)] if _kind == "LSTM" else [])],
        lambda x, kind=_kind: getattr(L, kind)(5)(x[0], initial_state=x[1:] if kind == "LSTM" else x[1]),
    )
    of(
        f"{_kind}/one_sample",
        _STEPS,
        lambda x, kind=_kind: getattr(L, kind)(5, return_sequences=True)(x),
        batch=1,
    )
    of(f"{_kind}/stateful", _STEPS, lambda x, kind=_kind: getattr(L, kind)(5, stateful=True)(x), batch=2)
of("GRU/reset_before", _STEPS, lambda x: L.GRU(5, reset_after=False)(x))
of("LSTM/hard_sigmoid", _STEPS, lambda x: L.LSTM(5, recurrent_activation="hard_sigmoid")(x))
of("LSTM/stacked", _ANY, lambda x: L.LSTM(3)(L.LSTM(5, return_sequences=True)(x)))
of("LSTM/float64", normal(6, 4, dtype="float64"), lambda x: L.LSTM(5, dtype="float64")(x))
of("LSTM/mixed_float16", _STEPS, lambda x: L.LSTM(5, dtype="mixed_float16")(x), noise=True)
of("GRU/mixed_bfloat16", _STEPS, lambda x: L.GRU(5, dtype="mixed_bfloat16")(x), noise=True)
for _kind in ("LSTM", "GRU", "SimpleRNN"):
    of(
        f"Bidirectional/{_kind.lower()}_dynamic",
        _ANY,
        lambda x, kind=_kind: L.Bidirectional(getattr(L, kind)(5, return_sequences=True))(x),
    )
for _mode in ("sum", "mul", "ave", None):
    of(f"Bidirectional/{_mode}", _STEPS, lambda x, mode=_mode: L.Bidirectional(L.GRU(5), merge_mode=mode)(x))
of("Bidirectional/state", _STEPS, lambda x: L.Bidirectional(L.LSTM(5, return_state=True))(x))
of(
    "Bidirectional/masked",
    ended(integers(1, 9, None)),
    lambda x: L.Bidirectional(L.LSTM(5, return_sequences=True))(L.Embedding(9, 4, mask_zero=True)(x)),
)
of(
    "Bidirectional/two_layers",
    _STEPS,
    lambda x: L.Bidirectional(L.LSTM(5), backward_layer=L.GRU(3, go_backwards=True))(x),
)
for _cell in ("LSTMCell", "GRUCell", "SimpleRNNCell"):
    of(f"{_cell}/in_rnn", _STEPS, lambda x, cell=_cell: L.RNN(getattr(L, cell)(5), return_sequences=True)(x))
    of(f"{_cell}/in_rnn_dynamic", _ANY, lambda x, cell=_cell: L.RNN(getattr(L, cell)(5))(x))
of("GRUCell/direct", [normal(4), normal(5)], lambda x: L.GRUCell(5)(x[0], x[1])[0])
of("SimpleRNNCell/direct", [normal(4), normal(5)], lambda x: L.SimpleRNNCell(5)(x[0], [x[1]])[0])
of(
    "LSTMCell/direct",
    [normal(4), normal(5), normal(5)],
    lambda x: keras.tree.flatten(L.LSTMCell(5)(x[0], [x[1], x[2]])),
)
of("RNN/two_cells", _STEPS, lambda x: L.RNN([L.LSTMCell(5), L.LSTMCell(3)])(x))
of("RNN/state", _STEPS, lambda x: L.RNN(L.GRUCell(5), return_state=True, go_backwards=True)(x))
of("StackedRNNCells/default", _STEPS, lambda x: L.RNN(L.StackedRNNCells([L.GRUCell(5), L.LSTMCell(3)]))(x))
of(
    "StackedRNNCells/sequences",
    _ANY,
    lambda x: L.RNN(L.StackedRNNCells([L.GRUCell(5), L.GRUCell(3)]), return_sequences=True)(x),
)


@keras.saving.register_keras_serializable("coverage")
class _Average(L.Layer):
    """A cell of one's own: a running average."""

    state_size = output_size = 4

    def call(self, inputs, states):
        mean = 0.9 * states[0] + 0.1 * inputs
        return mean, [mean]


of("RNN/own_cell", _ANY, lambda x: L.RNN(_Average(), return_sequences=True)(x))
for _d in (1, 2, 3):
    _sizes = (6, 5, 4)[:_d]
    for _variant, _draw, _settings in (
        ("default", normal(3, *_sizes, 2), {}),
        ("sequences_same", normal(3, *_sizes, 2), {"return_sequences": True, "padding": "same"}),
    ):
        of(
            f"ConvLSTM{_d}D/{_variant}",
            _draw,
            lambda x, d=_d, settings=_settings: getattr(L, f"ConvLSTM{d}D")(3, 2, **settings)(x),
        )
of("ConvLSTM2D/dynamic", normal(None, 6, 5, 2), lambda x: L.ConvLSTM2D(3, 2, padding="same")(x))
of("ConvLSTM2D/strides", normal(3, 7, 6, 2), lambda x: L.ConvLSTM2D(3, 3, strides=2)(x))
of("ConvLSTM2D/state", normal(3, 6, 5, 2), lambda x: L.ConvLSTM2D(3, 2, return_state=True)(x))
of(
    "ConvLSTM2D/channels_first",
    normal(3, 2, 6, 5),
    lambda x: L.ConvLSTM2D(3, 2, padding="same", data_format="channels_first")(x),
)
