# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reboot every machine of the lab that LAB_NAME names, side by side.

ansible.builtin.reboot would run Python in each of them and look again after longer and longer pauses: it takes twice as
long under emulation.
"""

import sys
from concurrent.futures import ThreadPoolExecutor

from vm import Lab, LabError, Vm


def reboot(vm: Vm) -> None:
    """Reboot the machine and wait until systemd has started everything."""
    vm.reboot()
    vm.wait()


try:
    with ThreadPoolExecutor() as pool:
        list(pool.map(reboot, Lab().running()))
except LabError as error:
    sys.exit(str(error))
