"""Draw the documentation's pictures of the pages: the report of a run, and `maskgen play`.

python docs/draw_pages.py        # writes report.jpg and play.jpg beside this script

It needs Chromium with its driver and selenium (the extra `test`). The report is that of a run on drawn people.
"""

from __future__ import annotations

import base64
import shutil
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from selenium import webdriver
from selenium.webdriver.support.ui import Select, WebDriverWait

from maskgen.core.atomic_writes import write_atomic
from maskgen.core.images import encode_image
from maskgen.people import sample_people
from maskgen.pipelines.mask.run import run_mask
from maskgen.pipelines.mask.settings import MaskSettings
from maskgen.pipelines.play.server import PlayServer
from maskgen.pipelines.play.settings import PlaySettings

HERE = Path(__file__).parent
WIDTH, HEIGHT = 1280, 900
CHOICES = (("colour", "red"), ("print", "dots"), ("wear", "under the nose"))


@contextmanager
def browser() -> Iterator[Any]:
    """Chromium without a window, in light colours."""
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or shutil.which("google-chrome") or ""
    for word in ("headless=new", "no-sandbox", "disable-dev-shm-usage", "disable-gpu"):
        options.add_argument(f"--{word}")
    opened = webdriver.Chrome(options=options, service=webdriver.ChromeService(shutil.which("chromedriver")))
    metrics = {"width": WIDTH, "height": HEIGHT, "deviceScaleFactor": 1, "mobile": False}
    opened.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    scheme = [{"name": "prefers-color-scheme", "value": "light"}]
    opened.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": scheme})
    try:
        yield opened
    finally:
        opened.quit()


def shoot(opened: Any, name: str, top: float = 0.0) -> None:
    """Write a screen of the page, from this height on, as a JPEG beside this script."""
    clip = {"x": 0, "y": top, "width": WIDTH, "height": HEIGHT, "scale": 1}
    shot = opened.execute_cdp_cmd("Page.captureScreenshot", {"captureBeyondViewport": True, "clip": clip})["data"]
    image = cv2.imdecode(np.frombuffer(base64.b64decode(shot), np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    write_atomic(HERE / name, encode_image(np.ascontiguousarray(image[:, :, ::-1]), "jpg", 82))


def report(opened: Any) -> None:
    """The worst fits and the filters of a run on drawn people."""
    with tempfile.TemporaryDirectory() as folder:
        source, run = Path(folder) / "people", Path(folder) / "run"
        for name, picture, portrait in sample_people(30, 6):
            (source / name).mkdir(parents=True, exist_ok=True)
            (source / name / f"{picture}.png").write_bytes(encode_image(portrait.image, "png"))
        run_mask(MaskSettings(source, run, ("world",), bare=True))
        opened.get((run / "report.html").as_uri())
        top = "return document.getElementById('gallery').getBoundingClientRect().top + scrollY - 8"
        # What sticks to the top of a window would lie over a picture of more than the window.
        opened.execute_script("document.querySelector('body > nav').style.position = 'static'")
        shoot(opened, "report.jpg", opened.execute_script(top))


def play(opened: Any) -> None:
    """A red dotted cloth mask worn under the nose, on the built-in portrait."""
    with PlayServer(PlaySettings(port=0, browser=False)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        opened.get(server.url)
        answered(opened, opened.find_element("id", "portrait").click)
        kinds = Select(opened.find_element("id", "kind"))
        cloth = next(one.text for one in kinds.options if one.text.startswith("cloth"))
        answered(opened, lambda: kinds.select_by_visible_text(cloth))
        for name, text in CHOICES:
            choice = Select(opened.find_element("id", name))
            answered(opened, lambda choice=choice, text=text: choice.select_by_visible_text(text))
        opened.find_element("id", "zoom").click()
        opened.execute_script("document.activeElement.blur()")
        shoot(opened, "play.jpg")
        server.shutdown()


def answered(opened: Any, act: Any) -> None:
    """Do something, and wait for the answer to be shown."""
    seen = "return Number(document.body.dataset.seen || 0)"
    before = opened.execute_script(seen)
    act()
    WebDriverWait(opened, 60, 0.05).until(lambda one: one.execute_script(seen) > before)


if __name__ == "__main__":
    with browser() as opened_:
        report(opened_)
        play(opened_)
