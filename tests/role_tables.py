# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Writes the tables of entry points and variables in roles/*/README.md from meta/argument_specs.yml.

Run it after a change of an argument spec: python tests/role_tables.py. A test fails where a table is not up to date.
"""

import re
from pathlib import Path
from typing import Any

import yaml

ROLES = Path(__file__).resolve().parent.parent / "roles"
BEGIN = "<!-- Written by tests/role_tables.py from meta/argument_specs.yml: begin -->"
END = "<!-- end -->"

_CODE_MARKUP = re.compile(r"\b[VOCEMP]\(((?:[^()\\]|\\.|\([^()]*\))*)\)")


def plain(text: str | list[str]) -> str:
    """Return a description in Ansible's markup as Markdown for a table cell: one line, code in backticks."""
    line = " ".join(text if isinstance(text, list) else [text])
    return _CODE_MARKUP.sub(r"`\1`", line).replace("|", "\\|")


def read_yaml(path: Path) -> Any:
    """Return the content of a YAML file."""
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def _type(option: dict[str, Any]) -> str:
    name = str(option.get("type", "str"))
    if "choices" in option:
        return f"{name}: " + ", ".join(f"`{choice}`" for choice in option["choices"])
    return f"{name} of {option['elements']}" if "elements" in option else name


def _default(option: dict[str, Any]) -> str:
    if option.get("required"):
        return "required"
    return f"`{option['default']}`" if "default" in option else ""


def _entry_point_rows(specs: dict[str, Any], variables: dict[str, Any]) -> list[str]:
    rows = []
    for name, spec in specs.items():
        rows.append(f"| `{name}` | {plain(spec['short_description'])} | {_takes(spec.get('options', {}), variables)} |")
    return rows


def _takes(own: dict[str, Any], variables: dict[str, Any]) -> str:
    """Return which of the role's variables an entry point takes, in the shorter way to say it."""
    others = [name for name in variables if name not in own]
    if len(others) < len(own):
        return " ".join(["all but" if others else "all", ", ".join(f"`{name}`" for name in others)]).strip()
    return ", ".join(f"`{name}`" for name in own) or "none"


def tables(specs: dict[str, Any]) -> str:
    """Return the Markdown for the argument specs of one role: its entry points, then its variables."""
    variables = {name: option for spec in specs.values() for name, option in spec.get("options", {}).items()}
    return "\n".join(
        [
            "| Entry point | What it does | Variables |",
            "|---|---|---|",
            *_entry_point_rows(specs, variables),
            "",
            "| Variable | Type | Default | Meaning |",
            "|---|---|---|---|",
            *(
                f"| `{name}` | {_type(option)} | {_default(option)} | {plain(option['description'])} |"
                for name, option in variables.items()
            ),
        ]
    )


def with_tables(readme: str, specs: dict[str, Any]) -> str:
    """Return the text of a role's README with its tables brought up to date; raises ValueError without the markers."""
    before, begin, rest = readme.partition(BEGIN)
    end, after = rest.partition(END)[1:]
    if not (begin and end):
        raise ValueError(f"A line {BEGIN!r} and a line {END!r} must show where the tables belong.")
    return f"{before}{BEGIN}\n\n{tables(specs)}\n\n{END}{after}"


def main() -> None:
    """Bring the README of every role up to date."""
    for spec in sorted(ROLES.glob("*/meta/argument_specs.yml")):
        readme = spec.parent.parent / "README.md"
        text = with_tables(readme.read_text(encoding="utf-8"), read_yaml(spec)["argument_specs"])
        readme.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
