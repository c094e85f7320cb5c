# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from pathlib import Path

import yaml

from ansible_collections.kubenode.connections.plugins.plugin_utils._base.version import VERSION

GALAXY = Path(__file__).resolve().parents[5] / "galaxy.yml"


def test_the_version_in_reports_is_that_of_the_collection():
    assert yaml.safe_load(GALAXY.read_text(encoding="utf-8"))["version"] == VERSION
