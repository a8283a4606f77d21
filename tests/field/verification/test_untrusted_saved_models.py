"""A bundle's SavedModel that would write a file does not run, unless it is trusted."""

import json
import shutil

import pytest

import kexport
from conftest import REFERENCE
from kexport.bundle.digests import digest
from kexport.errors import MissingCodeError
from kexport.factory import sources
from kexport.field.trust import Trust


@pytest.fixture(scope="module")
def writing(tmp_path_factory):
    """A bundle whose SavedModel writes a file at each call, and that file; digests are right."""
    import tensorflow as tf

    folder = tmp_path_factory.mktemp("writing")
    target, bundle = folder / "written", folder / "bundle"
    shutil.copytree(REFERENCE / "scaled", bundle)
    (spec,) = kexport.Bundle.open(bundle).signature.inputs
    inner = tf.saved_model.load(str(bundle / "saved_model"))

    @tf.function(input_signature=[tf.TensorSpec(spec.shape, spec.dtype, name=spec.name)])
    def serve(x):
        with tf.control_dependencies([tf.io.write_file(str(target), "here")]):
            return inner.signatures["serving_default"](**{spec.name: tf.identity(x)})

    module = tf.Module()
    module.inner = inner
    shutil.rmtree(bundle / "saved_model")
    tf.saved_model.save(module, str(bundle / "saved_model"), signatures={"serving_default": serve})
    manifest = json.loads((bundle / "manifest.json").read_text())
    (entry,) = (each for each in manifest["artifacts"] if each["path"] == "saved_model")
    entry["sha256"] = digest(bundle / "saved_model")
    (bundle / "manifest.json").write_text(json.dumps(manifest))
    return bundle, target


def test_verify_does_not_run_it_and_names_the_operation(writing):
    bundle, target = writing
    target.unlink(missing_ok=True)
    report = kexport.verify(bundle, ["saved_model"])
    assert report.exit_code == 3
    assert any("'WriteFile'" in str(fact) for check in report.checks if not check.ran for fact in check.facts)
    assert not target.exists()


def test_verify_runs_it_when_it_is_trusted(writing):
    bundle, target = writing
    assert kexport.verify(bundle, ["saved_model"], trust=True).passed
    assert target.exists()


def test_load_and_build_do_not_run_it_either(writing):
    bundle, target = writing
    target.unlink(missing_ok=True)
    with pytest.raises(MissingCodeError, match="'WriteFile'"):
        kexport.load(bundle, "saved_model")
    source = sources.find(bundle / "saved_model", {})
    with Trust().lambdas(), pytest.raises(MissingCodeError, match="'WriteFile'"):
        source.load()
    with Trust(unrestricted=True).lambdas():
        source.load()
    assert not target.exists()
