"""A classifier of scikit-learn's digits whose outputs are probabilities, in every runtime.

    python scripts/simplex_digits.py            # none is negative, and they sum to 1: exits with 0
    python scripts/simplex_digits.py --break    # it outputs logits instead: exits with 1

The broken model results when the softmax moves into the training loss and nobody puts it back. Nothing else shows the
fault: all artifacts agree, and the accuracy is unchanged. Training takes some seconds.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np

from train_digits import digits

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

EPOCHS = 30


def classifier(broken: bool) -> Any:
    """A trained classifier; if `broken`, its last layer promises a simplex but passes the logits through."""
    import keras

    from kexport_layers.simplex_output import SimplexOutput

    @keras.saving.register_keras_serializable(package="examples")
    class LogitsOutput(SimplexOutput):
        def call(self, inputs: Any) -> Any:
            return inputs

    keras.utils.set_random_seed(0)
    images, _, labels, _ = digits()
    image = keras.Input((64,), name="image")
    logits = keras.layers.Dense(10, name="logits")(keras.layers.Dense(32, "relu", name="hidden")(image))
    trained = keras.Model(image, SimplexOutput(name="probabilities")(logits), name="simplex_digits")
    trained.compile(keras.optimizers.Adam(3e-3), keras.losses.SparseCategoricalCrossentropy())
    trained.fit(images, labels, batch_size=64, epochs=EPOCHS, verbose=0)
    return keras.Model(image, LogitsOutput(name="probabilities")(logits), name=trained.name) if broken else trained


def main() -> int:
    """Train, build, and evaluate the held-out digits in every runtime."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("artifacts/simplex_digits"))
    parser.add_argument("--formats", help="by default all")
    parser.add_argument("--break", dest="broken", action="store_true", help="let the logits through")
    arguments = parser.parse_args()

    import kexport
    from kexport.reports import terminal

    model = classifier(arguments.broken)
    formats = arguments.formats.split(",") if arguments.formats else None
    bundle = kexport.build(model, arguments.out, formats=formats, domain={"image": "uniform(0, 1)"})
    terminal.show(bundle.report, bundle, sys.stdout)

    _, images, _, labels = digits()
    print(f"\n{len(labels)} held-out digits  named right  sum of probabilities  least of them")
    for name in [check.runtime or "" for check in bundle.report.checks if check.compared]:
        found = np.asarray(kexport.load(bundle.path, name)(images), "float64")
        right, sums = np.mean(found.argmax(axis=1) == labels), found.sum(axis=1)
        print(f"{name:<20}  {right:>11.2%}  {f'{sums.min():.7f} .. {sums.max():.7f}':>20}  {found.min():>13.1e}")
    return bundle.report.exit_code


if __name__ == "__main__":
    raise SystemExit(main())
