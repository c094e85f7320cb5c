# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Writes into the Chinese pages which English text they follow.

Run it after an English page has changed and its Chinese one was brought in step: python tests/translations.py. It
writes nothing but the hash of the English text into the first comment "follows" of each page, or of those that are
named: python tests/translations.py docs/zh/pods.md. A test fails where the English text is another one by now.
"""

import hashlib
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
README = "README.zh-CN.md"
FOLDER = "docs/zh"

# Written by programs, which other tests hold to their sources; and the translators' own page.
OTHERS = ("findings.md", "README.md")

FOLLOWS = re.compile(r"<!-- follows (\S+) (\S+) -->")


def pages() -> list[str]:
    """Return the Chinese pages that are written by hand, relative to the root."""
    found = sorted(path.name for path in (ROOT / FOLDER).glob("*.md"))
    return [README, *(f"{FOLDER}/{name}" for name in found if name not in OTHERS)]


def english(page: str) -> str:
    """Return the English page that a Chinese one follows."""
    return "README.md" if page == README else f"docs/{Path(page).name}"


def chinese(page: str) -> str | None:
    """Return the Chinese page of an English one, where there is one; docs/zh/findings.md counts."""
    name = README if page == "README.md" else f"{FOLDER}/{Path(page).name}"
    return name if page != name and english(name) == page and (ROOT / name).exists() else None


def digest(text: str) -> str:
    """Return the first 12 digits of the SHA-256 of a text."""
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def comment(page: str, english_text: str) -> str:
    """Return the comment that a Chinese page carries."""
    return f"<!-- follows {english(page)} {digest(english_text)} -->"


def step(page: str, text: str, english_text: str) -> str | None:
    """Return what to do where a Chinese page does not follow the English text of now, else None."""
    right = comment(page, english_text)
    found = FOLLOWS.search(text)
    write = f"python tests/translations.py {page}"
    if found is None or found[1] != english(page):
        return f"{page} does not say what it follows. Write {right!r} below its header."
    if found[0] == right:
        return None
    since = f"git diff $(git log -1 --format=%h -S{found[2]} -- {page}) -- {english(page)}"
    return f"{english(page)} has changed. See what: {since}; bring it over to {page}; then run: {write}"


def stamped(page: str, text: str, english_text: str) -> str:
    """Return a Chinese page with the hash of the English text in its first comment; raise ValueError without one."""
    result, number = FOLLOWS.subn(lambda _found: comment(page, english_text), text, count=1)
    if not number:
        raise ValueError(step(page, text, english_text))
    return result


def read(page: str) -> str:
    """Return the text of a page."""
    return (ROOT / page).read_text(encoding="utf-8")


def main(names: list[str]) -> int:
    """Write the hash into these pages, or into all; say which had another one."""
    unknown = sorted(set(names) - set(pages()))
    if unknown:
        print(f"No such Chinese page: {', '.join(unknown)}. There are: {', '.join(pages())}.", file=sys.stderr)
        return 1
    for page in names or pages():
        text = read(page)
        new = stamped(page, text, read(english(page)))
        if new != text:
            (ROOT / page).write_text(new, encoding="utf-8")
            print(f"{page} follows the {english(page)} of now.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
