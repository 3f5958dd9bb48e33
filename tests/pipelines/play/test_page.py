"""A new user in a real browser: the page alone leads to a red dotted cloth mask under the nose, and to its command."""

from __future__ import annotations

import base64
import os
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from maskgen.core.images import encode_image
from maskgen.pipelines.load_models import portrait
from maskgen.pipelines.play.server import PlayServer
from maskgen.pipelines.play.settings import PlaySettings

sys.path.insert(0, str(Path(__file__).parent))
from playing import served

WIDTHS = (1280, 360)


@pytest.fixture(scope="module")
def server() -> Iterator[PlayServer]:
    with served(PlaySettings(port=0, browser=False)) as running:
        yield running


@pytest.fixture
def own(tmp_path: Path) -> Path:
    (tmp_path / "me.png").write_bytes(encode_image(portrait().image[:400, 60:420], "png"))
    return tmp_path / "me.png"


def visit(browser: Any, server: PlayServer, width: int = 1280) -> None:
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    for kind in ("performance", "browser"):
        browser.get_log(kind)
    browser.get(server.url)


def at(browser: Any, name: str) -> Any:
    return browser.find_element("id", name)


def choose(browser: Any, name: str, text: str) -> None:
    from selenium.webdriver.support.ui import Select

    Select(at(browser, name)).select_by_visible_text(text)


def answered(browser: Any, act: Callable[[], object]) -> None:
    """Do something, and wait until what came of it is shown and no other call follows."""
    from selenium.webdriver.support.ui import WebDriverWait

    seen = "return Number(document.body.dataset.seen || 0)"
    before = browser.execute_script(seen)
    act()
    # An answer to what was chosen before may come in between; then the page is still busy.
    idle = f"return document.body.dataset.busy === undefined && ({seen.removeprefix('return ')}) > arguments[0]"
    WebDriverWait(browser, 60, 0.05).until(lambda one: one.execute_script(idle, before))
    drawn = "return [...document.querySelectorAll('.stage img')].every((one) => one.complete)"
    WebDriverWait(browser, 20, 0.05).until(lambda one: one.execute_script(drawn))


def masked_bytes(browser: Any) -> bytes:
    """What the link to save the picture holds."""
    script = (
        "const done = arguments[0], ask = new XMLHttpRequest(); ask.responseType = 'blob';"
        "const canvas = document.createElement('canvas'), image = document.getElementById('masked');"
        "canvas.width = image.naturalWidth; canvas.height = image.naturalHeight;"
        "canvas.getContext('2d').drawImage(image, 0, 0); done(canvas.toDataURL('image/png').split(',')[1])"
    )
    return base64.b64decode(browser.execute_async_script(script))


def shoot(browser: Any, name: str, width: int) -> bytes:
    height = browser.execute_script("return document.documentElement.scrollHeight")
    shot = {"captureBeyondViewport": True, "clip": {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}}
    data = base64.b64decode(browser.execute_cdp_cmd("Page.captureScreenshot", shot)["data"])
    if folder := os.environ.get("MASKGEN_SCREENSHOTS"):
        (Path(folder) / name).write_bytes(data)
    return data


@pytest.mark.parametrize("width", WIDTHS)
def test_a_red_dotted_cloth_mask_under_the_nose(browser: Any, server: PlayServer, own: Path, width: int) -> None:
    from maskgen.core.images import decode

    visit(browser, server, width)
    shoot(browser, f"play-{width}-empty.png", width)
    answered(browser, lambda: at(browser, "files").send_keys(str(own)))
    choose(browser, "kind", next(one for one in options(browser, "kind") if one.startswith("cloth")))
    choose(browser, "colour", "red")
    choose(browser, "print", "dots")
    answered(browser, lambda: choose(browser, "wear", "under the nose"))
    command = at(browser, "command").text
    assert command == "maskgen mask --kinds 'cloth:#b03038+dots' --wear nose_out --crop none --seed 0 me.png masked"
    shown, bare = decode(masked_bytes(browser)).astype(int), portrait().image[:400, 60:420].astype(int)
    changed = np.abs(shown - bare).sum(2) > 60
    red = changed & (shown[..., 0] > shown[..., 1] + 60)
    assert red.sum() > 0.3 * changed.sum() > 300
    if width > 600:  # what is asked, what comes out and how to have it again, in one screen
        assert browser.execute_script("return document.getElementById('command').getBoundingClientRect().bottom") < 900
    shoot(browser, f"play-{width}.png", width)
    for box in ("show-parts", "show-points"):
        at(browser, box).click()
    assert at(browser, "parts").is_displayed() and at(browser, "points").is_displayed()
    assert len(browser.find_elements("css selector", "#points circle")) == 68
    place = "const box = document.querySelector('#points').getBoundingClientRect(); return [box.width, box.height]"
    stage = at(browser, "stage").size
    at(browser, "zoom").click()
    seen = browser.execute_script(place)
    assert seen[0] > 1.2 * stage["width"] and at(browser, "stage").size == stage
    inside = """
        const stage = document.getElementById('stage').getBoundingClientRect();
        return [...document.querySelectorAll('#points circle')].every((one) => {
          const dot = one.getBoundingClientRect();
          return dot.left >= stage.left && dot.right <= stage.right
            && dot.top >= stage.top && dot.bottom <= stage.bottom;
        })"""
    assert browser.execute_script(inside)
    picture = decode(shoot(browser, f"play-{width}-marked.png", width))
    assert picture.shape[1] == width and 900 < picture.shape[0] < (1800 if width > 600 else 3600)
    quiet(browser, server, width)


def options(browser: Any, name: str) -> list[str]:
    return [one.text for one in at(browser, name).find_elements("tag name", "option")]


def quiet(browser: Any, server: PlayServer, width: int) -> None:
    """Nothing came from elsewhere, nothing was complained of, nothing sticks out."""
    asked = set()
    for entry in browser.get_log("performance"):
        asked.update(re.findall(r'"url":"((?:https?|wss?|ftp):[^"]*)"', entry["message"]))
    assert {one for one in asked if not one.startswith(server.url)} == set()
    assert [entry for entry in browser.get_log("browser") if entry["level"] in ("SEVERE", "WARNING")] == []
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width


def test_several_photographs_a_texture_and_the_wipe(browser: Any, server: PlayServer, own: Path) -> None:
    from selenium.webdriver.common.keys import Keys

    lost = own.with_name("grey.png")
    lost.write_bytes(encode_image(np.full((120, 120, 3), 90, np.uint8), "png"))
    texture = own.with_name("my print.png")
    texture.write_bytes(encode_image(np.full((40, 40, 3), (0, 200, 0), np.uint8), "png"))
    visit(browser, server)
    answered(browser, lambda: at(browser, "files").send_keys(f"{own}\n{lost}"))
    choose(browser, "print", "my own picture")
    answered(browser, lambda: at(browser, "texture").send_keys(str(texture)))
    assert "'surgical:my print.png'" in at(browser, "command").text
    assert at(browser, "needs").text == "me.png and my print.png"
    at(browser, "wipe").send_keys(Keys.END)
    assert "100%" in browser.execute_script("return getComputedStyle(document.getElementById('masked')).clipPath")
    strip = browser.find_elements("css selector", "#strip button")
    answered(browser, strip[1].click)
    assert at(browser, "empty").text.startswith("grey.png was set aside: no face was found")
    assert strip[1].text == "grey.png" and strip[1].get_attribute("title") == "no_face"
    assert not at(browser, "again").is_displayed()
    answered(browser, at(browser, "portrait").click)
    assert at(browser, "command").text.endswith("portrait.png masked")
    quiet(browser, server, 1280)


def test_a_wearing_position_can_be_chosen_where_there_are_several(browser: Any, server: PlayServer) -> None:
    visit(browser, server)
    for kind, free in (("sunglasses", False), ("shield", False), ("n95", True), ("world", True)):
        choose(browser, "kind", next(one for one in options(browser, "kind") if one.startswith(f"{kind}:")))
        assert at(browser, "wear").is_enabled() == free, kind


def test_an_emptied_seed_ends_the_message_on_it(browser: Any, server: PlayServer, own: Path) -> None:
    from selenium.webdriver.common.keys import Keys

    visit(browser, server)
    answered(browser, lambda: at(browser, "files").send_keys(str(own)))
    answered(browser, lambda: at(browser, "seed").send_keys(".5"))
    assert "a whole number" in at(browser, "empty").text
    answered(browser, lambda: at(browser, "seed").send_keys(Keys.BACKSPACE * 3))
    assert not at(browser, "empty").is_displayed() and "--seed 0" in at(browser, "command").text


def test_while_a_result_is_computed_the_old_one_is_not_offered(browser: Any, server: PlayServer, own: Path) -> None:
    visit(browser, server)
    answered(browser, lambda: at(browser, "files").send_keys(str(own)))
    state = """const one = (id) => document.getElementById(id);
        return [one("wait").textContent, one("shown").inert, getComputedStyle(one("stage")).opacity < 0.5]"""
    assert browser.execute_script(state) == ["", False, False]
    during = browser.execute_script("document.getElementById('another').click();" + state)
    assert during == ["Working on me.png …", True, True]
    answered(browser, lambda: None if browser.execute_script(state)[1] else at(browser, "another").click())
    assert browser.execute_script(state) == ["", False, False]


def test_the_camera_gives_a_picture(browser: Any, server: PlayServer) -> None:
    from selenium.webdriver.support.ui import WebDriverWait

    visit(browser, server)
    at(browser, "camera").click()
    WebDriverWait(browser, 20, 0.05).until(
        lambda one: one.execute_script("return document.getElementById('video').videoWidth > 0")
    )
    answered(browser, at(browser, "shoot").click)
    assert at(browser, "empty").text.startswith("camera-1.jpg was set aside: ")
    assert not at(browser, "live").is_displayed()
    quiet(browser, server, 1280)


def test_a_fault_of_the_camera_is_not_said_after_something_else(browser: Any, server: PlayServer, own: Path) -> None:
    from selenium.webdriver.support.ui import WebDriverWait

    visit(browser, server)
    answered(browser, lambda: at(browser, "files").send_keys(str(own)))
    browser.execute_script("navigator.mediaDevices.getUserMedia = () => Promise.reject(new Error('none'))")
    at(browser, "camera").click()
    WebDriverWait(browser, 20, 0.05).until(lambda one: at(one, "said").text == "The camera cannot be used: none.")
    answered(browser, at(browser, "another").click)
    assert at(browser, "said").text == ""
