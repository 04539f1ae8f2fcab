"""A run as JUnit XML, so that a continuous integration shows every bar and every case that failed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING
from xml.etree import ElementTree as xml

if TYPE_CHECKING:
    from eval.runs import Run

# What XML 1.0 cannot hold, not even escaped.
UNWRITABLE = re.compile(r"[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def as_junit(run: Run, verdicts: Mapping[str, str]) -> str:
    """A test case for each bar, failed where `verdicts` has a message, and one for each case, in error where it failed."""
    name = run.specification["suite"]
    suite = xml.Element("testsuite", name=f"eval {name}", tests=str(len(verdicts) + len(run.results)))
    suite.set("failures", str(sum(map(bool, verdicts.values()))))
    suite.set("errors", str(len(run.failed)))
    for bar, message in verdicts.items():
        case = xml.SubElement(suite, "testcase", classname=f"eval.{name}.bars", name=_clean(bar))
        if message:
            xml.SubElement(case, "failure", message=_clean(message))
    for result in run.results:
        case = xml.SubElement(suite, "testcase", classname=f"eval.{name}.cases", name=_clean(result.case))
        if result.data is None:
            xml.SubElement(case, "error", message=_clean(result.why))
    return xml.tostring(suite, encoding="unicode", xml_declaration=True) + "\n"


def _clean(text: str) -> str:
    return UNWRITABLE.sub("\ufffd", text)
