# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Writes docs/examples: the report of an invented cluster as page and JSON, the page in Chinese, and pictures.

Run it after a change of the page: PYTHONPATH=.build/dev .nox/browser/bin/python tests/report_example.py (nox -s browser
makes both folders). Tests in tests/browser fail where a file is not up to date. The cluster is in example_cluster.py.
"""

import base64
import json
import re
import shutil
import struct
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, Page, sync_playwright

from ansible_collections.kubenode.connections.plugins.plugin_utils._report.html.page import render_html
from ansible_collections.kubenode.connections.plugins.plugin_utils._report.html.render import render
from ansible_collections.kubenode.connections.plugins.plugin_utils._report.language import language
from ansible_collections.kubenode.connections.tests.example_cluster import report

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "examples"
REPORT, PAGE, IN_CHINESE = FOLDER / "report.json", FOLDER / "report.html", FOLDER / "report.zh-CN.html"
PICTURES = FOLDER / "pictures"
TOP = FOLDER / "report-desktop.png"
"""The top of the page, which the READMEs show."""

WIDTHS = {"desktop": 1280, "tablet": 820, "phone": 390}
PARTS = {
    "top": "header.top",
    **{part: f"#{part}" for part in ("next", "time", "findings", "pods", "nodes", "changes", "drift")},
}

DARK = ("top", "time")
"""Parts that are shown in the dark, too."""

MARGIN = 8
"""What of its surroundings stands around a part in its picture."""

HIGHEST = 1600
"""What of a part is lower is not in its picture."""

_COLOURS = """async ([png, kept]) => {
    const bitmap = await createImageBitmap(await (await fetch("data:image/png;base64," + png)).blob());
    const canvas = new OffscreenCanvas(bitmap.width, bitmap.height), context = canvas.getContext("2d");
    context.drawImage(bitmap, 0, 0);
    const pixels = context.getImageData(0, 0, bitmap.width, bitmap.height).data, sums = new Map();
    const key = (at) => (pixels[at] >> 3 << 10) | (pixels[at + 1] >> 3 << 5) | pixels[at + 2] >> 3;
    for (let at = 0; at < pixels.length; at += 4) {
        const sum = sums.get(key(at)) || [0, 0, 0, 0];
        sums.set(key(at), [sum[0] + 1, sum[1] + pixels[at], sum[2] + pixels[at + 1], sum[3] + pixels[at + 2]]);
    }
    const exact = (at) => (pixels[at] << 16) | (pixels[at + 1] << 8) | pixels[at + 2], there = new Set();
    for (let at = 0; at < pixels.length; at += 4) { there.add(exact(at)); }
    const own = kept.filter(([red, green, blue]) => there.has(red << 16 | green << 8 | blue));
    const most = [...sums].sort((one, other) => other[1][0] - one[1][0]).slice(0, 128 - own.length);
    const palette = [...own, ...most.map(([, [n, ...sum]]) => sum.map((each) => Math.round(each / n)))];
    const nearest = new Map(), rows = new Uint8Array(pixels.length / 4);
    for (let at = 0; at < pixels.length; at += 4) {
        if (!nearest.has(exact(at))) {
            const far = palette.map((each) => each.reduce((sum, value, i) => sum + (value - pixels[at + i]) ** 2, 0));
            nearest.set(exact(at), far.indexOf(Math.min(...far)));
        }
        rows[at / 4] = nearest.get(exact(at));
    }
    let text = "";
    for (let at = 0; at < rows.length; at += 32768) { text += String.fromCharCode(...rows.subarray(at, at + 32768)); }
    return { width: bitmap.width, palette, rows: btoa(text) };
}"""
"""A picture in few colours: those of the style sheet as they are, then the most frequent."""


def page(code: str = "en") -> str:
    """Return the page of the example in a language."""
    return render_html(report(), language=language(code))


def document() -> str:
    """Return the report of the example as JSON."""
    return json.dumps(report(), ensure_ascii=False, indent=1) + "\n"


def picture_names() -> list[str]:
    """Return the names of all pictures."""
    return [f"{part}-{width}.png" for part in PARTS for width in WIDTHS] + [f"{part}-phone-dark.png" for part in DARK]


def take_pictures(chromium: str) -> None:
    """Write what a browser shows of each part of the page."""
    PICTURES.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--disable-gpu"])
        paint = browser.new_page()
        for name, width in WIDTHS.items():
            shown = _opened(browser, width, "light")
            for part in PARTS:
                (PICTURES / f"{part}-{name}.png").write_bytes(_small(paint, _picture(shown, _clip(shown, part))))
            if name == "desktop":
                clip = {"x": 0, "y": 0, "width": width, "height": HIGHEST}
                TOP.write_bytes(_small(paint, _picture(shown, clip)))
        shown = _opened(browser, WIDTHS["phone"], "dark")
        for part in DARK:
            (PICTURES / f"{part}-phone-dark.png").write_bytes(_small(paint, _picture(shown, _clip(shown, part))))
        browser.close()


def _opened(browser: Browser, width: int, scheme: Literal["dark", "light"]) -> Page:
    shown = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme).new_page()
    shown.goto(PAGE.as_uri())
    return shown


def _clip(shown: Page, part: str) -> dict[str, float]:
    """Where a part is, with a margin; its own padding is margin enough at the sides of a phone."""
    box = shown.locator(PARTS[part]).bounding_box() or {}
    left, top = max(box["x"] - MARGIN, 0), max(box["y"] - MARGIN, 0)
    right = min(box["x"] + box["width"] + MARGIN, (shown.viewport_size or {})["width"])
    return {"x": left, "y": top, "width": right - left, "height": min(box["height"] + 2 * MARGIN, HIGHEST)}


def own_colours() -> list[list[int]]:
    """Return the colours of the style sheet, in light and in the dark."""
    found = dict.fromkeys(re.findall(r"--[\w-]+: #([0-9a-f]{6});", render("page.css")))
    return [list(bytes.fromhex(colour)) for colour in found]


def _picture(shown: Page, clip: dict[str, float]) -> bytes:
    return shown.screenshot(full_page=True, clip=clip, timeout=120_000)


def _small(paint: Page, picture: bytes) -> bytes:
    """The picture with a palette of its own."""
    found = paint.evaluate(_COLOURS, [base64.b64encode(picture).decode(), own_colours()])
    width, rows = found["width"], base64.b64decode(found["rows"])
    lines = b"".join(b"\0" + rows[begin : begin + width] for begin in range(0, len(rows), width))
    palette = bytes(value for colour in found["palette"] for value in colour)
    head = struct.pack(">IIBBBBB", width, len(rows) // width, 8, 3, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        _chunks((b"IHDR", head), (b"PLTE", palette), (b"IDAT", zlib.compress(lines, 9)), (b"IEND", b""))
    )


def _chunks(*several: tuple[bytes, bytes]) -> Iterator[bytes]:
    for kind, content in several:
        yield struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def main() -> None:
    """Bring the example up to date."""
    FOLDER.mkdir(exist_ok=True)
    REPORT.write_text(document(), encoding="utf-8")
    PAGE.write_text(page(), encoding="utf-8")
    IN_CHINESE.write_text(page("zh"), encoding="utf-8")
    chromium = shutil.which("chromium")
    if chromium is None:
        sys.exit("There is no chromium in PATH: the pages are up to date, their pictures may not be.")
    take_pictures(chromium)


if __name__ == "__main__":
    main()
