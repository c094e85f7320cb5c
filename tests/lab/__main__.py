# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""python3 tests/lab VERB [KERNEL ...]: virtual machines with Debian's kernels."""

from vm.cli import main

raise SystemExit(main())
