"""Bundles and reports that the tests of the page draw: written by hand, read by the product."""

from pathlib import Path

import numpy as np

from conftest import REFERENCE
from kexport.bundle import goldens, manifest
from kexport.bundle.artifact_entry import Artifact
from kexport.bundle.digests import digest
from kexport.bundle.folder import REPORT_NAME, Bundle
from kexport.bundle.goldens import Golden
from kexport.bundle.json_files import write_json
from kexport.bundle.limits import OutputLimit
from kexport.bundle.manifest import Manifest
from kexport.bundle.manifest_entries import BuildEntry, DomainsEntry, GoldensEntry, ModelEntry
from kexport.bundle.report import Check, CheckKind, Measurement, Report, Subject
from kexport.bundle.signature import Signature, TensorSpec
from kexport.contracts import Bounded, Monotonic, kinds
from kexport.page import PageSubject
from kexport.parity.layer_report import RIGHT, WRONG, Divergence, LayerError, LayerRow, Localisation, TensorSource
from kexport.parity.localised_bundle import LocalisedBundle

HOSTILE = "\"'><script>alert(1)</script><img src=x onerror=alert(2)>&amp;{{ 7*7 }}\u202e" + "x" * 80
UNIT = "of output scale"
INPUTS = (
    TensorSpec("picture", "uint8", (None, 12, 10, 3)),
    TensorSpec("words", "string", (None, 2)),
    TensorSpec("row", "float32", (None, 4)),
    TensorSpec("signal", "float32", (None, 40)),
)
OUTPUT = TensorSpec("scores", "float32", (None, 5))
PROMISES = (Bounded(0.0, 1.0), Monotonic(1))


def distribution(first=1e-9):
    return {"exact": 3, "from": first, "counts": [1, 0, 4, 9, 30, 12, 2]}


def parity(output, runtime, figure, limit, worst, **metrics):
    more = {"error": figure, "floor": 2e-8, "noise_multiple": 1.5, "sqnr_db": 140.0, "distribution": distribution()}
    metrics = {**more, "worst": worst, "limit_source": "float64 twin", **metrics}
    measured = Measurement(figure, limit, UNIT)
    return Check(CheckKind.PARITY, figure <= limit, Subject("model.onnx", runtime, output), measured, metrics=metrics)


def promise(contract, metrics, runtime="onnxruntime"):
    subject = Subject("model.onnx", runtime, OUTPUT.name, kinds.text(contract))
    return Check(CheckKind.CONTRACT, True, subject, Measurement(-0.1, 1e-6, "beyond"), metrics=metrics)


def gallery(folder: Path, name="gallery", inputs=INPUTS, output=OUTPUT) -> Bundle:
    """A bundle without a model: an image, texts, a row and a signal, with two promises and a report."""
    folder.mkdir()
    rng = np.random.default_rng(3)
    arrays = {
        "uint8": lambda spec: rng.integers(0, 255, (2, *spec.shape[1:])).astype("uint8"),
        "string": lambda spec: np.array([["a <b>text</b>", "another, " * 60], ["", "x"]]),
        "float32": lambda spec: rng.normal(size=(2, *spec.shape[1:])).astype("float32"),
    }
    feeds = {spec.name: arrays[spec.dtype](spec) for spec in inputs}
    golden = Golden("random, batch 2", feeds, {output.name: rng.random((2, 5))})
    goldens.write(folder / goldens.FILE_NAME, [golden])
    (folder / "model.onnx").write_bytes(b"not a model")
    artifact = Artifact("onnx", "float32", "model.onnx", digest(folder / "model.onnx"), 11, {"ops": {"Relu": 2}})
    limit = OutputLimit(output.name, 1.0, 2e-8, 4e-7, "float64 twin")
    entry = GoldensEntry(goldens.FILE_NAME, digest(folder / goldens.FILE_NAME), (golden.label,), (limit,))
    promises = tuple(kinds.entry_of(each, [inputs[2].name], [output.name], "clip") for each in PROMISES)
    domains = {spec.name: "choice('a', 'b')" if spec.dtype == "string" else "uniform(0, 1)" for spec in inputs}
    written = Manifest(
        name,
        ModelEntry(Signature(inputs, (output,)), contracts=promises),
        (artifact,),
        entry,
        DomainsEntry(domains),
        BuildEntry({"kexport": "0.1.0", "python": "3.11"}, {"tflite": f"refused: {name}"}),
    )
    manifest.write(folder, written)
    write_json(folder / REPORT_NAME, report(name, output.name).to_json())
    return Bundle.open(folder)


def report(name, output=OUTPUT.name, figure=3e-7):
    worst = {"golden": "random, batch 2", "index": [1, 2], "value": 0.5, "truth": 0.4999}
    curve = {"element": "row[0]", "x": [0.0, 0.5, 1.0], "y": [0.1, 0.4, 0.9]}
    return Report(
        name,
        (
            parity(output, "onnxruntime", figure, 4e-7, worst),
            Check.success(CheckKind.DIGEST, Subject("model.onnx")),
            promise(PROMISES[0], {"least": 0.05, "largest": 0.97}),
            promise(PROMISES[1], {"curves": [curve]}),
            promise(PROMISES[1], {"curves": [{**curve, "y": [0.1, 0.5, 0.9]}], "untested": name}, "litert"),
        ),
        (f"note: {name}",),
    )


def hostile(folder: Path) -> PageSubject:
    """A subject whose every name is markup, one of whose checks failed."""
    inputs = (*INPUTS[:2], TensorSpec(HOSTILE, "float32", (None, 4)), INPUTS[3])
    bundle = gallery(folder, HOSTILE, inputs, TensorSpec(HOSTILE, "float32", (None, 5)))
    failed = Check.failure(CheckKind.RUNTIME, Subject(HOSTILE, HOSTILE, HOSTILE, HOSTILE), HOSTILE, "second\nthird")
    worst = {"golden": HOSTILE, "index": [HOSTILE], "value": HOSTILE, "truth": HOSTILE}
    checks = (*report(HOSTILE, HOSTILE, figure=5e-7).checks, failed, parity(HOSTILE, HOSTILE, 1.0, 1e-7, worst))
    return PageSubject(HOSTILE, Report(HOSTILE, checks, (HOSTILE,)), bundle)


def localised() -> LocalisedBundle:
    """Thirty layers, of which the twentieth diverges."""
    rows = [
        LayerRow(
            f"block_{index}/conv", "Conv2D", (f"block_{index - 1}/conv",) if index else (),
            WRONG if index >= 20 else RIGHT,
            source=TensorSource(f"t{index}", "Conv"), shape=(1, 8, 8, 4),
            error=LayerError(1e-7 * (index + 1) * (500 if index >= 20 else 1), 6e-6, UNIT, 0.2 + 10 * (index >= 20)),
        )
        for index in range(30)
    ]  # fmt: skip
    found = Localisation(
        "model.onnx", "onnxruntime", "random", ("scores: off",), tuple(rows), (Divergence("block_20/conv"),)
    )
    return LocalisedBundle((found,), (), report("deep"))


def subjects(folder: Path) -> dict[str, PageSubject]:
    """A page of each kind, by name."""
    small, old, new = (Bundle.open(REFERENCE / name) for name in ("lowpass_small", "lowpass", "scaled"))
    drawn = gallery(folder / "drawn")
    compared = parity("scores", None, 3e-7, 4e-7, {}, a={"artifact": "old.onnx"}, b={"artifact": "new.tflite"})
    return {
        "precisions": PageSubject("lowpass", small.report, small),
        "gallery": PageSubject("gallery", drawn.report, drawn),
        "hostile": hostile(folder / "hostile"),
        "old and new": PageSubject("scaled", new.report, new, before=(old,)),
        "compared": PageSubject("new against old", Report("c", (compared,)), operands=(old, new)),
        "localised": PageSubject("deep", localised().built, None, localised()),
    }
