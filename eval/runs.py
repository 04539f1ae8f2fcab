"""A run of a suite: a folder with its specification, one result a case, and a summary; carried on where it stopped.

    specification.json   what the results hang on
    results.jsonl        one line a case, each on disk before the next case is begun
    times.jsonl          seconds a case and a turn; the other three files of two equal runs are equal byte for byte
    summary.json         the figures, and the cases that failed with their reasons

This is the only place that writes results.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from eval.specification import describe, differences, flat, sha256
from eval.suites import Live, Result, Suite
from eval.workers import outcomes
from roleplay.errors import Fault, FileFault, Rejected

RUNS = Path("runs")
DECIMALS = 6  # of numbers in results: what lies beyond differs between machines
DECIDES = ("suite", "data", "subject", "code", "libraries")  # parts that have to be equal for a run to go on
SHOWN = 12  # differences that a refusal names


@dataclass(frozen=True)
class Run:
    """A run as its folder holds it."""

    folder: Path
    specification: dict[str, Any]
    results: tuple[Result, ...]
    figures: dict[str, Any]

    @property
    def times(self) -> list[dict[str, Any]]:
        """Seconds of each case, and of each turn of it where cases are calls; of this run's last measurement."""
        lines = (self.folder / "times.jsonl").read_text("utf-8").splitlines()
        return list({each["case"]: each for each in map(json.loads, lines)}.values())

    @property
    def failed(self) -> tuple[Result, ...]:
        return tuple(result for result in self.results if result.data is None)


def carry_out(
    suite: Suite, folder: Path | None, workers: int = 1, retry: bool = False, wanted: Sequence[str] = ()
) -> Run:
    """Measure every case that has no result yet. Without a folder the specification names one below `runs`.

    `retry` measures those again that failed; `wanted` are the dotted names of figures that will be asked for.
    Raises Rejected, before anything is measured, for a name that no figure of these cases has, and when the folder
    holds a run with another specification or is being written by another process; and whatever `suite.open` raises.
    """
    with suite.open() as live:
        _refuse_unknown(wanted, list(flat(live.figures)))
        ids = [case.id for case in live.cases]
        if doubled := sorted({name for name in ids if ids.count(name) > 1}) if len(set(ids)) < len(ids) else []:
            raise Rejected(f"two cases have one name: {', '.join(doubled[:5])}; make the ids in the files different")
        specification = describe(suite.name, live)
        folder = folder or RUNS / f"{suite.name}-{_short(specification)}"
        with _begun(folder, specification):
            kept = _kept(folder, retry)
            waiting = [case for case in live.cases if case.id not in kept]
            with _Journal(folder, len(live.cases), len(kept)) as journal:
                for case, data, why, times in outcomes(suite, live, waiting, workers):
                    journal.add(Result(case.id, case.group, _rounded(data), why), times)
            return _finished(suite, folder, specification, live)


def _refuse_unknown(wanted: Sequence[str], known: Sequence[str]) -> None:
    for name in wanted:
        if name not in known:
            near = get_close_matches(name, known, n=4, cutoff=0.4) or known[:4]
            raise Rejected(f"there is no figure {name!r}; is one of these meant: {', '.join(near)}?")


def read_run(folder: Path) -> Run:
    """A run that is complete. Raises FileFault when there is none, or it is broken or not finished."""
    specification = _read(folder / "specification.json")
    if not (folder / "summary.json").exists():
        raise FileFault(
            folder, [Fault("this run is not finished; start it again with the same command to carry it on")]
        )
    results = tuple(_results(folder / "results.jsonl"))
    return Run(folder, specification, results, _read(folder / "summary.json")["figures"])


def _short(specification: dict[str, Any]) -> str:
    return sha256(json.dumps({part: specification[part] for part in DECIDES}, sort_keys=True).encode())[:8]


@contextmanager
def _begun(folder: Path, specification: dict[str, Any]) -> Iterator[None]:
    """The folder, with this specification in it and nobody else writing there."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / ".lock").open("w")
    except OSError as error:
        raise Rejected(f"{folder} cannot be written: {error.strerror}. Name another folder with --out") from error
    with lock:
        if not _locked(lock):
            raise Rejected(f"another process is writing the run in {folder}; wait for it, or name another --out")
        path = folder / "specification.json"
        if not path.exists():
            if others := sorted(each.name for each in folder.iterdir() if each.name != ".lock"):
                raise Rejected(f"{folder} holds no run but other files ({', '.join(others[:3])}); name another --out")
            _write(path, specification)
        elif found := differences(_read(path), specification, DECIDES):
            more = [f"and {len(found) - SHOWN} more"] if len(found) > SHOWN else []
            listed = "\n  ".join([*found[:SHOWN], *more])
            raise Rejected(
                f"{folder} holds a run under other settings (there / now):\n  {listed}\n"
                "Its results and new ones do not belong together; name another --out"
            )
        yield


def _locked(stream: Any) -> bool:
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(stream.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _kept(folder: Path, retry: bool) -> set[str]:
    """Ids of the cases that have a result. Half a line, which a killed process leaves, is cut off."""
    path = folder / "results.jsonl"
    if not path.exists():
        return set()
    content = path.read_bytes()
    if not content.endswith(b"\n"):
        with path.open("r+b") as stream:
            stream.truncate(content.rfind(b"\n") + 1)
    results = list(_results(path))
    if retry and any(result.data is None for result in results):
        results = [result for result in results if result.data is not None]
        _write_lines(path, [asdict(result) for result in results])
    return {result.case for result in results}


class _Journal:
    """Appends results, each on disk before the next, and says how far the run is."""

    def __init__(self, folder: Path, total: int, done: int) -> None:
        self._total, self._done, self._new = total, done, 0
        self._began = self._told = time.monotonic()
        self._results = (folder / "results.jsonl").open("a", encoding="utf-8")
        self._times = (folder / "times.jsonl").open("a", encoding="utf-8")
        if done:
            print(f"{done} of {total} cases are there already", file=sys.stderr)

    def __enter__(self) -> _Journal:
        return self

    def __exit__(self, *_: object) -> None:
        self._results.close()
        self._times.close()

    def add(self, result: Result, times: dict[str, Any]) -> None:
        self._results.write(_line(asdict(result)))
        self._results.flush()
        os.fsync(self._results.fileno())
        self._times.write(_line({"case": result.case, **times}))
        self._times.flush()
        self._new, self._done = self._new + 1, self._done + 1
        now = time.monotonic()
        if result.data is None:
            print(f"{result.case} failed: {result.why}", file=sys.stderr)
        if now - self._told >= (0.5 if sys.stderr.isatty() else 10) or self._done == self._total:
            self._told = now
            left = (now - self._began) / self._new * (self._total - self._done)
            end = "\r" if sys.stderr.isatty() and self._done < self._total else "\n"
            line = f"{self._done}/{self._total} cases, {_clock(now - self._began)} gone, about {_clock(left)} left"
            print(line.ljust(60), end=end, file=sys.stderr, flush=True)


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


def _finished(suite: Suite, folder: Path, specification: dict[str, Any], live: Live) -> Run:
    """All results in the order of the cases, and the summary of them."""
    path = folder / "results.jsonl"
    found = {result.case: result for result in _results(path)}
    results = tuple(found[case.id] for case in live.cases)
    lines = [asdict(result) for result in results]
    if path.read_text("utf-8") != "".join(map(_line, lines)):
        _write_lines(path, lines)
    figures = _rounded(suite.figures([result for result in results if result.data is not None]))
    failures = [{"case": result.case, "why": result.why} for result in results if result.data is None]
    summary = {"suite": suite.name, "cases": len(results), "failed": failures, "figures": figures}
    _write(folder / "summary.json", summary)
    return Run(folder, specification, results, figures)


def _results(path: Path) -> Iterator[Result]:
    try:
        lines = path.read_text("utf-8").removesuffix("\n").split("\n")
    except OSError as error:
        raise FileFault(path, [Fault(f"cannot be read: {error.strerror}")]) from error
    seen: set[str] = set()
    for number, line in enumerate(lines if lines != [""] else [], 1):
        try:
            result = Result(**json.loads(line))
        except (ValueError, TypeError) as error:
            raise FileFault(path, [Fault(f"is no result: {error}", number)]) from error
        if result.case in seen:
            raise FileFault(path, [Fault(f"the case {result.case!r} is there twice", number)])
        seen.add(result.case)
        yield result


def _read(path: Path) -> dict[str, Any]:
    try:
        data: dict[str, Any] = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise FileFault(path.parent, [Fault(f"holds no run: {path.name} cannot be read")]) from error
    except ValueError as error:
        raise FileFault(path, [Fault(f"is not JSON: {error}")]) from error
    return data


def _write(path: Path, data: dict[str, Any]) -> None:
    _replace(path, json.dumps(data, ensure_ascii=False, indent=1) + "\n")


def _write_lines(path: Path, lines: Sequence[dict[str, Any]]) -> None:
    _replace(path, "".join(map(_line, lines)))


def _replace(path: Path, text: str) -> None:
    """Write beside and rename, so that a kill leaves the old file or the new one."""
    beside = path.with_name(path.name + ".new")
    with beside.open("w", encoding="utf-8") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    beside.replace(path)


def _line(data: dict[str, Any]) -> str:
    return json.dumps(data, ensure_ascii=False) + "\n"


def _rounded(data: Any) -> Any:
    if isinstance(data, float):
        return round(data, DECIMALS)
    if isinstance(data, dict):
        return {str(key): _rounded(value) for key, value in data.items()}
    return [_rounded(value) for value in data] if isinstance(data, list | tuple) else data
