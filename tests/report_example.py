# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Writes the example of a report: docs/examples/report.html from report.json beside it, and two pictures of that page.

Run it after a change of the page: PYTHONPATH=.build/dev .nox/browser/bin/python tests/report_example.py (nox -s browser
makes both folders). With the report.json of another run as argument, that becomes the example. A test in tests/browser
fails where the page is not up to date.
"""

import json
import shutil
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

from ansible_collections.kubenode.connections.plugins.plugin_utils._report.html.page import render_html

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "examples"
REPORT, PAGE = FOLDER / "report.json", FOLDER / "report.html"

# The top of the page, with the verdict and the first lines; width and height in pixels.
PICTURES = {"report-desktop.png": (1200, 1560), "report-phone.png": (390, 1560)}


def page() -> str:
    """Return the page of the example."""
    return render_html(json.loads(REPORT.read_text(encoding="utf-8")))


def take_pictures(chromium: str) -> None:
    """Write what a browser shows of the page, on a desktop and on a phone."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--disable-gpu"])
        for name, (width, height) in PICTURES.items():
            opened = browser.new_page(viewport={"width": width, "height": height}, color_scheme="light")
            opened.goto(PAGE.as_uri())
            opened.screenshot(path=FOLDER / name)
        browser.close()


def main() -> None:
    """Bring the example up to date."""
    FOLDER.mkdir(exist_ok=True)
    if sys.argv[1:]:
        report = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
        REPORT.write_text(json.dumps(report, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    PAGE.write_text(page(), encoding="utf-8")
    chromium = shutil.which("chromium")
    if chromium is None:
        sys.exit("There is no chromium in PATH: report.html is up to date, its pictures may not be.")
    take_pictures(chromium)


if __name__ == "__main__":
    main()
