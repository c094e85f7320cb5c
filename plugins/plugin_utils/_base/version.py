# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The version of this collection, for reports; a test holds it to galaxy.yml. Private to this collection."""

from __future__ import annotations

VERSION = "1.0.0"
