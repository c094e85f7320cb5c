# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How many of the faults are put in, and the section of docs/trust.md after a whole run that was green."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from ansible_collections.kubenode.connections.tests.trust import page

PAGE = Path(__file__).resolve().parents[2] / "docs/trust.md"


def pytest_addoption(parser):
    parser.addoption("--every", type=int, default=1, help="put in every so many-th fault only")
    parser.addoption("--page", action="store_true", help="write what was seen into docs/trust.md")


@pytest.fixture(scope="session", autouse=True)
def programs():
    """Nothing is skipped for want of a program: that would be a run without a fault in it."""
    missing = [name for name in ("strace", "unshare", "ip") if shutil.which(name) is None]
    assert not missing, f"{', '.join(missing)}: not there (Debian packages strace, util-linux, iproute2)"


@pytest.fixture(scope="session")
def every(request):
    """Every so many-th fault is put in."""
    return request.config.getoption("--every")


@pytest.fixture(scope="session")
def figures(request, tmp_path_factory, every):
    """The file in which each fault is remembered; the page is written from it."""
    file = tmp_path_factory.mktemp("trust") / "figures"
    file.touch()
    yield file
    if request.config.getoption("--page") and not request.session.testsfailed:
        page.write(file, every, PAGE)
