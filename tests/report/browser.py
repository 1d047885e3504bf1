"""A browser that opens pages and can reach nothing."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
WIDTH, HEIGHT = 1200, 3000


def find_browser() -> str:
    """A browser, or no test."""
    found = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if found is None:
        if os.environ.get("CI"):
            pytest.fail(f"no browser among {', '.join(BROWSERS)}; scripts/test.sh installs one")
        pytest.skip(f"no browser among {', '.join(BROWSERS)}: apt-get install chromium")
    return found


def opened(browser: str, file: Path, profile: Path, *options: str) -> str:
    """What the browser prints for a page, with every host name out of reach."""
    command = [
        browser, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars",
        f"--user-data-dir={profile}", f"--window-size={WIDTH},{HEIGHT}", "--virtual-time-budget=10000",
        "--host-resolver-rules=MAP * 0.0.0.0", *options, file.as_uri(),
    ]  # fmt: skip
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout


def drawn_figures(browser: str, file: Path, profile: Path) -> list[str]:
    """The figures of a page that plotly drew, in their order: as several surfaces; an undrawn one has none."""
    parts = opened(browser, file, profile, "--dump-dom").split('id="figure-')[1:]
    return [part.split('"')[0] for part in parts if 'class="main-svg"' in part]
