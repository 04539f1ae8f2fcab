"""Measures cases in this process or in several; each process opens the suite for itself.

Cases know nothing of each other and a suite can be sent as it is, so what `outcomes` does with processes
a distributed engine can do with machines.
"""

from __future__ import annotations

import multiprocessing
import multiprocessing.util
import os
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack
from typing import Any

from eval.suites import Case, Live, Suite
from roleplay.errors import Rejected, RoleplayError, Unavailable

Outcome = tuple[Case, dict[str, Any] | None, str, dict[str, Any]]  # case, data or None, why there is none, times


def outcomes(suite: Suite, live: Live, cases: Sequence[Case], workers: int) -> Iterator[Outcome]:
    """Every case with what came of it, as each is done. `live` serves this process, workers open their own."""
    if workers == 1 or len(cases) < 2:
        for case in cases:
            yield (case, *_measured(live, case))
        return
    # set before torch is loaded there; two workers with all cores each would stand in each other's way
    threads = str(max(1, (os.cpu_count() or 1) // workers))
    started = ProcessPoolExecutor(
        min(workers, len(cases)), multiprocessing.get_context("spawn"), _start, (suite, threads)
    )
    try:
        futures = {started.submit(_work, case.id): case for case in cases}
        for future in as_completed(futures):
            yield (futures[future], *future.result())
    except BrokenProcessPool as error:
        why = "it was ended from outside, perhaps for want of memory"
        raise Unavailable("a worker process", why, "Start the run again with fewer --workers; it goes on.") from error
    finally:
        started.shutdown(wait=False, cancel_futures=True)


def _measured(live: Live, case: Case) -> tuple[dict[str, Any] | None, str, dict[str, Any]]:
    """One failing case is a result with a reason: it must not cost the others, whatever it was.

    Times are taken out of the data (`turn_seconds`), so that results of equal runs are equal.
    """
    begun = time.monotonic()
    try:
        data, why = live.measure(case), ""
    except Exception as error:
        data, why = None, f"{type(error).__name__}: {error}"
    times: dict[str, Any] = {"seconds": round(time.monotonic() - begun, 3)}
    if data is not None and "turn_seconds" in data:
        times["turns"] = data.pop("turn_seconds")
    return data, why, times


# What follows runs in a worker.

_here: dict[str, Any] = {}


def _start(suite: Suite, threads: str) -> None:
    os.environ.setdefault("OMP_NUM_THREADS", threads)
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C is for the parent, which ends the workers
    _here["suite"] = suite
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """A killed run must leave no workers behind."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _work(case_id: str) -> tuple[dict[str, Any] | None, str, dict[str, Any]]:
    if "live" not in _here:
        stack = ExitStack()
        try:
            live = stack.enter_context(_here["suite"].open())
        except RoleplayError as error:
            raise Rejected(str(error)) from error  # as an error that can be sent between processes
        multiprocessing.util.Finalize(None, stack.close, exitpriority=10)
        _here["live"], _here["cases"] = live, {case.id: case for case in live.cases}
    return _measured(_here["live"], _here["cases"][case_id])
