"""What Keras imports for its wrappers and pictures waits until somebody uses them."""

import json
import subprocess
import sys

import pytest

LATE = ("sklearn", "matplotlib.pyplot")
SCRIPT = """
import inspect, json, sys
from kexport.runtimes.keras_model import import_keras
import_keras()
import keras
inspect.getmodule(inspect.currentframe())  # which looks at the file of every module
before = [name for name in {late} if name in sys.modules]
wrapper = keras.wrappers.SKLearnClassifier
from keras.visualization import plot_image_gallery
try:
    keras.wrappers.nothing
except AttributeError as error:
    missing = str(error)
names = "SKLearnRegressor" in dir(keras.wrappers), "draw_bounding_boxes" in dir(keras.visualization)
print(json.dumps([before, callable(wrapper), callable(plot_image_gallery), missing, names]))
"""


@pytest.mark.parametrize("first", ["", "import sklearn, matplotlib.pyplot\n"])
def test_they_wait_and_are_whole_when_they_are_used(first: str) -> None:
    script = first + SCRIPT.format(late=LATE)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    before, wrapper, gallery, missing, names = json.loads(done.stdout.splitlines()[-1])
    assert before == (list(LATE) if first else [])
    assert wrapper
    assert gallery
    assert missing == "module 'keras.wrappers' has no attribute 'nothing'"
    assert all(names)
