# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes /usr/local/bin/kubelet of bash: it runs a script, and says Kubernetes v1.37.0 where bash has its copyright."""

import re
from pathlib import Path

data = Path("/bin/bash").read_bytes()
found = re.search(rb"Copyright \(C\) \d{4} Free Software Foundation, Inc\.", data)
said = b"Kubernetes v1.37.0".ljust(len(found.group()), b"\0")
kubelet = Path("/usr/local/bin/kubelet")
kubelet.write_bytes(data[: found.start()] + said + data[found.end() :])
kubelet.chmod(0o755)
