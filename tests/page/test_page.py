"""The page as text: what is in it, that nothing in a bundle becomes markup, and how it is written."""

import os
import re
import threading
import time
from dataclasses import replace
from html.parser import HTMLParser

import gallery
import pytest

from conftest import REFERENCE
from kexport.bundle.folder import Bundle
from kexport.bundle.report import CheckKind, Report
from kexport.errors import UsageError
from kexport.page import MOST_BYTES, PageSubject, page, part, require_writable, write

VOID = {"meta", "img", "br"}
#: What a page may consist of: none of these loads or runs anything, but for an image that holds its data.
KNOWN = {
    "html", "head", "meta", "title", "style", "body", "a", "header", "h1", "h2", "h3", "p", "strong", "span", "nav",
    "ul", "ol", "li", "main", "section", "table", "caption", "thead", "tbody", "tr", "th", "td", "small", "code",
    "details",
    "summary", "figure", "figcaption", "dl", "dt", "dd", "footer", "div", "br", "q", "img",
    "svg", "rect", "line", "circle", "polyline", "text",
}  # fmt: skip


class Outline(HTMLParser):
    """The elements of a page; fails where one is not closed."""

    def __init__(self):
        super().__init__()
        self.tags, self.attributes, self.open, self.text = set(), [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes += [(tag, name, value) for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes += [(tag, name, value) for name, value in attrs]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def outline(text):
    parser = Outline()
    parser.feed(text)
    parser.close()
    assert parser.open == []
    return parser


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    return {name: page(each) for name, each in gallery.subjects(tmp_path_factory.mktemp("gallery")).items()}


NAMES = ["precisions", "gallery", "hostile", "old and new", "compared", "localised"]


@pytest.mark.parametrize("name", NAMES)
def test_a_page_loads_and_runs_nothing(pages, name):
    found = outline(pages[name])
    assert found.tags <= KNOWN
    for tag, attribute, value in found.attributes:
        assert not attribute.startswith("on")
        if attribute in ("src", "href", "xlink:href"):
            assert value.startswith("#" if tag == "a" else "data:image/png;base64,"), (tag, value)
    assert "url(" not in pages[name]
    assert "@import" not in pages[name]


def test_what_a_bundle_names_is_text(pages):
    text = pages["hostile"]
    assert "<script" not in text
    assert "{{ 7*7 }}" in "".join(outline(text).text)
    assert "\u202e" not in text
    assert "onerror=alert" in "".join(outline(text).text)


def test_a_page_of_a_notebook_names_nothing_as_markup_either(tmp_path):
    text = part(gallery.hostile(tmp_path / "bundle"))
    assert "<script" not in text
    assert outline(text).tags <= KNOWN


def test_inputs_are_drawn_as_what_they_are(pages):
    text = pages["gallery"]
    assert 'alt="input picture, an image of 12x10x3"' in text
    assert "<q></q>" in text  # the second sample: an empty text
    assert text.count('class="numbers"') == 2
    assert "input signal: a signal of 40 samples" in text
    assert 'class="marked"' in text  # the element that is worst


def test_promises_have_their_pictures(pages):
    assert "values seen from 0.05 to 0.97, over all runtimes; bounds 0, 1" in pages["gallery"]
    assert "the output along row[0]" in pages["gallery"]
    assert pages["gallery"].count("<polyline") >= 3  # the signal, and the curve in two runtimes that differ
    assert "frequency response: at least" in pages["precisions"]
    assert "small precisions are given the slack" in pages["precisions"]


def test_steps_from_what_kernels_gave_at_the_build_are_shown_where_they_are_counted():
    bundle = Bundle.open(REFERENCE / "lowpass_small")
    assert "LSB" not in page(PageSubject("none", bundle.report, bundle))
    counted = {"lsb": {"own": 1, "others": {"litert": 2, "onnxruntime": 3}}}
    checks = [
        replace(check, metrics={**check.metrics, **counted}) if check.artifact == "model.int8.tflite" else check
        for check in bundle.report.checks
    ]
    text = page(PageSubject("lowpass", replace(bundle.report, checks=tuple(checks)), bundle))
    assert 'data-label="LSB">1 / 3<' in text
    assert "from what the same kernels gave at the build" in text


def test_what_could_not_be_seen_is_told(pages):
    assert "<dt>untested</dt>" in pages["gallery"]
    assert "<dt>note</dt>" in pages["gallery"]


def test_old_and_new_are_set_against_each_other(pages):
    text = pages["old and new"]
    assert "figures differ" in text
    assert "figures are equal" in text
    assert re.search(r'data-label="change:">-?\+?[\d.]+ (%|x)', text)
    assert "Old and new" in pages["compared"]


def test_the_layer_that_diverges_is_named_in_the_verdict(pages):
    assert "an artifact diverges at block_20/conv" in pages["localised"]
    assert "error of 30 layers along the depth" in pages["localised"]


def test_every_kind_of_check_has_its_words():
    from kexport.page import outlook

    checks = tuple(replace(gallery.report("x").checks[1], kind=kind) for kind in CheckKind)
    assert {row.words for row in outlook.kind_rows(Report("x", checks))} & set(CheckKind) == set()


def test_a_page_is_small_however_much_there_is_to_tell(tmp_path):
    bundle = gallery.gallery(tmp_path / "bundle")
    checks = bundle.report.checks
    many = tuple(
        replace(check, subject=replace(check.subject, artifact=f"model_{index}.onnx", output=f"y{index % 40}"))
        for index in range(1500)
        for check in checks
    )
    text = page(PageSubject("many", Report("many", many), bundle))
    assert len(text.encode()) <= MOST_BYTES
    assert "left out" in text
    outline(text)


def test_a_page_is_written_in_half_a_second():
    bundle = Bundle.open(REFERENCE / "lowpass_small")
    began = time.process_time()
    page(PageSubject("lowpass", bundle.report, bundle))
    assert time.process_time() - began <= 0.5


def test_a_damaged_report_is_drawn_as_far_as_it_goes():
    odd = {"distribution": {"counts": [1, "x", -3], "from": "y"}, "worst": {"golden": 3}, "noise_multiple": "z",
           "floor": [1], "curves": 7, "frequencies_hz": "no", "a": 1}  # fmt: skip
    checks = tuple(replace(check, metrics=odd) for check in gallery.report("x").checks)
    outline(page(PageSubject("x", Report("x", checks))))


def test_a_page_takes_the_place_of_another_in_one_step(tmp_path):
    target, link = tmp_path / "page.html", tmp_path / "link.html"
    target.write_text("old")
    link.symlink_to(target)
    subject = PageSubject("x", gallery.report("x"))
    assert write(subject, str(link)) == target.stat().st_size
    assert link.is_symlink()
    assert target.read_text().startswith("<!doctype html>")
    assert os.listdir(tmp_path) == sorted(["link.html", "page.html"], key=os.listdir(tmp_path).index)


def test_a_pipe_stays_one_and_takes_the_page(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()), daemon=True)
    reader.start()
    require_writable(str(pipe))
    size = write(PageSubject("x", gallery.report("x")), str(pipe))
    assert pipe.is_fifo()
    reader.join(10)
    assert [len(content) for content in read] == [size]


@pytest.mark.parametrize("path", ["", "missing/page.html", ".", "a\0b"])
def test_a_place_that_cannot_be_written_is_told(tmp_path, monkeypatch, path):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match="cannot be written"):
        require_writable(path)
    with pytest.raises(UsageError, match="cannot be written"):
        write(PageSubject("x", gallery.report("x")), path)
    assert os.listdir(tmp_path) == []
