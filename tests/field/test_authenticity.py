"""Signed bundles: whatever is changed in one shows, and only the key that was asked for will do."""

import base64
import json
import os
import pickle
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from cryptography.hazmat.primitives import serialization as forms
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

import kexport
from conftest import REFERENCE
from kexport.bundle import store
from kexport.bundle.signed_statement import FILE_NAME
from kexport.errors import AuthenticityError, KexportError, UncheckedError, UsageError
from kexport.field.authenticity import require_signed, sign

LOWPASS = REFERENCE / "lowpass"
X = np.ones((1, 64), "float32")


def pems(key, password=None):
    """Private and public key as text."""
    lock = forms.BestAvailableEncryption(password) if password else forms.NoEncryption()
    private = key.private_bytes(forms.Encoding.PEM, forms.PrivateFormat.PKCS8, lock).decode()
    public = key.public_key().public_bytes(forms.Encoding.PEM, forms.PublicFormat.SubjectPublicKeyInfo).decode()
    return private, public


KEYS = {"p256": pems(ec.generate_private_key(ec.SECP256R1())), "ed25519": pems(ed25519.Ed25519PrivateKey.generate())}
OTHER_KEYS = {
    "p256": pems(ec.generate_private_key(ec.SECP256R1())),
    "ed25519": pems(ed25519.Ed25519PrivateKey.generate()),
}


@pytest.fixture(scope="module")
def shipped(tmp_path_factory):
    """A signed bundle, which a test copies before it changes it."""
    folder = tmp_path_factory.mktemp("shipped") / "lowpass"
    shutil.copytree(LOWPASS, folder)
    sign(folder, KEYS["p256"][0])
    return folder


@pytest.fixture
def signed(shipped, tmp_path):
    return Path(shutil.copytree(shipped, tmp_path / "signed"))


@pytest.mark.parametrize("kind", KEYS)
def test_what_was_signed_is_loaded_and_verified(kind, reference):
    private, public = KEYS[kind]
    made = sign(reference, private)
    assert made == require_signed(reference, public)
    assert made.files == sum(path.is_file() for path in LOWPASS.rglob("*"))
    assert np.array_equal(kexport.load(reference, signed_by=public)(X), kexport.load(LOWPASS)(X))
    for other in (OTHER_KEYS[kind][1], *(KEYS[each][1] for each in KEYS if each != kind)):
        with pytest.raises(AuthenticityError, match="not signed with this key"):
            require_signed(reference, other)


def test_a_report_names_the_key(signed, tmp_path):
    key = tmp_path / "key.pub"
    key.write_text(KEYS["p256"][1])
    seen = []
    report = kexport.verify(signed, ["onnxruntime"], signed_by=key, observe=seen.append)
    assert report.passed
    assert report.checks[0].subject.artifact == seen[0].subject.artifact == FILE_NAME
    assert "signed with key" in str(report.notes[0])


def test_without_a_key_a_signed_bundle_is_any_bundle(signed):
    report = kexport.verify(signed, ["onnxruntime"])
    assert report.passed
    assert not any("signed" in str(note) for note in report.notes)


def test_a_signature_travels_with_copies(signed, tmp_path):
    copied = shutil.copytree(signed, tmp_path / "far" / "away")
    require_signed(copied, KEYS["p256"][1])


@pytest.mark.parametrize("name", [path.relative_to(LOWPASS) for path in sorted(LOWPASS.rglob("*")) if path.is_file()])
def test_one_changed_bit_of_any_file_shows(name, signed):
    content = bytearray((signed / name).read_bytes())
    content[len(content) // 2] ^= 1
    (signed / name).write_bytes(content)
    for use in (require_signed, lambda path, key: kexport.load(path, signed_by=key)):
        with pytest.raises(AuthenticityError, match=f"changed: {name}"):
            use(signed, KEYS["p256"][1])


def removed(signed):
    (signed / "report.json").unlink()


def added(signed):
    (signed / "saved_model" / "extra.bin").write_bytes(b"")


def linked(signed):
    (signed / "report.json").rename(signed.parent / "elsewhere")
    (signed / "report.json").symlink_to(signed.parent / "elsewhere")


def linked_folder(signed):
    (signed / "saved_model").rename(signed.parent / "elsewhere")
    (signed / "saved_model").symlink_to(signed.parent / "elsewhere")


def piped(signed):
    os.mkfifo(signed / "pipe")


def renamed(signed):
    (signed / "report.json").rename(signed / "Report.json")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (removed, "missing: report.json"),
        (added, "not signed: saved_model/extra.bin"),
        (linked, "symbolic link"),
        (linked_folder, "symbolic link"),
        (renamed, "missing: report.json; not signed: Report.json"),
        pytest.param(piped, "pipe", marks=pytest.mark.skipif(os.name != "posix", reason="no pipes here")),
    ],
)
def test_files_that_come_and_go_show(change, message, signed):
    change(signed)
    with pytest.raises(AuthenticityError) as error:
        require_signed(signed, KEYS["p256"][1])
    assert message in str(error.value)


def test_folders_are_not_signed_as_copies_may_lose_empty_ones(signed):
    (signed / "saved_model" / "assets.extra" / "more").mkdir(parents=True)
    require_signed(signed, KEYS["p256"][1])
    for name in ("model.sig", ".hidden", "assets.extra/model.sig"):
        (signed / "saved_model" / name).write_bytes(b"")
        with pytest.raises(AuthenticityError, match=f"not signed: saved_model/{name}"):
            kexport.load(signed, signed_by=KEYS["p256"][1])
        (signed / "saved_model" / name).unlink()


def test_a_bundle_without_a_signature_says_so(signed, tmp_path):
    (signed / FILE_NAME).unlink()
    for path in (signed, tmp_path / "nowhere"):
        with pytest.raises(AuthenticityError, match="is not signed"):
            kexport.load(path, signed_by=KEYS["p256"][1])


def test_the_signature_of_another_bundle_does_not_do(signed, tmp_path):
    other = shutil.copytree(REFERENCE / "scaled", tmp_path / "scaled")
    shutil.copy(signed / FILE_NAME, other / FILE_NAME)
    with pytest.raises(AuthenticityError, match=r"changed: .*manifest\.json") as error:
        require_signed(other, KEYS["p256"][1])
    assert "another bundle" in str(error.value)


def envelope_with(signed, change):
    path = signed / FILE_NAME
    data = json.loads(path.read_text())
    change(data)
    path.write_text(json.dumps(data))


def statement_with(signed, change):
    def inside(data):
        statement = json.loads(base64.b64decode(data["dsseEnvelope"]["payload"]))
        change(statement)
        data["dsseEnvelope"]["payload"] = base64.b64encode(json.dumps(statement).encode()).decode()

    envelope_with(signed, inside)


@pytest.mark.parametrize(
    "change",
    [
        lambda s: s["predicate"]["resources"].pop(),
        lambda s: s["predicate"]["resources"][0].update(digest="0" * 64),
        lambda s: s.update(predicateType="https://example.org/other"),
    ],
)
def test_a_changed_statement_is_not_that_of_the_signature(change, signed):
    statement_with(signed, change)
    with pytest.raises(AuthenticityError, match="not that of its statement"):
        require_signed(signed, KEYS["p256"][1])


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d.clear(),
        lambda d: d.update(mediaType="text/plain"),
        lambda d: d["dsseEnvelope"].update(payload="not base64"),
        lambda d: d["dsseEnvelope"].update(payload=7),
        lambda d: d["dsseEnvelope"].update(payloadType="text/plain"),
        lambda d: d["dsseEnvelope"].update(signatures=[]),
        lambda d: d["dsseEnvelope"].update(signatures=d["dsseEnvelope"]["signatures"] * 2),
        lambda d: d.update(verificationMaterial=[]),
        lambda d: d["verificationMaterial"].update(publicKey=3),
    ],
)
def test_a_damaged_signature_is_an_error(change, signed):
    envelope_with(signed, change)
    with pytest.raises(AuthenticityError):
        require_signed(signed, KEYS["p256"][1])


@pytest.mark.parametrize("content", [b"", b"{", b"[" * 5000, b"\xff\xfe", b"null", b"1e999"])
def test_a_signature_that_is_no_json_is_an_error(content, signed):
    (signed / FILE_NAME).write_bytes(content)
    with pytest.raises(AuthenticityError, match="is damaged"):
        require_signed(signed, KEYS["p256"][1])


def other_statement(resources, **changes):
    """The bytes of a statement that a signer with the right key could make."""
    import hashlib

    root = hashlib.sha256(b"".join(bytes.fromhex(each["digest"]) for each in resources)).hexdigest()
    predicate = {"serialization": {"method": "files"}, "resources": resources}
    statement = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "m", "digest": {"sha256": root}}],
        "predicateType": "https://model_signing/signature/v1.0",
        "predicate": predicate,
    }
    return json.dumps({**statement, **changes}).encode()


FILE = {"name": "manifest.json", "algorithm": "sha256", "digest": "0" * 64}


@pytest.mark.parametrize(
    "statement",
    [
        b"{}",
        b"null",
        other_statement([FILE, FILE]),
        other_statement([{**FILE, "algorithm": "blake2"}]),
        other_statement([{**FILE, "digest": "00"}]),
        other_statement([FILE], subject=[]),
        other_statement([FILE], subject=[{"name": "m", "digest": {"sha256": "1" * 64}}]),
        other_statement([FILE], _type="other"),
        other_statement([FILE], predicate={"serialization": {"method": "shards"}, "resources": []}),
    ],
)
def test_a_statement_that_says_something_else_is_refused_though_it_is_signed(statement, signed):
    from kexport.bundle.envelope import Envelope, to_sign
    from kexport.field import keys

    private = keys.private_key(KEYS["p256"][0])
    envelope = Envelope(statement, keys.signature_of(private, to_sign(statement)), "")
    (signed / FILE_NAME).write_text(json.dumps(envelope.to_json()))
    with pytest.raises(AuthenticityError, match="is damaged"):
        require_signed(signed, KEYS["p256"][1])


def test_what_model_signing_wrote_is_verified(tmp_path):
    """`model_signing sign key` of version 1.1.1 wrote the signature."""
    sample = Path(__file__).parent / "model_signing"
    shutil.copy(sample / FILE_NAME, tmp_path / FILE_NAME)
    (tmp_path / "manifest.json").write_bytes(b"one\n")
    (tmp_path / "variables").mkdir()
    (tmp_path / "variables" / "index").write_bytes(b"two\n")
    assert require_signed(tmp_path, sample / "key.pub").files == 2
    (tmp_path / "variables" / "index").write_bytes(b"three\n")
    with pytest.raises(AuthenticityError, match="changed: variables/index"):
        require_signed(tmp_path, sample / "key.pub")


def test_signing_again_replaces_the_signature(signed):
    (signed / "witnesses").mkdir()
    (signed / "witnesses" / "note.txt").write_text("found since")
    with pytest.raises(AuthenticityError, match=r"not signed: witnesses/note\.txt"):
        require_signed(signed, KEYS["p256"][1])
    sign(signed, KEYS["ed25519"][0])
    require_signed(signed, KEYS["ed25519"][1])
    assert sorted(path.name for path in signed.glob(".*")) == []


def test_a_build_in_the_place_of_a_signed_bundle_leaves_no_signature(signed):
    with store.staging(signed) as folder:
        shutil.copytree(LOWPASS, folder, dirs_exist_ok=True)
        store.place(folder, signed)
    assert not (signed / FILE_NAME).exists()
    assert (signed / "report.json").exists()


def test_a_damaged_bundle_is_not_signed(reference):
    (reference / "model.onnx").write_bytes(b"")
    with pytest.raises(AuthenticityError, match=r"model\.onnx is not the file that was built"):
        sign(reference, KEYS["p256"][0])
    assert not (reference / FILE_NAME).exists()


def test_a_bundle_whose_build_failed_is_not_signed(reference):
    report = json.loads((reference / "report.json").read_text())
    report["checks"][-1]["passed"] = False
    (reference / "report.json").write_text(json.dumps(report))
    with pytest.raises(AuthenticityError, match="a check of its build failed"):
        sign(reference, KEYS["p256"][0])


UNUSABLE = {
    "rsa": pems(rsa.generate_private_key(public_exponent=65537, key_size=2048)),
    "another curve": pems(ec.generate_private_key(ec.SECP384R1())),
    "swapped": KEYS["p256"][::-1],
    "no key": ("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",) * 2,
    "no PEM": ("hello", "hello"),
    "empty": ("", ""),
    "no file": ("/nonexistent/key", "/nonexistent/key"),
    "a folder": (str(REFERENCE), str(REFERENCE)),
    "a long file": (str(LOWPASS / "model.onnx"), str(LOWPASS / "model.onnx")),
}


@pytest.mark.parametrize("kind", UNUSABLE)
def test_an_unusable_key_is_bad_usage(kind, signed):
    private, public = UNUSABLE[kind]
    before = (signed / FILE_NAME).read_bytes()
    for use, key in ((sign, private), (require_signed, public)):
        with pytest.raises(UsageError):
            use(signed, key)
    assert (signed / FILE_NAME).read_bytes() == before


def test_an_encrypted_key_needs_its_password(signed):
    private, public = pems(ec.generate_private_key(ec.SECP256R1()), b"secret")
    for password in (None, lambda: "wrong"):
        with pytest.raises(UsageError):
            sign(signed, private, password)
    sign(signed, private, lambda: "secret")
    require_signed(signed, public)


def test_without_cryptography_nothing_was_checked(signed, monkeypatch):
    monkeypatch.setitem(sys.modules, "cryptography", None)
    uses = (
        lambda: sign(signed, KEYS["p256"][0]),
        lambda: kexport.load(signed, signed_by=KEYS["p256"][1]),
        lambda: kexport.verify(signed, signed_by=KEYS["p256"][1]),
    )
    for use in uses:
        with pytest.raises(UncheckedError, match=r"kexport\[sign\]"):
            use()
    assert UncheckedError.exit_code == 3


def test_a_pickle_checks_the_signature_again(signed):
    content = pickle.dumps(kexport.load(signed, signed_by=KEYS["p256"][1]))
    assert np.array_equal(pickle.loads(content)(X), kexport.load(LOWPASS)(X))
    (signed / FILE_NAME).unlink()
    with pytest.raises(AuthenticityError, match="is not signed"):
        pickle.loads(content)


def test_every_error_ends_a_command_with_1():
    assert AuthenticityError.exit_code == 1
    assert issubclass(AuthenticityError, KexportError)


def test_the_commands_sign_and_verify(kexport, reference, tmp_path):
    for name, text in zip(("key.pem", "key.pub"), KEYS["ed25519"], strict=True):
        (tmp_path / name).write_text(text)
    unsigned = kexport("verify", reference, "--signed-by", "key.pub")
    assert (unsigned.returncode, "is not signed" in unsigned.stderr) == (1, True)
    made = kexport("sign", reference, "--key", "key.pem")
    assert (made.returncode, "10 files" in made.stdout) == (0, True), made.stderr
    verified = kexport("verify", reference, "--signed-by", "key.pub", "--runtime", "onnxruntime")
    assert (verified.returncode, "signed with key" in verified.stdout) == (0, True), verified.stderr


def test_a_signed_file_that_has_grown_is_not_read_to_its_end(signed):
    with (signed / "model.onnx").open("r+b") as file:
        file.truncate(1 << 40)
    with pytest.raises(AuthenticityError, match=r"model\.onnx of .* cannot be read(.|\n)*too large"):
        require_signed(signed, KEYS["p256"][1])


def test_several_keys_in_one_text_are_refused(signed):
    both = KEYS["p256"][1] + OTHER_KEYS["p256"][1]
    with pytest.raises(UsageError, match="2 in one PEM"):
        kexport.load(signed, signed_by=both)
