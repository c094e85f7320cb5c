# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's progress on the terminal while pytest captures what tests print: a conftest.py names pytest_configure."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest

from ansible_collections.kubenode.connections.tests.lab.vm import tools


def pytest_configure(config: pytest.Config) -> None:
    """Have the lab speak past the capture, on a line of its own."""

    @contextlib.contextmanager
    def uncaptured() -> Iterator[None]:
        capture, terminal = config.pluginmanager.getplugin("capturemanager"), config.get_terminal_writer()
        with capture.global_and_fixture_disabled() if capture else contextlib.nullcontext():
            if terminal.width_of_current_line:
                terminal.line()
                terminal.flush()
            yield

    tools.uncaptured = uncaptured
