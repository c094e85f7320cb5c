# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.kubenode.connections.plugins.plugin_utils._base.errors import PlanError
from ansible_collections.kubenode.connections.plugins.plugin_utils._policy.binding import Binding, parse_binding
from ansible_collections.kubenode.connections.plugins.plugin_utils._policy.middleboxes import parse_middleboxes


def bound(**parts) -> Binding:
    return parse_binding("box", parts)


@pytest.mark.parametrize(
    ("written", "inside", "outside"),
    [
        ("10.0.0.0/16:443", ["10.0.7.9:443"], ["10.0.7.9:8443", "10.1.0.0:443", "[2001:db8::1]:443"]),
        ("10.0.0.0/8", ["10.255.0.1:1", "10.0.0.0:65535"], ["11.0.0.0:1"]),
        ("192.0.2.7", ["192.0.2.7:5432", "192.0.2.7:6379"], ["192.0.2.8:5432"]),
        ("192.0.2.7:5432", ["192.0.2.7:5432"], ["192.0.2.7:5433"]),
        ("[2001:db8::]/32:443", ["[2001:db8:9::1]:443"], ["[2001:db8:9::1]:80", "[2001:db9::1]:443"]),
        ("[2001:db8::/32]:443", ["[2001:db8:9::1]:443"], ["[2001:db9::1]:443"]),
        ("2001:db8::/32", ["[2001:db8::5]:80"], ["[2001:db7::5]:80", "192.0.2.7:80"]),
        ("[2001:db8::7]:5432", ["[2001:db8::7]:5432"], ["[2001:db8::8]:5432"]),
        ("2001:db8::443", ["[2001:db8::443]:1"], ["[2001:db8::]:443"]),
        ("::ffff:192.0.2.0/120", ["192.0.2.7:5432"], ["192.0.3.7:5432"]),
        ("0.0.0.0/0:443", ["8.8.8.8:443"], ["8.8.8.8:53", "[2001:db8::7]:443"]),
        ("::/0", ["[2001:db8::7]:1"], ["8.8.8.8:443"]),
    ],
)
def test_destinations_are_addresses_networks_and_ports(written, inside, outside):
    binding = bound(destinations=[written])
    assert [each for each in inside + outside if binding.has_destination(each)] == inside


@pytest.mark.parametrize("written", ["10.0.0.0/16:443", "192.0.2.7", "[2001:db8::]/32:443", "2001:db8::/32", "[::1]:2"])
def test_what_it_says_is_read_again(written):
    binding = bound(destinations=[written], pods=["shop/*"], hosts=["worker*"])
    assert parse_binding("box", binding.as_dict()) == binding


@pytest.mark.parametrize("endpoint", ["", "?", "node.example.com:443", "10.0.0.1", "10.0.0.1:", "10.0.0.1:x", "FWM 3"])
def test_what_is_no_endpoint_is_at_no_destination(endpoint):
    assert not bound(destinations=["10.0.0.0/8:443"]).has_destination(endpoint)


def test_each_part_has_to_match_and_one_entry_of_it_does():
    binding = bound(hosts=["worker1", "edge-*"], pods=["shop/cart-*", "*/gateway"])
    assert [name for name in ("worker1", "edge-9", "worker10", "Worker1") if binding.has_host(name)] == [
        "worker1",
        "edge-9",
    ]
    assert [name for name in ("shop/cart-1", "web/gateway", "shop/pay-1", None) if binding.has_pod(name)] == [
        "shop/cart-1",
        "web/gateway",
    ]
    assert binding.has_destination("10.0.0.1:443"), "a part that was not written matches everything"


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        (
            {"destinations": ["db.example.com"]},
            (
                "box: destinations: 'db.example.com' is not an address or a network, with or without a port. "
                "Write such as 10.0.0.0/16:443, '[2001:db8::]/32:443' or 192.0.2.7."
            ),
        ),
        (
            {"destinations": ["10.0.0.1/16:443"]},
            "box: destinations: '10.0.0.1/16:443' has bits beyond its length. Did you mean 10.0.0.0/16?",
        ),
        (
            {"destinations": ["10.0.0.0/16:0"]},
            (
                "box: destinations: port of 10.0.0.0/16:0: 0 is below 1 (no connection goes to port 0). "
                "Write a whole number from 1 to 65535."
            ),
        ),
        (
            {"destinations": ["10.0.0.0/16:70000"]},
            (
                "box: destinations: port of 10.0.0.0/16:70000: 70000 is above 65535 (the highest port of TCP). "
                "Write a whole number from 1 to 65535."
            ),
        ),
        (
            {"destinations": ["10.0.0.0/33"]},
            (
                "box: destinations: '10.0.0.0/33' is not an address or a network, with or without a port. "
                "Write such as 10.0.0.0/16:443, '[2001:db8::]/32:443' or 192.0.2.7."
            ),
        ),
        (
            {"destinations": "10.0.0.0/16:443"},
            (
                "box: destinations: '10.0.0.0/16:443' is not a list of text. "
                "Write such as [10.0.0.0/16:443, '[2001:db8::]/32:443' or 192.0.2.7]."
            ),
        ),
        ({"hosts": []}, "box: hosts: [] is not a list of text. Write such as [worker1 or worker*]."),
        ({"hosts": [7]}, "box: hosts: [7] is not a list of text. Write such as [worker1 or worker*]."),
        (
            {"pods": ["cart"]},
            "box: pods: 'cart' is not a namespace and a name. Write such as shop/cart-* (namespace/name).",
        ),
    ],
)
def test_what_makes_no_sense_is_refused_with_an_example(parts, message):
    with pytest.raises(PlanError) as error:
        bound(**parts)
    assert str(error.value) == message


def test_a_known_box_is_bound_without_its_seconds():
    (box,) = parse_middleboxes([{"name": "aws_nlb", "destinations": ["10.0.0.0/16:443", "192.0.2.7"]}])
    assert (box.name, box.seconds, str(box.binding)) == ("AWS NLB", 350, "destinations 10.0.0.0/16:443, 192.0.2.7")
    assert box.as_dict() == {"name": "AWS NLB", "seconds": 350, "destinations": ["10.0.0.0/16:443", "192.0.2.7"]}


def test_a_box_of_the_users_is_bound_with_its_seconds():
    (box,) = parse_middleboxes([{"name": "our firewall", "seconds": 600, "pods": ["shop/*"], "hosts": ["edge*"]}])
    assert box.binding == Binding(pods=("shop/*",), hosts=("edge*",))
    with pytest.raises(PlanError, match="'our firewall' is not known by name"):
        parse_middleboxes([{"name": "our firewall", "hosts": ["edge*"]}])


def test_the_message_names_the_box():
    with pytest.raises(PlanError, match=r"^keepalive_middleboxes: AWS NLB: pods: 'x' is not a namespace and a name\."):
        parse_middleboxes([{"name": "aws_nlb", "pods": ["x"]}])
