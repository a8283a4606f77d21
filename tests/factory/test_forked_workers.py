"""Processes for many bundles in turn: TensorFlow is imported once, and each of them is confined."""

import json
import subprocess
import sys

SCRIPT = """
import json, sys
from kexport.confinement import Confinement
from kexport.factory.tensorflow_workers import forked_worker

found = []
for _ in range(2):
    worker = forked_worker(Confinement((), 1 << 33, 5.0))
    found += worker.run("test_forked_workers:state")
    worker.close()
import tensorflow as tf
tf.constant(1.0)  # from here on, a fork would have its devices without their threads
worker = forked_worker(None)
found += worker.run("test_forked_workers:state")
worker.close()
print(json.dumps(found))
"""


def state():
    """What a worker is asked for: whether it is a fork that had TensorFlow before it began, and its confinement."""
    from kexport.confinement import is_confined

    yield [hasattr(sys.modules["__main__"], "forked_worker"), "tensorflow" in sys.modules, is_confined()]


def test_processes_are_forks_of_one_import_until_tensorflow_has_run(request, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(request.path.parent), prepend=":")
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout.splitlines()[-1]) == [[True, True, True], [True, True, True], [False, True, False]]
