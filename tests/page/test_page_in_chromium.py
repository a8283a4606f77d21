"""The page in a real browser: nothing overflows or is cut, nothing is loaded or logged, and it is accessible."""

import functools

import gallery
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import sync_playwright

import browser
from kexport.page import page, part

WIDTHS = (360, 1280)
NAMES = ("precisions", "gallery", "hostile", "old and new", "compared", "localised", "part")
#: Elements that lie outside of the window, and texts of charts that do.
OUTSIDE = """() => {
    const width = document.documentElement.clientWidth;
    const out = [...document.querySelectorAll("body *")].filter(each => {
        const box = each.getBoundingClientRect();
        if (!box.width || each.closest(".skip") || (each.closest("svg") && each.tagName !== "text")) return false;
        return box.right > width + 1 || box.left < -1;
    });
    return [document.documentElement.scrollWidth - width, out.map(each => each.outerHTML.slice(0, 120))];
}"""
#: Texts of a chart that overlap each other.
OVERLAPPING = """() => [...document.querySelectorAll("svg")].flatMap(svg => {
    const boxes = [...svg.querySelectorAll(":scope > text")].map(each => [each.textContent, each.getBoundingClientRect()]);
    const meet = (a, b) => a.width && a.left < b.right && b.left < a.right && a.top + 3 < b.bottom && b.top + 3 < a.bottom;
    return boxes.flatMap(([text, a], index) => boxes.slice(index + 1)
        .filter(([, b]) => meet(a, b)).map(([other]) => `${text} over ${other}`));
})"""  # noqa: E501
FOCUS = "[document.activeElement.tagName, getComputedStyle(document.activeElement).outlineStyle]"


@pytest.fixture(scope="module")
def chromium():
    path = browser.executable()
    if path is None:
        pytest.fail(browser.MISSING)
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path)
        yield started
        started.close()


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pages")
    subjects = gallery.subjects(folder)
    texts = {name: page(subject) for name, subject in subjects.items()}
    head = '<!doctype html><html lang="en"><title>notebook</title><main><h1>notebook</h1>'
    texts["part"] = head + part(subjects["gallery"]) + part(subjects["hostile"]) + "</main></html>"
    paths = {name: folder / f"{number}.html" for number, name in enumerate(texts)}
    for name, text in texts.items():
        paths[name].write_text(text, encoding="utf-8")
    return paths


@pytest.fixture(scope="module")
def opened(chromium, files):
    """`opened(name, width)`: the page, and what it has logged and loaded besides itself."""

    @functools.cache
    def opens(name, width=1280):
        shown = chromium.new_page(viewport={"width": width, "height": 900}, color_scheme="light")
        said = []
        shown.on("console", lambda message: said.append(message.text))
        shown.on("pageerror", lambda error: said.append(str(error)))
        shown.on("dialog", lambda dialog: said.append(dialog.message))
        address = files[name].as_uri()

        def note(request):
            if not request.url.startswith((address, "data:")):
                said.append(request.url[:80])

        shown.on("request", note)
        shown.goto(address)
        shown.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
        return shown, said

    return opens


def violations(shown, **options):
    found = Axe().run(shown, options={"resultTypes": ["violations"], **options}).response
    assert found["passes"]
    return [(each["id"], each["nodes"][0]["html"]) for each in found["violations"]]


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", NAMES)
def test_a_page_fits_the_window_and_says_nothing_to_the_console(opened, name, width):
    shown, said = opened(name, width)
    assert shown.evaluate(OUTSIDE) == [0, []]
    assert shown.evaluate(OVERLAPPING) == []
    assert said == []


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", NAMES)
def test_a_page_is_accessible(opened, name, width):
    assert violations(opened(name, width)[0]) == []


@pytest.mark.parametrize("name", NAMES)
def test_a_dark_page_has_contrast_too(opened, name):
    shown, _ = opened(name)
    shown.emulate_media(color_scheme="dark")
    assert violations(shown, runOnly=["color-contrast"]) == []
    shown.emulate_media(color_scheme="light")


def test_light_and_dark_differ(opened):
    shown, _ = opened("precisions")
    colours = set()
    for scheme in ("dark", "light"):
        shown.emulate_media(color_scheme=scheme)
        colours.add(shown.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert len(colours) == 2


def test_a_page_is_used_by_keyboard(opened):
    shown, _ = opened("precisions")
    shown.evaluate("document.querySelectorAll('details').forEach(each => each.open = false)")
    shown.keyboard.press("Tab")
    assert shown.evaluate("document.activeElement.className") == "skip"
    assert shown.evaluate("document.activeElement.getBoundingClientRect().top") >= 0
    seen = []
    for _ in range(30):
        shown.keyboard.press("Tab")
        focus = shown.evaluate(
            "[document.activeElement.tagName, getComputedStyle(document.activeElement).outlineStyle]"
        )
        seen.append(tuple(focus))
        if focus[0] == "SUMMARY":
            break
    assert seen[-1][0] == "SUMMARY"
    assert {style for tag, style in seen if tag != "BODY"} == {"solid"}
    shown.keyboard.press("Enter")
    assert shown.evaluate("document.activeElement.parentElement.open")


def test_without_javascript_the_page_is_the_same(chromium, files):
    shown = chromium.new_page(viewport={"width": 1280, "height": 900})
    shown.goto(files["gallery"].as_uri())
    quiet = chromium.new_page(viewport={"width": 1280, "height": 900}, java_script_enabled=False)
    quiet.goto(files["gallery"].as_uri())
    assert shown.screenshot() == quiet.screenshot()
    for each in (shown, quiet):
        each.close()
