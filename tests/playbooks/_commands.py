# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The commands that the documentation tells a person to run."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import NamedTuple

import yaml

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("README*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("roles/*/README.md")])

_BLOCK = re.compile(r"^( *)```(\w+)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
_PROMPT = re.compile(r"^[$#] ")
_OPERATORS = {"|", "||", "&&", ";", "&"}
_REDIRECTS = {"<", ">", ">>"}


class Command(NamedTuple):
    """A command line as a page has it, and its programs with their arguments."""

    page: str
    line: str
    programs: list[list[str]]


def blocks(page: Path, *languages: str) -> list[str]:
    """The blocks of code of a page in one of these languages."""
    found = _BLOCK.findall(page.read_text(encoding="utf-8"))
    return [re.sub(rf"^{indent}", "", text, flags=re.MULTILINE) for indent, name, text in found if name in languages]


def commands(*pages: Path) -> list[Command]:
    """Each command line of these pages, or of the documentation, once, with the first page that has it."""
    first: dict[str, str] = {}
    for page in pages or PAGES:
        typed = [line for block in blocks(page, "console") for line in _typed(block) if _PROMPT.match(line)]
        typed += [f"$ {line}" for block in blocks(page, "shell", "bash", "sh") for line in _typed(block)]
        for line in typed:
            first.setdefault(" ".join(_words(line[2:])), str(page.relative_to(ROOT)))
    return [Command(page, line, _programs(line)) for line, page in first.items() if line]


def plays(page: Path) -> list[str]:
    """The playbooks that a page shows whole."""
    return [block for block in blocks(page, "yaml") if _is_play(_loaded(block))]


def variables(page: Path) -> list[dict[str, object]]:
    """The role's variables that a page shows, a mapping for each block."""
    found = [_loaded(block) for block in blocks(page, "yaml")]
    return [each for each in found if isinstance(each, dict) and all(name.startswith("keepalive_") for name in each)]


def _loaded(block: str) -> object:
    return yaml.safe_load(block)


def _is_play(value: object) -> bool:
    first = value[0] if isinstance(value, list) and value else None
    return isinstance(first, dict) and bool({"hosts", "ansible.builtin.import_playbook"} & set(first))


def _typed(block: str) -> list[str]:
    return [line for line in re.sub(r"\\\n *", "", block).splitlines() if line.strip()]


def _words(line: str) -> list[str]:
    """The words of a line without its comment, each as it was written."""
    lexer = shlex.shlex(line, posix=False, punctuation_chars=False)
    lexer.whitespace_split = True
    return list(lexer)


def _programs(line: str) -> list[list[str]]:
    lexer = shlex.shlex(line, posix=True, punctuation_chars="|&;<>")
    lexer.whitespace_split = True
    found: list[list[str]] = [[]]
    skip = False
    for word in lexer:
        if word in _OPERATORS:
            found.append([])
        elif word in _REDIRECTS:
            skip = True
        elif skip:
            skip = False
        else:
            found[-1].append(word)
    return found
