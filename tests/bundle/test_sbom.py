"""Bills of materials, held against the schema of CycloneDX 1.6."""

import hashlib
import json
import shutil

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from conftest import REFERENCE
from kexport.bundle import Bundle, sbom

CODE = {"name": "lab>Tab", "kind": "layer", "file": "tab.py", "sha256": "ab" * 32}
PACKAGED = {"name": "lab>Far", "kind": "layer", "module": "lab.far", "distribution": "Lab_Tools", "version": "1.0+cpu"}


def bill_of(bundle):
    text = sbom.render(Bundle.open(bundle))
    flaw = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
    assert flaw is None, flaw
    return json.loads(text)


@pytest.mark.parametrize("name", ["lowpass", "scaled", "regularized"])
def test_it_follows_the_schema_and_names_every_file_by_its_digest(name):
    bundle = REFERENCE / name
    model = bill_of(bundle)["metadata"]["component"]
    digests = {each["name"]: each["hashes"][0]["content"] for each in model["components"]}
    files = [path for path in bundle.rglob("*") if path.is_file()]
    assert digests == {f.relative_to(bundle).as_posix(): hashlib.sha256(f.read_bytes()).hexdigest() for f in files}


def test_it_names_the_packages_that_built_it():
    provenance = Bundle.open(REFERENCE / "lowpass").manifest.provenance
    bill = bill_of(REFERENCE / "lowpass")
    packages = {each["name"]: each for each in bill["components"]}
    assert {name: each["version"] for name, each in packages.items()} == {
        name: version for name, version in provenance.items() if isinstance(version, str)
    }
    assert packages["tensorflow-cpu"]["purl"] == f"pkg:pypi/tensorflow-cpu@{provenance['tensorflow-cpu']}"
    assert bill["dependencies"][0]["dependsOn"] == [each["bom-ref"] for each in bill["components"]]


def test_it_names_the_code_that_the_model_needs(reference):
    manifest = json.loads((reference / "manifest.json").read_text())
    manifest["code"] = [CODE, PACKAGED]
    (reference / "manifest.json").write_text(json.dumps(manifest))
    own, packaged = bill_of(reference)["components"][-2:]
    assert {"name": "kexport:place", "value": "tab.py"} in own["properties"]
    assert packaged["purl"] == "pkg:pypi/lab-tools@1.0%2Bcpu"


def test_one_bundle_has_one_bill(tmp_path):
    copied = shutil.copytree(REFERENCE / "lowpass", tmp_path / "elsewhere")
    assert sbom.render(Bundle.open(copied)) == sbom.render(Bundle.open(REFERENCE / "lowpass"))
    (copied / "report.json").write_text("{}")
    assert sbom.render(Bundle.open(copied)) != sbom.render(Bundle.open(REFERENCE / "lowpass"))


def test_the_command_writes_it(kexport, reference, tmp_path):
    done = kexport("inspect", reference, "--sbom", "bill.json")
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert (tmp_path / "bill.json").read_text() == sbom.render(Bundle.open(reference))
    assert kexport("inspect", reference, "--sbom", "nowhere/bill.json").returncode == 2
