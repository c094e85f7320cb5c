# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

import errno
import os
import resource

import pytest

from ansible_collections.kubenode.connections.plugins.module_utils._kernel import bpf, bpf_instructions, sock_ops
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._isolated import (
    run_python,
    run_without_rights,
)
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._own_cgroup import (
    attach,
    attach_foreign,
    attach_marker,
    attach_ours,
    names,
    opened,
    own_cgroup,
)

NOTHING = sock_ops.code_of(bpf_instructions.assemble(sock_ops._END))
ASK = "try:\n    print(bpf.{})\nexcept OSError as error:\n    print(error)"


def test_what_is_attached_is_listed_in_its_order_with_name_and_tag_and_goes_when_it_is_detached():
    with own_cgroup() as path, opened(path) as cgroup:
        assert bpf.attached(cgroup) == ([], 0)
        foreign, ours = attach_foreign(path), attach_ours(path)
        assert bpf.attached(cgroup) == ([foreign, ours], bpf.ALLOW_MULTI)
        assert (foreign.name, ours.name) == ("foreign", "ka_0258_001e_09")
        program = bpf.opened(ours.id)
        bpf.detach(cgroup, program)
        assert bpf.attached(cgroup) == ([foreign], bpf.ALLOW_MULTI)
        bpf.attach(cgroup, program)
        os.close(program)
        assert bpf.attached(cgroup)[0] == [foreign, ours]


def test_a_kernel_that_lists_programs_of_cgroups_does_not_refuse_and_others_do():
    bpf.ask()
    assert run_without_rights("_kernel.bpf", ASK.format("ask()")) == "[Errno 1] Operation not permitted"


def test_a_cgroup_below_has_programs_of_its_own():
    with own_cgroup("/below") as path:
        attach_ours(path)
        attach_marker(path + "/below")
        assert (names(path), names(path + "/below")) == (["ka_0258_001e_09"], ["ka_exclude"])


def test_a_program_that_is_attached_nowhere_goes_with_its_descriptor():
    program = bpf.load(NOTHING, "nothing")
    identity = bpf.described(program).id
    os.close(program)
    with pytest.raises(FileNotFoundError):
        bpf.opened(identity)


def test_a_program_that_the_kernel_does_not_believe_is_refused_with_its_reason():
    endless = sock_ops.code_of(bpf_instructions.assemble([bpf_instructions.move(0, 7, ""), bpf_instructions.leave("")]))
    with pytest.raises(OSError, match="R7 !read_ok") as error:
        bpf.load(endless, "wrong")
    assert error.value.errno == errno.EACCES


def test_a_cgroup_that_is_none_is_refused(tmp_path):
    with opened(tmp_path) as folder, pytest.raises(OSError, match="Bad file descriptor"):
        bpf.attached(folder)


def test_beside_a_program_that_wants_to_be_alone_none_is_attached():
    with own_cgroup() as path, opened(path) as cgroup:
        program = bpf.load(NOTHING, "alone")
        bpf._bpf(bpf._PROG_ATTACH, bpf._ATTACH.pack(cgroup, program, bpf._CGROUP_SOCK_OPS, 0))
        with pytest.raises(PermissionError):
            attach(path, NOTHING, "another")
        assert bpf.attached(cgroup) == ([bpf.described(program)], 0)
        os.close(program)


def test_the_limit_of_locked_memory_is_afterwards_as_before():
    before = resource.getrlimit(resource.RLIMIT_MEMLOCK)
    os.close(bpf.load(NOTHING, "nothing"))
    assert resource.getrlimit(resource.RLIMIT_MEMLOCK) == before


def test_without_rights_the_kernel_refuses():
    code = ASK.format(f"load({NOTHING!r}, 'nothing')")
    assert run_without_rights("_kernel.bpf", code) == "[Errno 1] Operation not permitted"


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="another machine has another one of 32 bits")
def test_a_machine_whose_number_is_not_known_is_refused():
    said = run_python("_kernel.bpf", ASK.format("number()"), "setarch", "i686")
    assert said == "[Errno 38] no number of bpf(2) is known for i686 and a Python of this width"


def test_the_number_on_this_machine():
    assert bpf.number() == bpf.NUMBERS[os.uname().machine]
