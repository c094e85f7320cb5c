# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

import pytest

from ansible_collections.kubenode.connections.plugins.module_utils._common.errors import NodeError
from ansible_collections.kubenode.connections.plugins.module_utils._files.guard_conf import Conf, conf_text, parse, read

CONF = Conf("wörker 1", 300, True, "/run", {"watch": {"kept": ["10.96.0.1:80"]}})


def test_it_reads_as_it_was_written():
    data = conf_text(CONF)
    assert data.startswith(b"# Written by kubenode.connections, ")
    assert parse(data) == CONF


@pytest.mark.parametrize("data", [b"", b"# x\n", b"# x\n[]", b"# x\n{}", b"# x\n{"])
def test_another_text_is_refused(data):
    with pytest.raises(ValueError, match=r"line|keys"):
        parse(data)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(NodeError, match=r"guard.conf: not read: No such file or directory"):
        read(str(tmp_path / "guard.conf"))


def test_a_file_with_something_else_says_what_to_do(tmp_path):
    (tmp_path / "guard.conf").write_bytes(b"# x\n{}")
    with pytest.raises(NodeError, match=r"Run the role kubenode\.connections\.guard again"):
        read(str(tmp_path / "guard.conf"))
