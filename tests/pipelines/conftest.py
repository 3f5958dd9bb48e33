"""Workers import the tests' stand-ins by name, so their folder is on the path that workers inherit."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from support import write_people


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Three people of eight small photographs each."""
    folder = tmp_path / "photographs"
    write_people(folder, people=3, each=8)
    return folder


CHROMIUM = (
    "headless=new",
    "no-sandbox",
    "disable-dev-shm-usage",
    "disable-gpu",
    "use-fake-ui-for-media-stream",
    "use-fake-device-for-media-stream",
    "host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Chromium without a window, and without any way out of this machine; its camera is drawn."""
    webdriver = pytest.importorskip("selenium.webdriver")
    found = [shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome")]
    driver = os.environ.get("CHROMEDRIVER") or shutil.which("chromedriver")
    if not any(found) or driver is None:
        pytest.skip("no Chromium with its driver here: apt-get install chromium chromium-driver")
    options = webdriver.ChromeOptions()
    options.binary_location = next(path for path in found if path)
    for word in CHROMIUM:
        options.add_argument(f"--{word}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    opened = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    yield opened
    opened.quit()
