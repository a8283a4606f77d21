"""Several signatures of one SavedModel: a bundle of each, side by side."""

import json

import numpy as np
import pytest
import tensorflow as tf
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

import kexport as package
from kexport.errors import BundleError, UsageError
from kexport.factory import BuildRequest, Declarations, build_bundle, each_signature
from kexport.parity.strictness import Strictness
from kexport.testing.closeness import assert_close

X = np.random.default_rng(0).normal(size=(5, 4)).astype("float32")


class Coder(tf.Module):
    def __init__(self):
        super().__init__()
        self.kernel = tf.Variable(X[:4, :3])

    @tf.function(input_signature=[tf.TensorSpec((None, 4), name="x")])
    def encode(self, x):
        return {"code": tf.tanh(x @ self.kernel)}

    @tf.function(input_signature=[tf.TensorSpec((None, 3), name="code")])
    def decode(self, code):
        return {"x": code @ tf.transpose(self.kernel)}


@pytest.fixture(scope="module")
def coder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("coder") / "coder"
    module = Coder()
    tf.saved_model.save(module, folder, signatures={"encode": module.encode, "de code": module.decode})
    return folder, module


def test_one_build_proves_a_bundle_of_each_signature(coder, kexport, tmp_path):
    folder, module = coder
    declared = ("--domain", "x=uniform(-3, 3)", "--contract", "code=bounded(-1, 1)", "--tolerance", "x=1e-5")
    names = ("--signature", "encode", "--signature", "de code")
    built = kexport("build", "--model", folder, *names, *declared, "--formats", "onnx", "--out", "both", "--json")
    assert built.returncode == 0, built.stderr
    report = json.loads(built.stdout)
    assert report["bundle"] == "both"
    assert {check["artifact"].partition("/")[0] for check in report["checks"]} == {"encode", "de_code"}
    both = tmp_path / "both"
    with package.load(both, signature="encode") as encode, package.load(both, signature="de code") as decode:
        code = module.encode(tf.constant(X))["code"].numpy()
        assert_close(encode(X), code)
        assert_close(decode(code), module.decode(tf.constant(code))["x"].numpy())
    manifests = {name: package.Bundle.open(both / name).manifest for name in ("encode", "de_code")}
    assert manifests["encode"].domains["x"] == "uniform(-3, 3)"
    assert [entry.outputs for entry in manifests["encode"].contracts] == [("code",)]
    assert not manifests["de_code"].contracts
    assert manifests["de_code"].limits[0].limit == 1e-5
    again = kexport("build", "--model", folder, *names, *declared, "--formats", "onnx", "--out", "both", "--check")
    assert again.returncode == 0, again.stdout + again.stderr
    with pytest.raises(BundleError, match="did you mean encode"):
        package.load(both, signature="encod")
    with pytest.raises(UsageError, match="a bundle of one function"):
        package.load(both / "encode", signature="encode")


def test_a_folder_of_several_signatures_is_checked_shown_and_signed_as_a_whole(coder, kexport, tmp_path):
    folder, _ = coder
    key = ed25519.Ed25519PrivateKey.generate()
    text, unlocked = serialization.Encoding.PEM, serialization.NoEncryption()
    (tmp_path / "key.pem").write_bytes(key.private_bytes(text, serialization.PrivateFormat.PKCS8, unlocked))
    public = key.public_key().public_bytes(text, serialization.PublicFormat.SubjectPublicKeyInfo)
    (tmp_path / "key.pub").write_bytes(public)
    built = kexport(
        "build", folder, "--signature", "encode", "--signature", "de code", "--formats", "onnx", "--out", "both"
    )
    assert built.returncode == 0, built.stderr
    shown = json.loads(kexport("inspect", "both", "--json").stdout)
    assert list(shown["bundles"]) == ["de_code", "encode"]
    assert "== both/encode" in kexport("inspect", "both").stdout
    signed = kexport("sign", "both", "--key", "key.pem")
    assert signed.returncode == 0, signed.stderr
    verified = kexport("verify", "both", "--signed-by", "key.pub")
    assert verified.returncode == 0, verified.stderr
    assert "2 bundles, 2 passed" in verified.stdout
    told = kexport("run", "both", "--input", "x.npy")
    assert "a folder of bundles: de_code, encode" in told.stderr
    (tmp_path / "both" / "encode" / "manifest.json").unlink()  # one that is lost is not passed over
    lost = kexport("verify", "both")
    assert lost.returncode == 2
    assert "encode is not a bundle" in lost.stderr


def test_what_is_declared_goes_to_the_signatures_that_have_it(coder, tmp_path):
    folder, _ = coder
    samples = tmp_path / "recorded.npz"
    np.savez(samples, x=X, code=X[:, :3])
    declared = Declarations(
        samples=str(samples),
        contracts={"x": ["monotonic(1)"], "x->code": ["bounded(-1, 1)"]},
        unseen={"code": "known", "elsewhere": "not an output"},
        signatures=("encode", "de code", "encode"),
    )
    request = BuildRequest(folder, tmp_path / "out", declarations=declared, strictness=Strictness.of(None, {"x": 1e-3}))
    requests = each_signature(request)
    assert {name: each.out for name, each in requests.items()} == {
        "encode": tmp_path / "out" / "encode",
        "de code": tmp_path / "out" / "de_code",
    }
    encode, decode = (each.declarations for each in requests.values())
    for kind, expected in (("samples", (["x"], ["code"])), ("contracts", (["x->code"], ["x"]))):
        assert tuple(list(getattr(each, kind)) for each in (encode, decode)) == expected
    assert (list(encode.unseen), list(decode.unseen)) == (["code", "elsewhere"], ["elsewhere"])
    assert [list(each.strictness.tolerance) for each in requests.values()] == [[], ["x"]]


def test_one_signature_or_none_is_one_bundle_at_the_place_that_was_asked_for(coder, tmp_path):
    for names in ((), ("encode",), ("encode", "encode")):
        request = BuildRequest(coder[0], tmp_path / "out", declarations=Declarations(signatures=names))
        ((_, only),) = each_signature(request).items()
        assert only.out == request.out
        assert only.declarations.signatures == names[:1]


def test_several_never_go_into_one_bundle_nor_into_the_folder_of_one(coder, reference):
    declared = Declarations(signatures=("encode", "de code"))
    with pytest.raises(UsageError, match="a bundle is of one signature"):
        build_bundle(BuildRequest(coder[0], reference.parent / "out", declarations=declared))
    with pytest.raises(UsageError, match="in the way: it is a bundle"):
        each_signature(BuildRequest(coder[0], reference, declarations=declared))
