# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A real Chromium that opens the report's page from disk, and is told of everything the page says or asks for."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

from ansible_collections.kubenode.connections.plugins.plugin_utils._report.html.page import render_html
from ansible_collections.kubenode.connections.plugins.plugin_utils._report.language import ENGLISH
from ansible_collections.kubenode.connections.plugins.plugin_utils._report.rerun_command import UNKNOWN_RUN

# No request of the browser's own, so that each one that is seen is the page's.
_QUIET = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
)


@pytest.fixture(scope="session")
def chromium():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=os.environ["CHROMIUM"], args=list(_QUIET))
        yield browser
        browser.close()


@pytest.fixture
def show(chromium, tmp_path):
    """Open a report's page; keywords are those of a browser context, such as viewport or color_scheme.

    A word on the console, an error or a request for anything but the file itself fails the test.
    """
    with contextlib.ExitStack() as opened:
        complaints: list[str] = []

        def open_page(report, rerun=UNKNOWN_RUN, language=ENGLISH, **context):
            path = Path(tmp_path, "report.html")
            path.write_text(render_html(report, rerun, language), encoding="utf-8")
            page = opened.enter_context(contextlib.closing(chromium.new_context(**context))).new_page()
            page.set_default_timeout(10_000)
            page.on("console", lambda message: complaints.append(f"console {message.type}: {message.text}"))
            page.on("pageerror", lambda error: complaints.append(f"error: {error}"))
            page.on("request", lambda request: complaints.append(request.url) if request.url != path.as_uri() else None)
            page.goto(path.as_uri())
            return page

        yield open_page
        assert complaints == []
