# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The proofs as a fixture, and docs/proof.md at the end."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ansible_collections.kubenode.connections.tests.lab.progress import pytest_configure
from ansible_collections.kubenode.connections.tests.lab.vm import Lab
from ansible_collections.kubenode.connections.tests.proof import report
from ansible_collections.kubenode.connections.tests.proof.model import Scenario
from ansible_collections.kubenode.connections.tests.proof.proofs import Job, Proofs

__all__ = ["pytest_configure"]

PAGE = Path(__file__).resolve().parents[2] / "docs/proof.md"


def job_of(item: pytest.Item) -> Job:
    """The kernel and the scenario of a test."""
    assert isinstance(item, pytest.Function)
    kernel, scenario = (item.callspec.params[name] for name in ("kernel", "scenario"))
    assert isinstance(scenario, Scenario)
    return str(kernel), scenario.name


@pytest.fixture(scope="session")
def proofs(request: pytest.FixtureRequest) -> Iterator[Proofs]:
    """All machines of the selected tests; the page is written after a whole run that was green."""
    jobs = sorted(set(map(job_of, request.session.items)))
    started = time.monotonic()

    def say(what: str) -> None:
        print(f"proof: {time.monotonic() - started:5.0f} s  {what}", file=sys.stderr, flush=True)

    lab = Lab("proof")
    try:
        running = Proofs(lab, jobs, say)
        yield running
        running.close()
        page = running.page()
        if page:
            report.write(page, PAGE)
            say(f"{PAGE} written")
    finally:
        lab.down()
