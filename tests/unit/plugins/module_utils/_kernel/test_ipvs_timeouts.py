# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

import contextlib
import json
import os
import pathlib
import socket
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.kubenode.connections.plugins.module_utils._kernel import ipvs_timeouts, programs
from ansible_collections.kubenode.connections.plugins.module_utils._kernel.modules import ipvs_loaded
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._isolated import ALL_RIGHTS, run_python

FIXTURES = pathlib.Path(__file__).parents[1] / "fixtures"
KERNELS = sorted(path.name for path in FIXTURES.iterdir())
WITHOUT_NET_ADMIN = ("setpriv", "--bounding-set=-net_admin", "--inh-caps=-net_admin")
"""The kernel then refuses the socket option whether IPVS is loaded (EPERM) or not (ENOPROTOOPT)."""


@pytest.mark.parametrize("kernel", KERNELS)
def test_what_ipvsadm_prints_on_a_real_kernel(kernel):
    text = (FIXTURES / kernel / "ipvsadm_timeout.txt").read_text()
    assert ipvs_timeouts.parse_timeouts(text) == ipvs_timeouts.Timeouts(900, 120, 300)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param("Timeout (tcp tcpfin udp): 900 120", id="a number is missing"),
        pytest.param("Timeout (tcp tcpfin udp): 900 120 -1", id="a negative number"),
        pytest.param("Timeout (tcp tcpfin udp): 900 120 300 5", id="a number too many"),
        pytest.param("Timeout (tcp tcpfin udp): 9e2 120 300", id="no whole number"),
        pytest.param("Zeitlimit (tcp tcpfin udp): 900 120 300", id="another language"),
        pytest.param("IP Virtual Server version 1.2.1 (size=4096)", id="another list"),
        pytest.param("\N{REPLACEMENT CHARACTER}" * 100, id="binary rubbish"),
    ],
)
def test_anything_else_from_ipvsadm_is_refused_with_what_it_printed(text):
    with pytest.raises(ipvs_timeouts.IpvsError) as caught:
        ipvs_timeouts.parse_timeouts(text)
    assert str(caught.value) == (
        f"ipvsadm -l --timeout: printed {text[:80]!r}, expected 'Timeout (tcp tcpfin udp): 900 120 300'."
    )


@given(st.text())
def test_no_text_makes_the_parser_raise_anything_else(text):
    with contextlib.suppress(ipvs_timeouts.IpvsError):
        ipvs_timeouts.parse_timeouts(text)


@given(st.tuples(*[st.integers(0, ipvs_timeouts.MAX_SECONDS)] * 3))
def test_written_timeouts_are_read_again(seconds):
    assert ipvs_timeouts.parse_timeouts("Timeout (tcp tcpfin udp): {} {} {}\n".format(*seconds)) == seconds


def test_the_socket_option_answers_exactly_where_ipvs_is_loaded_and_loads_nothing():
    loaded = ipvs_loaded()
    try:
        ipvs_timeouts.get_timeouts()
        answer = None
    except ipvs_timeouts.IpvsError as error:
        answer = error
    assert (answer is None) == loaded == ipvs_loaded()
    if answer is not None:
        assert str(answer) == (
            "IPVS timeouts: not read, the socket option answers Protocol not available. "
            "The kernel has no IPVS loaded: load the module ip_vs first."
        )


@pytest.mark.parametrize(
    ("answer", "todo"),
    [
        pytest.param(1, "Operation not permitted. Run as root", id="no right"),
        pytest.param(22, "Invalid argument. Use values from 0 (keep) to 2147483 seconds", id="out of range"),
        pytest.param(92, "Protocol not available. The kernel has no IPVS loaded", id="not loaded"),
        pytest.param(12, "Cannot allocate memory. See the kernel's answer.", id="anything else"),
    ],
)
def test_each_refusal_of_the_kernel_says_what_to_do(monkeypatch, answer, todo):
    class Refusing(socket.socket):
        def setsockopt(self, *_arguments):
            raise OSError(answer, os.strerror(answer))

    monkeypatch.setattr(socket, "socket", Refusing)  # no kernel without IPVS can be made to answer these
    with pytest.raises(ipvs_timeouts.IpvsError) as caught:
        ipvs_timeouts.set_timeouts(ipvs_timeouts.Timeouts(8284, 0, 0))
    assert str(caught.value).startswith("IPVS timeouts: not set to 8284/0/0, the socket option answers " + todo)
    assert caught.value.errno == answer


def test_a_number_that_the_kernel_could_not_even_be_given_is_out_of_range():
    with pytest.raises(ipvs_timeouts.IpvsError, match="Use values from 0") as caught:
        ipvs_timeouts.set_timeouts(ipvs_timeouts.Timeouts(1 << 31, 0, 0))
    assert caught.value.errno == 22


REFUSED = "IPVS timeouts: not read, the socket option answers "


def read_timeouts_with(tmp_path, script):
    """What read_timeouts gives where the socket option is refused and ipvsadm is the script."""
    program = tmp_path / "ipvsadm"
    program.write_text(script)
    program.chmod(0o755)
    code = f"import json\nprograms._PLACES = ('{tmp_path}', *programs._PLACES)\nipvs_timeouts._IPVSADM_SECONDS = 1.0\n"
    return json.loads(
        run_python(
            "_kernel.ipvs_timeouts, _kernel.programs",
            code + "print(json.dumps(ipvs_timeouts.read_timeouts()))",
            *WITHOUT_NET_ADMIN,
        )
    )


def test_ipvsadm_is_the_second_way_and_says_so(tmp_path):
    script = '#!/bin/sh\n[ "$LC_ALL $*" = "C -l --timeout" ] && echo "Timeout (tcp tcpfin udp): 777 120 300"\n'
    assert read_timeouts_with(tmp_path, script) == [[777, 120, 300], "ipvsadm", None, ""]


@pytest.mark.parametrize(
    ("script", "said"),
    [
        pytest.param("#!/bin/sh\nprintf '\\377garbage'\n", "printed '\\\\xffgarbage', expected 'Timeout", id="rubbish"),
        pytest.param("#!/bin/sh\nexit 3\n", "return code 3, it says ''.", id="an empty failure"),
        pytest.param(
            "#!/bin/sh\nexec sleep 60\n",
            "it did not end within 1 s. Run it by hand and see what it waits for.",
            id="it hangs",
        ),
        pytest.param(
            "#!/bin/sh\nexec sleep 60 >&- 2>&-\n", "it did not end within 1 s.", id="it hangs with its output closed"
        ),
        pytest.param("#!/bin/sh\nexec yes\n", "return code -9, it says 'y\\ny\\n", id="it prints for ever"),
        pytest.param("#!/no/such/shell\n", "not started: No such file or directory (ENOENT).", id="it cannot be run"),
    ],
)
def test_a_broken_ipvsadm_is_an_error_with_both_reasons(tmp_path, script, said):
    started = time.monotonic()
    timeouts, by, error, do = read_timeouts_with(tmp_path, script)
    assert (timeouts, by) == (None, None)
    assert error.startswith(REFUSED)
    assert do == (ALL_RIGHTS if "Operation not permitted" in error else "See by hand: ipvsadm -l --timeout.")
    assert said in error
    assert time.monotonic() - started < 20


@pytest.mark.parametrize("kernel", KERNELS)
def test_what_ipvsadm_says_without_the_right_is_in_the_error(tmp_path, kernel):
    words = FIXTURES / kernel / "nonroot_ipvsadm_timeout.stderr"
    error = read_timeouts_with(tmp_path, f"#!/bin/sh\ncat '{words}' >&2\nexit 2\n")[2]
    assert "ipvsadm -l --timeout: return code 2, it says \"Can't initialize ipvs: Permission denied" in error


def test_no_ipvsadm_at_all_is_an_error_with_what_to_do(monkeypatch):
    monkeypatch.setattr(programs, "_PLACES", ())
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(ipvs_timeouts.IpvsError) as caught:
        ipvs_timeouts._ask_ipvsadm()
    assert str(caught.value) == "ipvsadm: not installed, so there is no second way. Run as root, or install ipvsadm."
