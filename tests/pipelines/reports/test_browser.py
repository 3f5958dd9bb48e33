"""The page in a real browser: filters filter, sliders slide, nothing is fetched, nothing is complained of."""

from __future__ import annotations

import base64
import os
import re
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import numpy as np
import pytest
from fake_masker import make_told
from support import picture, write, write_people

from maskgen.pipelines.mask.run import run_mask
from maskgen.pipelines.mask.settings import MaskSettings
from maskgen.pipelines.reports.page.html import join
from maskgen.pipelines.reports.page.page import Page, Section, page_bytes
from maskgen.pipelines.reports.page.picture_grid import Gallery, Item, Side, place_of, strip_of
from maskgen.pipelines.reports.page.plots import Axis, Curve, bars, chart, facts, table, whiskers
from maskgen.pipelines.reports.page.threshold_slider import judge_data, slider

WIDTHS = (1280, 360)


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of a small run with everything on it: bare pictures, photographs set aside, hostile names."""
    folder = tmp_path_factory.mktemp("page")
    source = folder / "photographs"
    write_people(source, people=4, each=6)
    write(source / "<b>Ann & co" / "lost.png", picture(900, "no_face"))
    write(source / "<b>Ann & co" / "text.png", b"no picture")
    run_mask(MaskSettings(source, folder / "run", kinds=("n95", "cloth_black"), bare=True), make_told)
    return folder / "run" / "report.html"


def visit(browser: Any, path: Path, width: int = 1280) -> None:
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    browser.get_log("performance")
    browser.get_log("browser")
    browser.get(path.as_uri())


def tiles(browser: Any, gallery: str = "outputs") -> list[Any]:
    found: list[Any] = browser.find_elements("css selector", f"[data-gallery={gallery}] .tile")
    return found


def choose(browser: Any, name: str, value: str, gallery: str = "outputs") -> None:
    from selenium.webdriver.support.ui import Select

    Select(browser.find_element("css selector", f"[data-gallery={gallery}] [{name}]")).select_by_value(value)


@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_is_fetched_and_nothing_is_complained_of(browser: Any, page: Path, width: int) -> None:
    visit(browser, page, width)
    assert tiles(browser)
    asked = set()
    for entry in browser.get_log("performance"):
        asked.update(re.findall(r'"url":"((?!data:)[^"]*)"', entry["message"]))
    assert {one for one in asked if not one.startswith(("file://", "about:", "chrome"))} == set()
    assert [entry for entry in browser.get_log("browser") if entry["level"] in ("SEVERE", "WARNING")] == []
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width
    broken = "return [...document.images].filter((one) => !one.alt && !one.classList.contains('over')).length"
    assert browser.execute_script(broken) == 0


def test_filters_filter_and_orders_order(browser: Any, page: Path) -> None:
    visit(browser, page)
    everything = len(tiles(browser))
    for kind in ("n95", "cloth_black"):
        choose(browser, "data-facet=kind", kind)
        shown = [one.text.splitlines()[0] for one in tiles(browser)]
        assert set(shown) == {kind} and len(shown) < everything
    choose(browser, "data-facet=kind", "")
    choose(browser, "data-sort", "trust")
    tiles(browser)[0].click()
    first = float(re.findall(r"Trust\s+([\d.]+) of 1", dialog(browser).text)[0])
    everyone = browser.execute_script(
        "return JSON.parse(document.getElementById('data').textContent).galleries.outputs.items"
        ".map((one) => one.sorts.trust)"
    )
    assert first == pytest.approx(min(everyone), abs=0.005)
    close(browser)
    search = browser.find_element("css selector", "[data-gallery=outputs] [data-search]")
    search.send_keys("person 2")
    assert {one.text.splitlines()[-1] for one in tiles(browser)} == {"person 2"}
    search.send_keys(" nobody")
    assert tiles(browser) == []
    choose(browser, "data-facet=reason", "no_face", "aside")
    assert text_of(tiles(browser, "aside")) == ["no_face<b>Ann & co/lost.png"]


def text_of(elements: list[Any]) -> list[str]:
    """What they say, whatever line it is on."""
    return [one.get_attribute("textContent") for one in elements]


def strip(browser: Any, order: str) -> list[Any]:
    found: list[Any] = browser.find_elements("css selector", f"[data-strip][data-order={order}] .tile")
    return found


def test_the_worst_fits_are_pictures_that_open(browser: Any, page: Path) -> None:
    from selenium.webdriver.common.keys import Keys

    visit(browser, page)
    for order, told in (("fit", "Fit error"), ("trust", "Trust")):
        first = strip(browser, order)
        assert len(first) == 10
        assert all(one.find_element("tag name", "img").size["width"] > 80 for one in first)
        said = [float(re.findall(r"\d\.\d+", one.text)[0]) for one in first]
        assert said == sorted(said, reverse=order == "fit")
        first[0].send_keys(Keys.ENTER)
        assert re.search(rf"{told}\s+{said[0]}", dialog(browser).text)
        file = dialog(browser).find_element("link text", "Open the picture's file").get_attribute("href")
        assert Path(unquote(urlsplit(file).path)).is_file()
        close(browser)
        assert browser.switch_to.active_element == first[0]
    assert "in distances between the eyes" in browser.find_element("id", "gallery").text


def test_a_row_of_counts_has_a_picture_and_shows_the_others(browser: Any, page: Path) -> None:
    from selenium.webdriver.common.keys import Keys

    visit(browser, page)
    everything = len(tiles(browser))
    for table_, shown in (("kind", "n95"), ("person", "person 2"), ("wear", "proper")):
        row = browser.find_element("css selector", f"[data-facet-of={table_}] [data-value='{shown}'] button")
        assert row.find_elements("tag name", "img")
        row.send_keys(Keys.ENTER)
        left = text_of(tiles(browser))
        assert left and (len(left) < everything or table_ == "wear")
        assert all(shown in one for one in left) or table_ == "wear"
    reason = browser.find_element("css selector", "[data-bars=aside] [data-value=no_face] button")
    reason.send_keys(Keys.ENTER)
    assert text_of(tiles(browser, "aside")) == ["no_face<b>Ann & co/lost.png"]


def test_counts_of_a_sample_say_so(browser: Any, tmp_path: Path) -> None:
    items = [
        Item((Side(None, ""),), ("face",), {"kind": "n95" if at else "cloth", "light": "dark" if at else "even"}, ())
        for at in range(5)
    ]
    totals = {"kind": {"n95": 3000, "cloth": 1, "kn95": 40}}
    shown = Gallery(items, "A sample.", (("kind", "Mask", ()), ("light", "Light", ())), (), 3041, totals)
    data = {"galleries": {"outputs": shown.data()}, "pictures": []}
    body = Page("A sample", "", {}, "maskgen", [Section("g", "Gallery", place_of("outputs"))], data)
    (tmp_path / "report.html").write_bytes(page_bytes(body))
    visit(browser, tmp_path / "report.html")
    options = {
        name: [
            one.text
            for one in browser.find_elements("css selector", f"[data-gallery=outputs] [data-facet={name}] option")
        ]
        for name in ("kind", "light")
    }
    assert options["kind"] == ["all (5 of 3,041)", "cloth (1 of 1)", "n95 (4 of 3,000)", "kn95 (0 of 40)"]
    assert options["light"] == ["all (5 of 3,041)", "even (1 shown)", "dark (4 shown)"]
    choose(browser, "data-facet=kind", "cloth")
    assert "1 that match, of 5 on this page. A sample." in browser.find_element("css selector", "#g .note").text


# Each piece of text between two places for a break is on one line, and every value has room.
BROKEN = """
const walk = document.createTreeWalker(document.querySelector('main'), NodeFilter.SHOW_TEXT), broken = [];
while (walk.nextNode()) {
  const node = walk.currentNode, box = document.createRange();
  const text = node.data.trim();
  if (!node.parentElement.closest('.said, .pick, dt, dd, td') || /\\s/.test(text) || !text) continue;
  box.selectNodeContents(node);
  if (new Set([...box.getClientRects()].map((one) => Math.round(one.top))).size > 1) broken.push(node.data);
}
return broken"""


@pytest.mark.parametrize("width", WIDTHS)
def test_names_break_between_their_words(browser: Any, tmp_path: Path, width: int) -> None:
    name = "Alexander_Rumyantsev/Alexander_Rumyantsev_0002__surgical_green.jpg"
    details = (("Photograph", name),)
    item = Item((Side(None, ""),), ("already_masked", name), {"reason": "already_masked"}, details, {"fit": 0.1})
    shown = {"outputs": Gallery([item] * 3, "All.", (("reason", "Reason", ()),)).data()}
    rows = [(name, "photograph", "already_masked", "yaw_of_the_head 88.5")] * 3
    parts = [
        place_of("outputs"),
        strip_of("outputs", "fit", 10),
        bars("Reasons", {"already_masked": 3, "contradicts_label": 1}, shows=("outputs", "reason")),
        facts(
            {"--masked-input": "set-aside", "SOURCE": f"/photographs/{name}", "--max-pixels": 100_000_000}, many=True
        ),
        table("By name", ("photograph", "what", "reason", "false matches of others with this photograph"), rows),
    ]
    data = {"galleries": shown, "pictures": []}
    body = Page("Names", "", {"Folder": f"/photographs/{name}"}, "maskgen", [Section("a", "A", join(parts))], data)
    (tmp_path / "report.html").write_bytes(page_bytes(body))
    visit(browser, tmp_path / "report.html", width)
    assert browser.execute_script(BROKEN) == []
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width
    squeezed = "return [...document.querySelectorAll('dd')].filter((one) => one.offsetHeight > 3.2 * 24).length"
    assert browser.execute_script(squeezed) == 0
    wide = "return [...document.querySelectorAll('.scroll')].map((one) => one.scrollWidth - one.clientWidth)"
    assert browser.execute_script(wide) == [0]


def test_a_long_gallery_shows_its_first_tiles_and_the_others_when_asked(browser: Any, tmp_path: Path) -> None:
    items = [Item((Side(None, f"face {at}"),), (f"face {at}",), {}, (("Picture", str(at)),)) for at in range(75)]
    data = {"galleries": {"outputs": Gallery(items, "All.", ()).data()}, "pictures": []}
    body = Page("Many", "", {}, "maskgen", [Section("g", "Gallery", place_of("outputs"))], data)
    (tmp_path / "report.html").write_bytes(page_bytes(body))
    visit(browser, tmp_path / "report.html")
    more = browser.find_element("css selector", "button.more")
    assert len(tiles(browser)) == 60 and more.text == "Show 15 more"
    more.click()
    assert len(tiles(browser)) == 75 and not more.is_displayed()
    assert browser.switch_to.active_element == tiles(browser)[60]


def dialog(browser: Any) -> Any:
    return browser.find_element("css selector", "dialog[open]")


def close(browser: Any) -> None:
    from selenium.webdriver.common.keys import Keys

    browser.switch_to.active_element.send_keys(Keys.ESCAPE)
    assert browser.find_elements("css selector", "dialog[open]") == []


def test_sliders_slide_by_keyboard_and_the_viewer_turns_pages(browser: Any, page: Path) -> None:
    from selenium.webdriver.common.keys import Keys

    visit(browser, page)
    tile = tiles(browser)[0]
    tile.send_keys(Keys.ENTER)
    wiped = "return getComputedStyle(document.querySelector('dialog .over')).clipPath"
    before = browser.execute_script(wiped)
    knob = dialog(browser).find_element("css selector", "input[type=range]")
    knob.send_keys(Keys.END)
    assert browser.execute_script(wiped) != before
    assert "100%" in browser.execute_script(wiped)
    browser.execute_script("document.querySelector('dialog').focus()")
    assert "1 of" in dialog(browser).text
    dialog(browser).send_keys(Keys.ARROW_RIGHT)
    assert "2 of" in dialog(browser).text
    close(browser)
    assert browser.switch_to.active_element == tile
    everything = browser.find_element("css selector", "[data-gallery=outputs] input[type=range]")
    everything.send_keys(Keys.END)
    assert (
        browser.execute_script(
            "return document.querySelector('[data-gallery] .tiles').style.getPropertyValue('--wipe')"
        )
        == "100%"
    )


@pytest.mark.parametrize("width", WIDTHS)
def test_charts_and_tables_fit_the_page(browser: Any, tmp_path: Path, width: int) -> None:
    x, y = Axis("false accept rate", 1e-4, 1.0, log=True), Axis("true accept rate", 0.0, 1.0)
    curves = [Curve("all", [1e-4, 0.1, 1.0], [0.3, 0.8, 1.0], [0.2, 0.7, 1.0], [0.4, 0.9, 1.0])]
    curves.append(Curve("a kind with a long name", [1e-3, 1.0], [0.5, 1.0]))
    rates = {"all": (0.9, 0.85, 0.95), "a kind with a long name": (None, None, None)}
    rows = [("w" * 90, "<b>", "1,000,000")] * 3
    parts = [chart("Rates", curves, x, y), whiskers("Accuracy.", rates), table("Rows", ("name", "what", "count"), rows)]
    body = Page("n" * 200, "", {"Folder": "/" + "f" * 200}, "maskgen " + "c" * 200, [Section("a", "A", join(parts))])
    (tmp_path / "report.html").write_bytes(page_bytes(body))
    visit(browser, tmp_path / "report.html", width)
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width
    assert len(browser.find_elements("css selector", ".chart polyline, .chart polygon")) == 3
    assert browser.get_log("browser") == []


def test_the_threshold_moves_and_the_matrix_follows(browser: Any, tmp_path: Path) -> None:
    from selenium.webdriver.common.keys import Keys

    rng = np.random.default_rng(0)
    same, different = rng.normal(0.7, 0.15, 500), rng.normal(1.2, 0.15, 700)
    data = {"judge": judge_data({"all": (same, different), "few": (same[:9], different[:11])}, 0.95)}
    rows = table("By mask", ("pairs", "same", "rejects", "different", "accepts"), [("few", "9", "", "11", "")], ["few"])
    roc = chart(
        "ROC", [Curve("all", [1e-3, 1.0], [0.5, 1.0])], Axis("", 1e-3, 1.0, log=True), Axis("", 0.0, 1.0), roc=True
    )
    sections = [Section("t", "Move", join([slider(), rows, roc]))]
    body = Page("A model", "", {"Took": "1 s"}, "maskgen evaluate", sections, data)
    (tmp_path / "report.html").write_bytes(page_bytes(body))
    visit(browser, tmp_path / "report.html", 360)

    def matrix() -> list[int]:
        cells = browser.find_elements("css selector", ".confusion td.number")
        return [int(cell.text.split(" ")[0].replace(",", "")) for cell in cells]

    def counted(threshold: float) -> list[int]:
        near, far = int((same <= threshold).sum()), int((different <= threshold).sum())
        return [near, 500 - near, far, 700 - far]

    assert matrix() == counted(0.95)
    knob = browser.find_element("css selector", "[data-threshold]")

    def follows(at: float) -> bool:
        cells = [one.text.splitlines()[-1] for one in browser.find_elements("css selector", "[data-errors-of] td")]
        wrong = int((same[:9] > at).sum()), int((different[:11] <= at).sum())
        dot = browser.find_element("css selector", ".now")
        y = 246 - 234 * (same <= at).mean()
        return (
            cells[2].startswith(f"{wrong[0]} ({100 * wrong[0] / 9:.1f}")
            and cells[4].startswith(f"{wrong[1]} ({100 * wrong[1] / 11:.1f}")
            and abs(float(dot.get_attribute("cy")) - y) < 0.1
        )

    assert follows(0.95)
    for key in (Keys.ARROW_LEFT, Keys.PAGE_UP, Keys.ARROW_RIGHT):
        knob.send_keys(key)
        at = float(knob.get_attribute("aria-valuetext"))
        assert matrix() == counted(at) or matrix() == counted(at + 5e-7)
        assert follows(at) or follows(at + 5e-7)
    knob.send_keys(Keys.HOME)
    assert sum(matrix()[::2]) <= 1
    knob.send_keys(Keys.END)
    assert matrix()[1::2] == [0, 0]
    browser.find_element("xpath", "//button[.='As judged']").click()
    assert matrix() == counted(0.95)
    choose_split = browser.find_element("css selector", "[data-split]")
    choose_split.send_keys("few")
    assert sum(matrix()) == 20
    assert [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"] == []


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_can_be_read_in_light_and_in_dark(browser: Any, page: Path, width: int, scheme: str) -> None:
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    visit(browser, page, width)
    pairs = browser.execute_script(
        """const seen = (one) => getComputedStyle(one);
        const on = { ".lead": "body", a: "body", ".note": "section", h2: "section", ".tile .pale": ".tile" };
        return Object.entries(on).map((pair) => pair.map((one) => document.querySelector(one)))
          .map(([text, ground]) => [seen(text).color, seen(ground).backgroundColor])"""
    )
    assert min(contrast(*pair) for pair in pairs) >= 4.5
    if folder := os.environ.get("MASKGEN_SCREENSHOTS"):
        height = browser.execute_script("return document.documentElement.scrollHeight")
        shot = {"captureBeyondViewport": True, "clip": {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}}
        data = browser.execute_cdp_cmd("Page.captureScreenshot", shot)["data"]
        (Path(folder) / f"mask-{width}-{scheme}.png").write_bytes(base64.b64decode(data))
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


def contrast(one: str, other: str) -> float:
    """Of two CSS colours, as WCAG 2 defines it."""
    first, second = sorted((luminance(one), luminance(other)))
    return (second + 0.05) / (first + 0.05)


def luminance(colour: str) -> float:
    values = [int(value) / 255 for value in re.findall(r"\d+", colour)[:3]]
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in values]
    return sum(weight * value for weight, value in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def test_the_dialog_of_a_set_aside_photograph_has_its_detail(browser: Any, page: Path) -> None:
    visit(browser, page)
    choose(browser, "data-facet=reason", "not_a_picture", "aside")
    tiles(browser, "aside")[0].click()
    assert "no picture format that is known" in dialog(browser).text
    close(browser)
