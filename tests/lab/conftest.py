# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's progress shows while tests run."""

from __future__ import annotations

from ansible_collections.kubenode.connections.tests.lab.progress import pytest_configure

__all__ = ["pytest_configure"]
