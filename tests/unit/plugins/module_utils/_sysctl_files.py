# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files of sysctls in all spellings, with lines of ours among those of others, and what is in them."""

from hypothesis import strategies as st

from ansible_collections.kubenode.connections.plugins.module_utils._files.sysctl_editor import SYSCTLS

KEYS = ["net.ipv4.tcp_keepalive_time", "net.ipv4.tcp_keepalive_intvl", "net.ipv4.conf.eth0/100.rp_filter"]


SPELLINGS = ["{0}", "-{0}", " {0}", "{1}", "- {1}"]


def spelled(key, form):
    return form.format(key, key.translate(str.maketrans("./", "/.")))


foreign_lines = st.one_of(
    st.binary(max_size=30).map(lambda raw: raw.replace(b"\n", b"")),
    st.sampled_from(
        [b"# net.ipv4.tcp_keepalive_time = 5", b"", b"vm.swappiness=10", b"net.ipv4.tcp_keepalive_* = 3", b"-vm.x"]
    ),
)


own_lines = st.builds(
    lambda key, form, equals, value: (spelled(key, form) + equals + value).encode(),
    st.sampled_from(KEYS),
    st.sampled_from(SPELLINGS),
    st.sampled_from(["=", " = ", "\t=  "]),
    st.sampled_from(["1", "600", "1 2", "1\t2", "x=y", ""]),
)


files = st.builds(
    lambda lines, ends, last: b"".join(line + end for line, end in zip(lines, ends)) + last,
    st.lists(st.one_of(foreign_lines, own_lines), max_size=8),
    st.lists(st.sampled_from([b"\n", b"\n", b"\r\n"]), min_size=8, max_size=8),
    st.one_of(st.just(b""), foreign_lines, own_lines),
)


wishes = st.dictionaries(st.sampled_from(KEYS), st.sampled_from(["1", "600", "4096 87380"]), max_size=3)


def values(data):
    """The value that the file gives each key: of duplicates the last, white space folded."""
    lines = data.split(b"\n")
    found = {place.key: lines[place.index][place.start : place.end].decode() for place in SYSCTLS.places(data)}
    return {key: " ".join(value.split()) for key, value in found.items()}


def foreign(data, keys):
    """The lines that name none of the keys, without their ends."""
    own = {place.index for place in SYSCTLS.places(data) if place.key in keys}
    return [
        line.rstrip(b"\r\n") for row, line in enumerate(data.split(b"\n")) if row not in own and line.strip(b"\r\n")
    ]
