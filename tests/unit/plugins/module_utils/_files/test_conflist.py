# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The tuning plugin in a list: chained once, everything else byte for byte. That it works is in test_pod_sysctls.py."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.kubenode.connections.plugins.module_utils._common.errors import NodeError
from ansible_collections.kubenode.connections.plugins.module_utils._files.conflist import (
    chained,
    parse,
    shown,
    unchained,
)

TIME, INTVL = "net.ipv4.tcp_keepalive_time", "net.ipv4.tcp_keepalive_intvl"
SYSCTLS = {TIME: "600", INTVL: "30"}
OURS = {name: (value,) for name, value in SYSCTLS.items()}
PATH = "/etc/cni/net.d/10-net.conflist"

FLANNEL = """\
{
  "name": "cbr0",
  "cniVersion": "0.3.1",
  "plugins": [
    {
      "type": "flannel",
      "delegate": {
        "hairpinMode": true,
        "isDefaultGateway": true
      }
    },
    {
      "type": "portmap",
      "capabilities": {
        "portMappings": true
      }
    }%s
  ]
}
"""
"""What flannel's ConfigMap kube-flannel-cfg holds."""

FLANNEL_TUNED = """,
    {
      "type": "tuning",
      "sysctl": {
        "net.ipv4.tcp_keepalive_time": "600",
        "net.ipv4.tcp_keepalive_intvl": "30"
      }
    }"""


def effective(data):
    """The plugins of a list, without sysctls that set nothing."""
    plugins = parse(data, PATH).document["plugins"]
    return [{name: value for name, value in plugin.items() if (name, value) != ("sysctl", {})} for plugin in plugins]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(FLANNEL % "", FLANNEL % FLANNEL_TUNED, id="as the file is laid out"),
        pytest.param(
            (FLANNEL % "").replace("\n", "\r\n"),
            (FLANNEL % FLANNEL_TUNED).replace("\n", "\r\n"),
            id="with the line ends of the file",
        ),
        pytest.param(
            (FLANNEL % "").replace("  ", "\t"), (FLANNEL % FLANNEL_TUNED).replace("  ", "\t"), id="with its tabs"
        ),
        pytest.param(
            '{"plugins":[{"type":"bridge","mtu":1e3}],"name":"n\\u00e9"}',
            '{"plugins":[{"type":"bridge","mtu":1e3}, {"type": "tuning", "sysctl": '
            '{"net.ipv4.tcp_keepalive_time": "600", "net.ipv4.tcp_keepalive_intvl": "30"}}],"name":"n\\u00e9"}',
            id="a file in one line, whose numbers and escapes stay as they are written",
        ),
        pytest.param(
            '{"name":"n","plugins":[\n  {"type":"bridge"},\n  {"type":"portmap"}\n]}',
            '{"name":"n","plugins":[\n  {"type":"bridge"},\n  {"type":"portmap"},\n  {"type": "tuning", "sysctl": '
            '{"net.ipv4.tcp_keepalive_time": "600", "net.ipv4.tcp_keepalive_intvl": "30"}}\n]}',
            id="a plugin a line",
        ),
        pytest.param(
            '{"name":"n","plugins":[{"type":"tuning","mtu":1400},{"type":"x"}]}',
            '{"name":"n","plugins":[{"type": "tuning", "mtu": 1400, "sysctl": '
            '{"net.ipv4.tcp_keepalive_time": "600", "net.ipv4.tcp_keepalive_intvl": "30"}},{"type":"x"}]}',
            id="a tuning plugin that sets something else is the one that gets the sysctls",
        ),
        pytest.param(
            '{"plugins":[{"type":"tuning","sysctl":{"net/ipv4/tcp_keepalive_time":"7","net.core.somaxconn":"9"}},'
            '{"type":"tuning","sysctl":{"net.core.optmem_max":"8"}}],"name":"n"}',
            '{"plugins":[{"type": "tuning", "sysctl": {"net/ipv4/tcp_keepalive_time": "600", '
            '"net.core.somaxconn": "9"}},{"type": "tuning", "sysctl": {"net.core.optmem_max": "8", '
            '"net.ipv4.tcp_keepalive_intvl": "30"}}],"name":"n"}',
            id="a key is set where it is, in its own spelling, the others in the last tuning plugin",
        ),
        pytest.param(
            '{"plugins":[{"type":"old"}],"plugins":[{"type":"new"}],"name":"n"}',
            '{"plugins":[{"type":"old"}],"plugins":[{"type":"new"}, {"type": "tuning", "sysctl": '
            '{"net.ipv4.tcp_keepalive_time": "600", "net.ipv4.tcp_keepalive_intvl": "30"}}],"name":"n"}',
            id="of two lists of plugins the last one counts",
        ),
    ],
)
def test_chained_once_and_back(before, after):
    assert chained(before.encode(), PATH, SYSCTLS).decode() == after
    assert chained(after.encode(), PATH, SYSCTLS).decode() == after
    back = unchained(after.encode(), PATH, before.encode(), OURS)
    assert effective(back) == effective(before.encode())


def test_what_is_right_already_stays_byte_for_byte():
    text = (FLANNEL % FLANNEL_TUNED).replace('"600",', '"600"  ,').encode()
    assert chained(text, PATH, SYSCTLS) == text


def test_new_values_take_the_place_of_the_old():
    text = chained((FLANNEL % "").encode(), PATH, SYSCTLS)
    again = chained(text, PATH, {TIME: "233", INTVL: "11"}).decode()
    assert again == (FLANNEL % FLANNEL_TUNED).replace('"600"', '"233"').replace('"30"', '"11"')


@pytest.mark.parametrize(
    ("original", "now", "left"),
    [
        pytest.param(
            '{"name":"n","plugins":[{"type":"a"}]}',
            '{"name":"n","plugins":[{"type":"a"},{"type":"tuning","sysctl":{"TIME":"600"}},{"type":"added"}]}'.replace(
                "TIME", TIME
            ),
            '{"name":"n","plugins":[{"type":"a"},{"type":"added"}]}',
            id="a plugin that somebody has added since stays",
        ),
        pytest.param(
            '{"name":"n","plugins":[{"type":"a"}]}',
            '{"name":"n","plugins":[{"type":"tuning","sysctl":{"TIME":"600"}},\n{"type":"a"}]}'.replace("TIME", TIME),
            '{"name":"n","plugins":[{"type":"a"}]}',
            id="ours is taken out where somebody has put it first",
        ),
        pytest.param(
            '{"name":"n","plugins":[{"type":"a"}]}',
            '{"name":"n","plugins":[{"type":"a"},{"type":"tuning","sysctl":{"TIME":"600","net.core.x":"1"}}]}'.replace(
                "TIME", TIME
            ),
            '{"name":"n","plugins":[{"type":"a"},{"type": "tuning", "sysctl": {"net.core.x": "1"}}]}',
            id="a key that somebody has added to ours stays",
        ),
        pytest.param(
            '{"name":"n","plugins":[{"type":"tuning","sysctl":{"TIME":"7"}}]}'.replace("TIME", TIME),
            '{"name":"n","plugins":[{"type":"tuning","sysctl":{"TIME":"600"}},{"type":"added"}]}'.replace("TIME", TIME),
            '{"name":"n","plugins":[{"type": "tuning", "sysctl": {"TIME": "7"}},{"type":"added"}]}'.replace(
                "TIME", TIME
            ),
            id="a key of the original gets its value back",
        ),
        pytest.param(
            '{"name":"n","plugins":[{"type":"a"}]}',
            '{"name":"n","plugins":[{"type":"b"},{"type":"tuning","sysctl":{"TIME":"40"}}]}'.replace("TIME", TIME),
            '{"name":"n","plugins":[{"type":"b"},{"type":"tuning","sysctl":{"TIME":"40"}}]}'.replace("TIME", TIME),
            id="a value that somebody else has set stays",
        ),
    ],
)
def test_taken_out_of_a_file_that_somebody_has_written_since(original, now, left):
    assert unchained(now.encode(), PATH, original.encode(), OURS).decode() == left


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param(
            "{",
            "is not JSON (line 1, column 2: Expecting property name enclosed in double quotes), no runtime can "
            "read it (libcni). Mend it.",
            id="cut off",
        ),
        pytest.param(
            '{"plugins": ' + "[" * 900 + "]" * 900 + "}",
            "is not JSON (it is nested deeper than 100 levels), no runtime can read it (libcni). Mend it.",
            id="nested too deep",
        ),
        pytest.param(
            '{"plugins": [{"type": "x", "mtu": ' + "9" * 4300 + "}]}",
            "is not JSON (a number has 4300 digits), no runtime can read it (libcni). Mend it.",
            id="a number too long",
        ),
        pytest.param("[]", "is not JSON (no object), no runtime can read it (libcni). Mend it.", id="no object"),
        pytest.param(
            '{"plugins": [{"type": "x", "mtu": NaN}]}',
            "is not JSON (NaN is no number in JSON), no runtime can read it (libcni). Mend it.",
            id="a number that Python reads and Go does not",
        ),
        pytest.param(
            '{"cniVersion": "0.3.1", "name": "x", "type": "bridge"}',
            "is a single plugin of type 'bridge', a list of plugins is expected: nothing can be chained to a single "
            "one (CNI specification). Have whoever wrote it write a .conflist with it.",
            id="a single plugin",
        ),
        pytest.param(
            '{"plugins": []}',
            "has no list of plugins that each have a type, as libcni expects. Mend it.",
            id="no plugins",
        ),
        pytest.param(
            '{"plugins": [{"type": "../x"}]}',
            "has no list of plugins that each have a type, as libcni expects. Mend it.",
            id="a type that leads out of the folder of plugins",
        ),
        pytest.param(
            '{"plugins": [{"type": "\\u0000"}]}',
            "has no list of plugins that each have a type, as libcni expects. Mend it.",
            id="a type that no file can have",
        ),
        pytest.param(
            '{"plugins": [' + ", ".join(['{"type": "x"}'] * 101) + "]}",
            "has 101 plugins, at most 100 are expected. Mend it.",
            id="more plugins than any network has",
        ),
        pytest.param(
            '{"plugins": []}' + " " * (1 << 20),
            "has more than 1048576 bytes, which no network configuration has. Look at what fills it.",
            id="longer than any network configuration",
        ),
        pytest.param(
            '{"plugins": [{"mtu": 5}]}',
            "has no list of plugins that each have a type, as libcni expects. Mend it.",
            id="a plugin without a type",
        ),
        pytest.param(
            '{"plugins": [{"type": "tuning", "sysctl": {"net.core.somaxconn": 5}}]}',
            "sysctl of its tuning plugin is no mapping of names to text (tuning.go). Mend it.",
            id="a number where tuning wants text",
        ),
    ],
)
def test_what_cannot_be_edited_is_refused(text, message):
    with pytest.raises(NodeError) as error:
        chained(text.encode(), PATH, SYSCTLS)
    assert str(error.value) == f"{PATH}: {message}"


def test_bytes_that_are_no_text_are_refused():
    with pytest.raises(NodeError, match=r"is not JSON \(byte 11 is not UTF-8\)"):
        chained(b'{"name": "\xff"}', PATH, SYSCTLS)


SCALARS = st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=8))
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=5,
)
PLUGIN = st.dictionaries(st.text(min_size=1, max_size=8), VALUES, max_size=2).map(
    lambda found: dict(found, type="other")
)
DOCUMENT = st.builds(
    lambda before, plugins, after: {**before, "plugins": plugins, **after},
    st.dictionaries(st.text(min_size=8, max_size=12), VALUES, max_size=2),
    st.lists(PLUGIN, min_size=1, max_size=3),
    st.dictionaries(st.text(min_size=9, max_size=12), VALUES, max_size=2),
)


@pytest.mark.parametrize("indent", [None, 2])
def test_half_a_surrogate_pair_stays_as_it_was_escaped(indent):
    before = json.dumps({"plugins": [{"type": "tuning", "x": "\ud800", "sysctl": {}}]}, indent=indent).encode()
    assert json.loads(chained(before, PATH, SYSCTLS).decode())["plugins"][0]["x"] == "\ud800"


@given(DOCUMENT, st.sampled_from([None, 0, 2, "\t"]), st.booleans())
def test_any_list_gets_one_plugin_more_and_comes_back_as_it_was(document, indent, ascii_only):
    text = json.dumps(document, indent=indent, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")
    try:
        text.decode("utf-8")
    except UnicodeDecodeError:
        return
    after = chained(text, PATH, SYSCTLS)
    expected = dict(document, plugins=[*document["plugins"], {"type": "tuning", "sysctl": SYSCTLS}])
    assert json.loads(after.decode()) == expected
    assert list(json.loads(after.decode())) == list(expected)
    assert unchained(after, PATH, text, OURS) == text


@pytest.mark.parametrize(
    ("plugins", "expected"),
    [
        pytest.param([], "", id="no plugin of ours"),
        pytest.param(
            [{"type": "tuning", "sysctl": {"net/ipv4/tcp_keepalive_time": "1", "net.core.somaxconn": "2"}, "key": "x"}],
            '{\n  "type": "tuning",\n  "sysctl": {\n    "net/ipv4/tcp_keepalive_time": "1"\n  }\n}\n',
            id="one with more in it",
        ),
        pytest.param(
            [{"type": "tuning", "mac": "x"}, {"type": "tuning", "sysctl": ["x"]}, {"type": "x", "sysctl": {TIME: "1"}}],
            '{\n  "type": "tuning",\n  "sysctl": {}\n}\n' * 2,
            id="several, and another plugin",
        ),
        pytest.param([{"type": "tuning", "sysctl": {TIME: {"x": "y"}}}], None, id="a value that is no text"),
    ],
)
def test_of_a_list_our_sysctls_are_shown(plugins, expected):
    document = {"name": "net", "secret": "x", "plugins": [{"type": "bridge", "token": "x"}, *plugins]}
    nothing = '{\n  "type": "tuning",\n  "sysctl": {}\n}\n'
    assert shown(json.dumps(document).encode(), SYSCTLS) == (nothing if expected is None else expected)


def test_of_a_list_that_cannot_be_read_nothing_is_shown():
    assert shown(b'{"token": "x"', SYSCTLS) == shown(b"\xff", SYSCTLS) == shown(b'{"token": "x"}', SYSCTLS) == ""
