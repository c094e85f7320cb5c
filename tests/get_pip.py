# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Gets pip into an environment of ansible-test, in place of the script that ansible-test would download.

The pip that each Python brings will do; other packages that ansible-test asks for are installed with it.
"""

import subprocess
import sys

packages = [argument for argument in sys.argv[1:] if "==" in argument and not argument.startswith("pip==")]
subprocess.check_call([sys.executable, "-m", "ensurepip"], stdout=subprocess.DEVNULL)
if packages:
    subprocess.check_call([sys.executable, "-m", "pip", "install", "--quiet", *packages])
