"""The options that all suites share, and what happens after a run: reports, bars, exit status.

Exit status: 0 all is well; 1 a bar of --fail-under or --fail-over was missed; 2 wrong usage or a wrong
file, or something cannot be had: nothing was judged; 3 some cases failed, and the figures are of the others.
"""

from __future__ import annotations

import inspect
import json as json_files
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from eval.junit import as_junit
from eval.reports import Page, page_of, render, report_language, terminal_report, write_reports
from eval.runs import Run, carry_out, read_run
from eval.specification import flat
from eval.suites import Suite
from roleplay.dialogue import Language
from roleplay.errors import Rejected, RoleplayError
from roleplay.terminal import tell

MISSED, WRONG, FAILED_CASES = 1, 2, 3


@dataclass(frozen=True, slots=True)
class Bar:
    """What a figure, by its dotted name, has to reach (`least`) or must not pass."""

    figure: str
    least: bool
    value: float

    def __str__(self) -> str:
        return f"{self.figure} {'>=' if self.least else '<='} {self.value:g}"


RunArgument = Annotated[Path, typer.Argument(help="folder of a finished run")]
HtmlOption = Annotated[Path | None, typer.Option(help="write one self-contained HTML file")]
MarkdownOption = Annotated[Path | None, typer.Option(help="write Markdown, for a pull request")]
LanguageOption = Annotated[
    str | None, typer.Option(help="of the report: zh-CN or en; else by the setting `language`, or the terminal's")
]


@contextmanager
def clear_faults() -> Iterator[None]:
    """One message on standard error and exit status 2 for everything that the program raises on purpose."""
    try:
        yield
    except RoleplayError as error:
        tell(f"eval: {error}")
        raise typer.Exit(WRONG) from error
    except KeyboardInterrupt:
        tell("\nstopped; the same command carries the run on")
        raise typer.Exit(130) from None


def suite_command(make: Callable[..., Suite]) -> Callable[..., None]:
    """A command from a function whose parameters are a suite's own options: they get the shared ones added."""
    own, shared = (inspect.signature(each, eval_str=True).parameters for each in (make, _carry_out))

    def main(**options: Any) -> None:
        with clear_faults():
            suite = make(**{name: options.pop(name) for name in own})
            _carry_out(suite, **options)

    parameters = [*own.values(), *(each for name, each in shared.items() if name != "suite")]
    keywords = [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in parameters]
    main.__signature__ = inspect.Signature(keywords)  # type: ignore[attr-defined]
    main.__annotations__ = {each.name: each.annotation for each in keywords}
    main.__doc__ = make.__doc__
    return main


def _carry_out(
    suite: Suite,
    out: Annotated[
        Path | None,
        typer.Option(help="folder of the run; begun there, or carried on. Default: runs/SUITE-HASH OF ITS SETTINGS"),
    ] = None,
    workers: Annotated[int, typer.Option(min=1, max=256, help="processes; results are equal to one process's")] = 1,
    retry: Annotated[bool, typer.Option(help="measure those cases again that failed")] = False,
    fail_under: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=VALUE", help="exit 1 if this figure is lower; may be repeated"),
    ] = None,
    fail_over: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=VALUE", help="exit 1 if this figure is higher; may be repeated"),
    ] = None,
    junit: Annotated[Path | None, typer.Option(help="write JUnit XML, for continuous integration")] = None,
    json: Annotated[Path | None, typer.Option(help="write the figures alone, for other programs")] = None,
) -> None:
    bars = [*_bars(fail_under, True), *_bars(fail_over, False)]
    run = carry_out(suite, out, workers, retry, [bar.figure for bar in bars])
    page = page_of(run, report_language())
    write_reports(run, page)
    typer.echo(terminal_report(page))
    verdicts = judge(run.figures, bars)
    if junit is not None:
        _written(junit, as_junit(run, verdicts))
    if json is not None:
        _written(json, json_files.dumps(_for_programs(run), ensure_ascii=False, indent=1) + "\n")
    tell(f"results and report: {run.folder}")
    for message in filter(None, verdicts.values()):
        tell(f"bar missed: {message}")
    if any(verdicts.values()):
        raise typer.Exit(MISSED)
    if run.failed:
        tell(f"{len(run.failed)} of {len(run.results)} cases failed; the figures are of the others (--retry)")
        raise typer.Exit(FAILED_CASES)


def _bars(given: Sequence[str] | None, least: bool) -> list[Bar]:
    bars: list[Bar] = []
    for text in given or ():
        name, _, value = text.partition("=")
        try:
            bars.append(Bar(name.strip(), least, float(value)))
        except ValueError as error:
            raise Rejected(f"{text!r} is no bar; write NAME=VALUE, such as zh-CN.empathy.qwk=0.6") from error
    return bars


def judge(figures: Mapping[str, Any], bars: Sequence[Bar]) -> dict[str, str]:
    """Each bar as a text, with what was found where it was missed, else an empty text.

    A figure that was not measured misses its bar.
    """
    known, verdicts = flat(figures), {}
    for bar in bars:
        found = known.get(bar.figure)
        if not isinstance(found, int | float):
            verdicts[str(bar)] = f"{bar}: was not measured"
        else:
            kept = found >= bar.value if bar.least else found <= bar.value
            verdicts[str(bar)] = "" if kept else f"{bar}: is {found:g}"
    return verdicts


def _for_programs(run: Run) -> dict[str, Any]:
    """The figures, and where cases are whole calls these too."""
    calls = [result.data for result in run.results if result.data is not None and "turns" in result.data]
    return run.figures | ({"calls": calls} if calls else {})


def _written(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise Rejected(f"{path} cannot be written: {error.strerror}. Name another file") from error


def report(
    run: RunArgument,
    html: HtmlOption = None,
    markdown: MarkdownOption = None,
    language: LanguageOption = None,
) -> None:
    """The report of a finished run: printed, and written where you say.

    Every run has report.html and report.md in its folder already; this makes them anew, for instance with the
    texts of a newer version.
    """
    with clear_faults():
        publish(page_of(read_run(run), as_language(language)), html, markdown)


def as_language(name: str | None) -> Language:
    """A language by its name, or the usual one. Raises Rejected for another name."""
    if name is None:
        return report_language()
    if name not in ("zh-CN", "en"):
        raise Rejected(f"--language: {name!r} will not do; zh-CN or en")
    return name  # type: ignore[return-value]


def publish(page: Page, html: Path | None, markdown: Path | None) -> None:
    """A page on standard output, and as files where they were asked for."""
    typer.echo(terminal_report(page))
    if html is not None:
        _written(html, render(page, "html"))
    if markdown is not None:
        _written(markdown, render(page, "md"))
