# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import copy
import json
import pickle

import pytest

from ansible_collections.kubenode.connections.plugins.plugin_utils._base.messages import (
    Message,
    bare,
    joined,
    plural,
    sentences,
    tell,
)


def test_a_message_is_its_english_text() -> None:
    message = tell("{node} forgets it after {seconds} s", node="worker1", seconds=900)

    assert message == "worker1 forgets it after 900 s"
    assert json.dumps([message]) == '["worker1 forgets it after 900 s"]'
    assert {message: 1}["worker1 forgets it after 900 s"] == 1


def test_a_message_keeps_what_it_was_made_of() -> None:
    inner = tell("{n} nodes", n=3)
    message = tell("on {where}", where=inner)

    assert (message.template, message.values) == ("on {where}", {"where": inner})


def test_braces_of_a_value_are_text() -> None:
    assert tell("pod {name}", name="{0.__class__}") == "pod {0.__class__}"


def test_a_template_without_values_keeps_no_braces() -> None:
    with pytest.raises(KeyError):
        tell("pod {name}")


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda each: pickle.loads(pickle.dumps(each))])
def test_a_copy_keeps_what_it_was_made_of(copied) -> None:
    message = copied(plural("{number} nodes", "{number} node", 1))

    assert isinstance(message, Message)
    assert (message, message.template, message.values) == ("1 node", "{number} nodes", {"number": 1})
    assert message.english == "{number} node"


def test_one_of_them_has_its_own_english_and_the_template_of_all() -> None:
    one, two = (
        plural("{number} pods on {node}", "{number} pod on {node}", number, node="worker1") for number in (1, 2)
    )

    assert (one, two) == ("1 pod on worker1", "2 pods on worker1")
    assert one.template == two.template == "{number} pods on {node}"
    assert one.values == {"number": 1, "node": "worker1"}


def test_pieces_in_one() -> None:
    message = joined("; ", [tell("{n} nodes", n=3), "{plain}"])

    assert message == "3 nodes; {plain}"
    assert list(message.values.values()) == ["; ", "3 nodes", "{plain}"]


def test_sentences_stand_one_after_the_other_without_empty_ones() -> None:
    message = sentences("", tell("{n} nodes.", n=3), "", "Wait.", "Look.")

    assert message == "3 nodes. Wait. Look."
    assert isinstance(message, Message)
    assert (message.template, message.values["then"]) == ("{first} {then}", "Look.")
    assert sentences("", "") == ""


def test_no_pieces() -> None:
    assert joined(", ", []) == ""


def test_a_text_without_its_full_stop() -> None:
    assert (bare("It is gone. "), bare("a. b")) == ("It is gone", "a. b")
    assert isinstance(bare(tell("{n} nodes", n=3)), Message)
