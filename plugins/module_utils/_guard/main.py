# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One run of the guard: look at this node, hold it to the last plan, write its metrics. Private to this collection.

A systemd timer starts it. Without a cure it writes the metrics and nothing else.
"""

import sys
import time
from typing import Any, Callable, List, Optional, Sequence

from ansible_collections.kubenode.connections.plugins.module_utils._common import metrics
from ansible_collections.kubenode.connections.plugins.module_utils._common.errors import NodeError
from ansible_collections.kubenode.connections.plugins.module_utils._common.printable import printable
from ansible_collections.kubenode.connections.plugins.module_utils._converge import guard_options
from ansible_collections.kubenode.connections.plugins.module_utils._converge.run import differing
from ansible_collections.kubenode.connections.plugins.module_utils._files import guard_conf, guard_unit
from ansible_collections.kubenode.connections.plugins.module_utils._observe.node import read_node

from . import cure, judge, samples, textfile

_KUBE_PROXY_SECONDS = 1
_MOST_TOLD = 3


def main(conf: guard_conf.Conf, arguments: Sequence[str]) -> int:
    """The exit status: 0 for a run that could read everything, and write. The arguments are those of the service: CURE
    where it is asked for, and the folder for metrics.
    """
    if not arguments:
        _say(f"The folder for metrics is missing. {guard_unit.SERVICE_PATH} starts this with it.")
        return 2
    try:
        run, problems = look(conf, guard_unit.CURE in arguments)
        text = metrics.render(samples.samples(run, conf))
        textfile.write(arguments[-1], guard_unit.METRICS, text)
    except NodeError as error:
        _say(str(error))
        return 1
    _say(line(run, problems))
    return 1 if problems else 0


def _say(text: str) -> None:
    sys.stdout.write(printable(text).replace("\n", " ") + "\n")


class _Problems:
    """What failed of a run; the rest of it goes on."""

    def __init__(self) -> None:
        self.found: List[str] = []

    def without(self, work: Callable[[], Any]) -> Optional[Any]:
        """The result, None where it failed."""
        try:
            return work()
        except NodeError as error:
            self.found.append(str(error))
        except Exception as error:  # the metrics must say that a part is missing
            self.found.append(
                f"{type(error).__name__}: {error}. Please report it as a mistake in kubenode.connections."
            )
        return None


def look(conf: guard_conf.Conf, cures: bool) -> Any:
    """The run, and what could not be read or done in it, in sentences."""
    problems = _Problems()
    cured = problems.without(lambda: cure.give(conf)) if cures else None
    node = problems.without(lambda: read_node(None, _KUBE_PROXY_SECONDS))
    figures = problems.without(lambda: judge.judge(node, conf.plan["watch"])) if node else None
    changes = problems.without(lambda: len(differing(guard_options.planned(conf))))
    found = problems.found + (cured.problems if cured else [])
    found += [f"{each['what']}: {each['why']}. {each['do']}" for each in (node or {}).get("problems", ())]
    run = samples.Run(int(time.time()), len(found), cured.number if cured else 0, node, figures, changes)
    return run, found


def line(run: samples.Run, problems: Sequence[str]) -> str:
    """The run in one line, for the journal."""
    figures = run.figures
    if figures is None:
        said = "the node could not be read"
    else:
        lowest = "no idle limit" if figures.lowest is None else f"idle limit {figures.lowest} s"
        said = f"{figures.verdict}: {lowest}, keepalive {figures.keepalive or 'unknown'}"
        if figures.spaces is not None:
            services, outside, _kept = judge.totals(figures.spaces)
            pods = sum(space.at_risk and space.kind == "pod" for space in figures.spaces)
            said += f", {pods} pods and {services.at_risk + outside.at_risk} connections at risk"
    if run.changes:
        said += f", {run.changes} values differ from the plan"
    if run.cured:
        said += f", {run.cured} given the planned keepalive"
    more = [f"{len(problems) - _MOST_TOLD} more"] if len(problems) > _MOST_TOLD else []
    return "; ".join([said, *problems[:_MOST_TOLD], *more])
