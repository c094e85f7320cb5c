# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import datetime
import math

import pytest

from ansible_collections.kubenode.connections.plugins.plugin_utils._report.rerun_command import File, Rerun, rerun_of

USUAL = {
    "inventory": ["/etc/ansible/hosts"],
    "connection": "ssh",
    "remote_user": "admin",
    "forks": 5,
    "timeout": 10,
    "become_method": "sudo",
}

CIRCLE = []
CIRCLE.append(CIRCLE)


@pytest.mark.parametrize(
    ("given", "options"),
    [
        pytest.param({}, (), id="nothing was given"),
        pytest.param({"inventory": ["/etc/ansible/hosts"], "connection": "ssh"}, (), id="the usual needs no option"),
        pytest.param(
            {"inventory": ["/home/me/inventory/hosts", "/srv/x", "a,b"]},
            ("-i inventory/hosts", "-i /srv/x", "-i a,b"),
            id="inventories, those in the folder short",
        ),
        pytest.param({"subset": "rack1:!worker7"}, ("--limit 'rack1:!worker7'",), id="a limit, quoted for the shell"),
        pytest.param({"connection": "local", "become_ask_pass": True}, ("-c local", "-K"), id="how to reach them"),
        pytest.param(
            {"remote_user": "ops", "private_key_file": "/home/me/keys/id", "timeout": 30, "forks": 50},
            ("-f 50", "-u ops", "--private-key keys/id", "-T 30"),
            id="as whom, with which key",
        ),
        pytest.param({"remote_user": "admin", "forks": 5, "timeout": 10}, (), id="as configured"),
        pytest.param(
            {"ssh_common_args": "-o ProxyJump=bastion", "ssh_extra_args": "-v", "sftp_extra_args": "a b"},
            ("--ssh-common-args='-o ProxyJump=bastion'", "--ssh-extra-args=-v", "--sftp-extra-args 'a b'"),
            id="what looks like an option",
        ),
        pytest.param(
            {"ask_pass": True, "become_method": "su", "become_user": "toor", "become_password_file": "/p"},
            ("-k", "--become-method su", "--become-user toor", "--become-password-file /p"),
            id="how to become root",
        ),
        pytest.param(
            {"vault_ids": ("dev@prompt", "x@/y"), "vault_password_files": ("/home/me/v",), "ask_vault_pass": True},
            ("--vault-id dev@prompt", "--vault-id x@/y", "--vault-password-file v", "-J"),
            id="vaults",
        ),
    ],
)
def test_which_nodes_and_how_to_reach_them(given, options):
    assert rerun_of(given, USUAL, [], "/home/me").options == options


@pytest.mark.parametrize(
    ("extra", "options"),
    [
        pytest.param({"keepalive_profile": "article"}, "-e keepalive_profile=article", id="a word"),
        pytest.param(
            {"keepalive_margin": "1", "keepalive_report_dir": "/srv/a-b_c.d"},
            "-e 'keepalive_margin=1 keepalive_report_dir=/srv/a-b_c.d'",
            id="several words",
        ),
        pytest.param({"keepalive_margin": 1}, "-e '{\"keepalive_margin\": 1}'", id="a number stays one"),
        pytest.param({"keepalive_pods": False}, "-e '{\"keepalive_pods\": false}'", id="so does a flag"),
        pytest.param(
            {"keepalive_middleboxes": [{"name": "a firewall", "seconds": 3600}, "aws_nlb"]},
            '-e \'{"keepalive_middleboxes": [{"name": "a firewall", "seconds": 3600}, "aws_nlb"]}\'',
            id="middleboxes",
        ),
        pytest.param(
            {"keepalive_report_dir": "a b $HOME `id` \\"},
            '-e \'{"keepalive_report_dir": "a b $HOME `id` \\\\"}\'',
            id="what a shell would read as something else",
        ),
        pytest.param(
            {"keepalive_report_dir": "it's"}, """-e '{"keepalive_report_dir": "it'"'"'s"}'""", id="a quotation mark"
        ),
        pytest.param({"keepalive_x": "a$b"}, '-e \'{"keepalive_x": "a$b"}\'', id="a dollar is no plain letter"),
        pytest.param({"keepalive_report_dir": ""}, '-e \'{"keepalive_report_dir": ""}\'', id="nothing at all"),
        pytest.param({"keepalive_x": "{{ y }}"}, '-e \'{"keepalive_x": "{{ y }}"}\'', id="a template"),
        pytest.param(
            {"keepalive_x": "a\033[2J\n节\udcff"},
            '-e \'{"keepalive_x": "a\\u001b[2J\\n\\u8282\\udcff"}\'',
            id="control characters, and what is not ASCII",
        ),
        pytest.param({"keepalive_x y": "z"}, '-e \'{"keepalive_x y": "z"}\'', id="a name with a blank"),
        pytest.param({"keepalive_x": None}, "-e '{\"keepalive_x\": null}'", id="null"),
        pytest.param(File("/home/me/vars.yml", True), "-e @vars.yml", id="a file of the folder"),
        pytest.param(File("/srv/my vars.yml", True), "-e '@/srv/my vars.yml'", id="a file elsewhere"),
    ],
)
def test_what_can_be_shown_is_an_option_that_says_the_same(extra, options):
    rerun = rerun_of({}, USUAL, [extra], "/home/me")
    assert rerun.options == (options,)
    assert rerun.left_out == ()


@pytest.mark.parametrize(
    ("extra", "name"),
    [
        pytest.param({"ansible_password": "x"}, "ansible_password", id="another variable"),
        pytest.param({"keepalive": "x"}, "keepalive", id="one whose name only begins like ours"),
        pytest.param({"keepalive_vault_password": "x"}, "keepalive_vault_password", id="a secret by its name"),
        pytest.param({"keepalive_api_TOKEN": "x"}, "keepalive_api_TOKEN", id="in capitals"),
        pytest.param({"keepalive_ssh_key": "x"}, "keepalive_ssh_key", id="a key"),
        pytest.param({"keepalive_keys": ["x"]}, "keepalive_keys", id="keys"),
        pytest.param(
            {"keepalive_sysctls": {"net.ipv4.tcp_fastopen_key": "x"}}, "keepalive_sysctls", id="a secret in a mapping"
        ),
        pytest.param({"keepalive_x": [{"y": {"passwd": "x"}}]}, "keepalive_x", id="a secret deep in it"),
        pytest.param(
            {"keepalive_sysctls": "{'net.ipv4.tcp_fastopen_key': 'x'}"}, "keepalive_sysctls", id="in text of a mapping"
        ),
        pytest.param({"keepalive_sysctls": "api_token=x"}, "keepalive_sysctls", id="in text like name=value"),
        pytest.param({"keepalive_x": datetime.date(2026, 1, 1)}, "keepalive_x", id="a date, which JSON has not"),
        pytest.param({"keepalive_x": math.inf}, "keepalive_x", id="no number"),
        pytest.param({"keepalive_x": CIRCLE}, "keepalive_x", id="a list in itself"),
        pytest.param({7: "x"}, "7", id="a name that is no text"),
        pytest.param(File("/dev/fd/63", False), "@/dev/fd/63", id="a file that cannot be read again"),
    ],
)
def test_what_cannot_be_shown_is_named_and_its_value_is_not(extra, name):
    rerun = rerun_of({}, USUAL, [extra], "/home/me")
    assert rerun.options == ()
    assert rerun.left_out == (name,)


@pytest.mark.parametrize("word", ["pass", "pwd", "secret", "token", "credential", "vault", "key", "keys"])
def test_each_word_of_a_secret_in_a_name_hides_the_value(word):
    for name in (f"keepalive_{word}", f"keepalive_my_{word}", f"keepalive_{word}_of_x", f"keepalive_{word.upper()}"):
        assert rerun_of({}, USUAL, [{name: "x"}], "/").options == ()


def test_what_is_left_out_takes_nothing_else_with_it():
    extra = {"env": "prod", "keepalive_middleboxes": ["aws_nlb"], "keepalive_token": "x", "keepalive_margin": "9"}
    rerun = rerun_of({}, USUAL, [extra], "/home/me")
    assert rerun.options == ('-e \'{"keepalive_middleboxes": ["aws_nlb"], "keepalive_margin": "9"}\'',)
    assert rerun.left_out == ("env", "keepalive_token")


def test_the_order_of_several_stays_for_the_later_one_wins():
    several = [{"keepalive_margin": "1", "a": "1"}, File("/v.yml", True), {"keepalive_margin": "2", "b": "1", "a": "2"}]
    rerun = rerun_of({"subset": "x"}, USUAL, several, "/home/me")
    assert rerun.options == ("--limit x", "-e keepalive_margin=1", "-e @/v.yml", "-e keepalive_margin=2")
    assert rerun.left_out == ("a", "b")


@pytest.mark.parametrize(
    "value",
    ["keys(nodes)", "nodes[?verdict=='unsafe'].name", {"name": "keystone", "seconds": 9}, "/srv/monkeys:9"],
    ids=str,
)
def test_a_value_in_which_nothing_is_named_like_a_secret_is_shown(value):
    assert rerun_of({}, USUAL, [{"keepalive_x": value}], "/").left_out == ()


@pytest.mark.parametrize("name", ["ssh_common_args", "ssh_extra_args", "sftp_extra_args", "scp_extra_args"])
def test_a_password_among_the_arguments_of_ssh_is_not_shown(name):
    rerun = rerun_of({name: "-o ProxyCommand='sshpass -p hunter2 ssh -W %h:%p bastion'"}, USUAL, [], "/")
    assert rerun == Rerun((), (f"--{name.replace('_', '-')}",))


@pytest.mark.parametrize("playbook", ["apply", "restore", "audit", "verify"])
def test_no_playbook_is_to_be_run_again_without_root(playbook):
    rerun = rerun_of({}, USUAL, [{"keepalive_become": "false", "keepalive_margin": "9"}], "/", without_root=True)
    assert rerun.command(playbook, "--check") == [
        "ansible-playbook",
        f"kubenode.connections.{playbook}",
        "-e keepalive_margin=9",
        "-e keepalive_become=true",
        "--check",
    ]
