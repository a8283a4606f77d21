"""Train the model `regularized` on scikit-learn's digits, and compare a built bundle's runtimes on held-out ones.

python scripts/train_digits.py train --out artifacts/digits.keras
kexport build --model artifacts/digits.keras --domain 'features=uniform(0, 1)'
python scripts/train_digits.py evaluate --bundle artifacts/digits
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any

import numpy as np

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

#: Adam moves weights around zero without ever setting one; weights this small make no difference and are cut.
CUT = 1e-3
STRENGTH = 2e-3
EPOCHS = 150


def digits() -> Any:
    """Training and held-out images (64 values in 0 to 1, float32) and labels."""
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    data = load_digits()
    images = (data.data / 16).astype("float32")
    return train_test_split(images, data.target, test_size=0.25, random_state=0, stratify=data.target)


def train(out: Path) -> None:
    """Fit the model for less than a minute and save it."""
    import keras

    from kexport_layers.models.regularized import regularized

    images, held_out, labels, answers = digits()
    keras.utils.set_random_seed(0)
    model = regularized(strength=STRENGTH)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer=keras.optimizers.Adam(3e-3), loss=loss)
    model.fit(images, labels, batch_size=64, epochs=EPOCHS, verbose=0)
    kernel, bias = model.get_layer("hidden").get_weights()
    kernel[np.abs(kernel) < CUT] = 0.0
    model.get_layer("hidden").set_weights([kernel, bias])
    out.parent.mkdir(parents=True, exist_ok=True)
    model.save(out)
    accuracy = np.mean(model.predict(held_out, verbose=0).argmax(axis=1) == answers)
    print(f"{out}: {np.mean(kernel == 0):.0%} of the hidden layer's weights are zero")
    print(f"before export     {accuracy:.2%} of {len(answers)} held-out digits")


def evaluate(bundle: Path) -> int:
    """Print the held-out accuracy in every runtime; returns 1 when two differ."""
    import kexport

    _, images, _, labels = digits()
    accuracies = {}
    for name in ("keras", "saved_model", "onnxruntime", "litert", "litert_reference"):
        logits = kexport.load(bundle, name)(images)
        accuracies[name] = float(np.mean(logits.argmax(axis=1) == labels))
        print(f"{name:<17} {accuracies[name]:.2%} of {len(labels)} held-out digits")
    return 0 if len(set(accuracies.values())) == 1 else 1


def main() -> int:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("train").add_argument("--out", type=Path, default=Path("artifacts/digits.keras"))
    commands.add_parser("evaluate").add_argument("--bundle", type=Path, default=Path("artifacts/digits"))
    arguments = parser.parse_args()
    if arguments.command == "evaluate":
        return evaluate(arguments.bundle)
    train(arguments.out)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
