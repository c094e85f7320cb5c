# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A part of the report by a JMESPath expression. Private to this collection."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from ansible_collections.kubenode.connections.plugins.plugin_utils._base.checked_values import plain
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.errors import PlanError

try:
    import jmespath
    from jmespath.exceptions import JMESPathError
except ImportError:
    HAS_JMESPATH = False
else:
    HAS_JMESPATH = True

_OPTION = "keepalive_report_query"


def query(document: Mapping[str, Any], expression: str) -> Any:
    """What the expression finds, None if nothing. Raises PlanError if it is no expression, or jmespath is missing.

    It looks at plain data: jmespath takes a message for no text.
    """
    compiled = parse_query(_OPTION, expression)
    with _as_plan_error(_OPTION, expression):
        found = compiled.search(plain(document))
        json.dumps(found)  # an expression of its own (&name) is no value
        return found


def parse_query(what: str, expression: str) -> Any:
    """The expression, compiled. Raises PlanError, which begins with ``what``, as query() does."""
    if not HAS_JMESPATH:
        raise PlanError(
            f"{what}: the Python package jmespath is missing on the machine where the playbook runs. "
            "Install it beside ansible-core: pip install jmespath."
        )
    with _as_plan_error(what, expression):
        return jmespath.compile(expression)


@contextmanager
def _as_plan_error(what: str, expression: str) -> Iterator[None]:
    try:
        yield
    except (JMESPathError, ArithmeticError, RecursionError, TypeError, ValueError) as error:
        text = " ".join(str(error).split())
        raise PlanError(
            f"{what}: {expression!r} is not a JMESPath expression that fits a report: {text}. "
            "An example: \"findings[?severity=='critical'].[scope,observed]\". See https://jmespath.org."
        ) from None


def result_text(result: Any) -> str:
    """What was found as JSON in ASCII, so that nothing in it reaches the terminal as a control character."""
    return json.dumps(result, indent=2)
