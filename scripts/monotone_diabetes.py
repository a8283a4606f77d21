"""A model of scikit-learn's diabetes data whose forecast never improves as weight rises, in every runtime.

    python scripts/monotone_diabetes.py            # monotone where it promises to be: exits with 0
    python scripts/monotone_diabetes.py --break    # one weight of it has the wrong sign: exits with 1

The data are 442 patients with ten measures each, and the progression of their disease a year later. All else equal, a
higher body mass index, blood pressure or level of triglycerides (`s5`) must not improve the forecast: no doctor could
act on that, but an unconstrained network does it where patients are few. The other seven measures may have any effect.
The recorded patients are the domain. Training takes some seconds.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

RISING = ("bmi", "bp", "s5")
UNIT = 100.0  # of the measure of disease progression, which goes from 25 to 346
UNITS, EPOCHS = 8, 60

Array = npt.NDArray[Any]


def patients() -> tuple[tuple[str, ...], Any]:
    """The names of the measures; training and held-out patients, standardised; and their disease progression."""
    from sklearn.datasets import load_diabetes
    from sklearn.model_selection import train_test_split

    data = load_diabetes()
    measures = (data.data / data.data.std(axis=0)).astype("float32")
    split = train_test_split(measures, (data.target / UNIT).astype("float32"), test_size=0.25, random_state=0)
    return tuple(data.feature_names), split


def trained(hidden: Any, last: Any, name: str) -> Any:
    """The trained network of these two layers."""
    import keras

    _, (measures, _, outcomes, _) = patients()
    patient = keras.Input((measures.shape[1],), name="patient")
    model = keras.Model(patient, last(hidden(patient)), name=name)
    model.compile(keras.optimizers.Adam(1e-2), "mse")
    model.fit(measures, outcomes, batch_size=64, epochs=EPOCHS, verbose=0)
    return model


def monotone(broken: bool) -> Any:
    """Nondecreasing in the chosen measures, free in the rest; if `broken`, one weight has the wrong sign."""
    import keras

    from kexport_layers.monotonic_dense import MonotonicDense

    @keras.saving.register_keras_serializable(package="examples")
    class FlippedDense(MonotonicDense):
        @property
        def kernel(self) -> Any:
            made = super().kernel
            bmi = patients()[0].index("bmi")
            largest = keras.ops.max(keras.ops.abs(made[bmi]))
            wrong = keras.ops.equal(keras.ops.abs(made), largest)
            return keras.ops.where(wrong, -made, made)

    keras.utils.set_random_seed(0)
    direction = [int(name in RISING) for name in patients()[0]]
    hidden = MonotonicDense(UNITS, direction, activation="tanh", name="hidden")
    model = trained(hidden, MonotonicDense(1, name="progression"), "monotone_diabetes")
    if not broken:
        return model
    wrong = FlippedDense(UNITS, direction, activation="tanh", name="hidden")
    patient = keras.Input(model.input_shape[1:], name="patient")
    changed = keras.Model(patient, model.get_layer("progression")(wrong(patient)), name=model.name)
    wrong.set_weights(hidden.get_weights())
    return changed


def unconstrained() -> Any:
    """The same network without a promise, to compare with."""
    import keras

    keras.utils.set_random_seed(0)
    return trained(keras.layers.Dense(UNITS, "tanh"), keras.layers.Dense(1), "unconstrained")


def row(name: str, forecast: Any) -> str:
    """One line of the table: errors, and how often the forecast falls as one measure alone rises."""
    names, (training, held_out, _, outcomes) = patients()
    off = np.asarray(forecast(held_out), "float64").reshape(-1) - outcomes
    explained = 1 - np.mean(off**2) / np.var(outcomes)
    falls = []
    for column in map(names.index, RISING):
        steps = np.linspace(training[:, column].min(), training[:, column].max(), 21, dtype="float32")
        asked = np.repeat(held_out[:, None], len(steps), axis=1)
        asked[..., column] = steps
        answers = np.asarray(forecast(asked.reshape(-1, len(names))), "float64").reshape(len(held_out), -1)
        falls.append(np.mean((np.diff(answers, axis=1) < -1e-6).any(axis=1)))
    shares = "".join(f"{share:>7.0%}" for share in falls)
    return f"{name:<17}  {UNIT * np.sqrt(np.mean(off**2)):>7.1f}  {explained:>9.2f}  {shares}"


def main() -> int:
    """Train, build, and compare on held-out patients in every runtime."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("artifacts/monotone_diabetes"))
    parser.add_argument("--formats", help="by default all")
    parser.add_argument("--break", dest="broken", action="store_true", help="flip the sign of one weight")
    arguments = parser.parse_args()

    import kexport
    from kexport.reports import terminal

    _, (measures, held_out, *_) = patients()
    formats = arguments.formats.split(",") if arguments.formats else None
    recorded = np.concatenate([measures, held_out])
    bundle = kexport.build(monotone(arguments.broken), arguments.out, formats=formats, samples=recorded)
    terminal.show(bundle.report, bundle, sys.stdout)

    print(f"\n{len(held_out)} held-out patients   error  explained  falls as{RISING[0]:>4}{RISING[1]:>7}{RISING[2]:>7}")
    free = unconstrained()
    print(row("without a promise", lambda asked: free.predict(asked, verbose=0)))
    for name in [check.runtime or "" for check in bundle.report.checks if check.compared]:
        print(row(name, kexport.load(bundle.path, name)))
    return bundle.report.exit_code


if __name__ == "__main__":
    raise SystemExit(main())
