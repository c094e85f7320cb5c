# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The record of what a node had: taken over, refused in words, or told to be lost; what it says is never guessed."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from ansible_collections.kubenode.connections.tests.trust import node, scenarios
from ansible_collections.kubenode.connections.tests.trust.faults import Campaign, differences
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._isolated_node import isolated

FILES = scenarios.ALL[0]


def flipped(data):
    """One bit of a value that was there before the first run is another."""
    return data.replace(b'"original": "7200"', b'"original": "7201"')


def of_old(data):
    """As releases wrote it that knew of no hash."""
    document = json.loads(data)
    del document["sha256"]
    return json.dumps(document).encode()


def changed(**parts):
    return lambda data: json.dumps({**json.loads(data), **parts}).encode()


REFUSED = [
    pytest.param(flipped, "its sha256 is not that of its contents", id="a bit is another"),
    pytest.param(lambda data: data[: len(data) // 2], "cannot be used", id="cut off"),
    pytest.param(lambda _data: b"", "cannot be used", id="empty"),
    pytest.param(changed(version=2), "it has version 2, expected 1", id="of a later version"),
    pytest.param(changed(more={}), "a newer kubenode.connections may have written it", id="with a part of a later one"),
]


@pytest.mark.parametrize(("change", "why"), REFUSED)
@isolated
def test_a_record_that_cannot_be_used_is_refused_and_nothing_is_changed(change, why, tmp_path):
    campaign = Campaign(FILES, tmp_path)
    assert not campaign.plainly(FILES.converge).failed
    record = Path(node.RECORD)
    good = record.read_bytes()
    record.write_bytes(change(good))
    before = campaign.state()
    for options in (FILES.converge, FILES.change, FILES.restore):
        answer = campaign.plainly(options)
        assert answer.failed
        assert node.RECORD in answer.result["msg"]
        assert why in answer.result["msg"]
        assert answer.result["msg"].endswith("Nothing was changed.")
        assert campaign.state() == before, differences(before, campaign.state())
    record.write_bytes(good)
    assert not campaign.plainly(FILES.restore).failed
    assert campaign.state() == campaign.old, differences(campaign.old, campaign.state())


@isolated
def test_a_record_of_old_is_taken_over(tmp_path):
    campaign = Campaign(FILES, tmp_path)
    campaign.plainly(FILES.converge)
    Path(node.RECORD).write_bytes(of_old(Path(node.RECORD).read_bytes()))
    assert not campaign.plainly(FILES.change).failed
    assert "sha256" in json.loads(Path(node.RECORD).read_bytes())
    assert not campaign.plainly(FILES.restore).failed
    assert campaign.state() == campaign.old, differences(campaign.old, campaign.state())


@isolated
def test_a_record_that_is_lost_is_told_and_nothing_is_guessed(tmp_path):
    campaign = Campaign(FILES, tmp_path)
    campaign.plainly(FILES.converge)
    os.unlink(node.RECORD)
    before = campaign.state()
    answer = campaign.plainly(FILES.restore)
    (note,) = answer.result["notes"]
    assert "Whether this collection wrote that, nobody can tell: there is no record" in note
    assert campaign.state().values == before.values
