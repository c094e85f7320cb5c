# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Virtual machines with Debian's stock kernels, for tests: Lab().up(["6.1"])[0].run(["uname", "-r"])."""

from .config import KERNELS, LabError
from .lab import Lab
from .machine import Vm

__all__ = ["KERNELS", "Lab", "LabError", "Vm"]
