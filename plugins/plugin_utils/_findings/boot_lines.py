# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rules on the lines of the files that a boot reads. Private to this collection."""

from __future__ import annotations

from collections.abc import Iterator

from ansible_collections.kubenode.connections.plugins.plugin_utils._base.messages import tell
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.words import some
from ansible_collections.kubenode.connections.plugins.plugin_utils._observed.node import Boot, Observed

from .rule import INFO, WARNING, Case, Found, Rules

RULES = Rules()


@RULES.node("boot-value-refused", WARNING)
def _boot_refused(case: Case) -> Found | None:
    """The kernel refuses the value that a file gives to a sysctl, so the line sets nothing."""
    lines = {key: boot for key, boot in _odd_lines(case.observed) if boot.refused}
    if not lines:
        return None
    told = [
        tell("{source} sets {key} to {value}", source=boot.source, key=key, value=boot.written)
        for key, boot in lines.items()
    ]
    return Found(
        some(told, "; "),
        "The kernel takes one whole number, with nothing behind it but blanks: no quotes, signs, units or semicolons, "
        "and none that is too large for the key. It refuses this one, and systemd-sysctl then sets nothing, not even "
        "what an earlier line says.",
        "Write the number alone.",
    )


@RULES.node("boot-value-cut", INFO)
def _boot_cut(case: Case) -> Found | None:
    """The kernel takes another value than stands in a file: only the number in front, or one of base 8."""
    lines = {key: boot for key, boot in _odd_lines(case.observed) if not boot.refused}
    if not lines:
        return None
    told = [
        tell(
            "{source} sets {key} to {value}, taken as {taken}",
            source=boot.source,
            key=key,
            value=boot.written,
            taken=boot.value,
        )
        for key, boot in lines.items()
    ]
    return Found(
        some(told, "; "),
        "The kernel reads a number up to the first blank and ignores the rest of the line, comments too. One that "
        "begins with 0 is of base 8.",
        "Write the number alone, and a comment on a line of its own.",
    )


@RULES.node("boot-order-differs", INFO)
def _boot_order(case: Case) -> Found | None:
    """systemd-sysctl at boot and ``sysctl --system`` by hand leave different values."""
    others = case.observed.others
    differing = {
        key: sysctl.boot
        for key, sysctl in case.observed.sysctls.items()
        # What only /etc/sysctl.conf sets is said by sysctl-conf-not-read.
        if sysctl.boot
        and sysctl.boot.procps_value is not None
        and (others.conf_is_read or key not in others.conf_lines)
    }
    if not differing:
        return None
    lines = [
        tell(
            "{key} {value} at boot, {other} by sysctl --system",
            key=key,
            value=boot.value or "unset",
            other=boot.procps_value,
        )
        for key, boot in differing.items()
    ]
    return Found(
        some(lines, "; "),
        "systemd-sysctl and procps read different files, in a different order.",
        "Keep each key in one file only.",
    )


@RULES.node("boot-lines-unreadable", INFO)
def _boot_lines(case: Case) -> Found | None:
    """Lines in sysctl.d or modules-load.d that nobody can parse."""
    if not case.observed.boot_problems:
        return None
    return Found(
        some(list(case.observed.boot_problems), "; "),
        "The boot skips such lines, so a setting may be missing.",
        "Correct or remove them.",
    )


def _odd_lines(observed: Observed) -> Iterator[tuple[str, Boot]]:
    for key, sysctl in observed.sysctls.items():
        if sysctl.boot is not None and sysctl.boot.written is not None:
            yield key, sysctl.boot
