"""The page as users start it, in a process of its own: where it is, and what it takes of the machine."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from roleplay.errors import Unavailable


@dataclass(frozen=True, slots=True)
class PageServer:
    address: str
    process: int  # its number

    def memory(self) -> float:
        """Megabytes that it holds now."""
        status = Path(f"/proc/{self.process}/status")
        if not status.exists():  # not Linux: ask ps, which gives kilobytes
            return int(self._shown("rss=")) / 1024
        return int(re.search(r"VmRSS:\s+(\d+)", status.read_text())[1]) / 1024  # type: ignore[index]

    def worked(self) -> float:
        """Seconds of processor time that it has had; unlike its answers, they hardly hang on other work."""
        status = Path(f"/proc/{self.process}/stat")
        if not status.exists():  # not Linux: ask ps, which gives [hours:]minutes:seconds
            parts = reversed(self._shown("time=").strip().split(":"))
            return sum(float(part) * 60**place for place, part in enumerate(parts))
        return sum(map(int, status.read_text().rpartition(")")[2].split()[11:13])) / os.sysconf("SC_CLK_TCK")

    def _shown(self, what: str) -> str:
        return subprocess.check_output(["ps", "-o", what, "-p", str(self.process)], text=True)


@contextmanager
def page_server(folder: Path) -> Iterator[PageServer]:
    """The page as users start it, with this folder of data, until it is no longer needed."""
    program = "from roleplay.cli import app; app()"
    command = [sys.executable, "-c", program, "serve", "--port", "0", "--data", str(folder)]
    own = os.environ | {"ROLEPLAY_DATABASE": f"sqlite:///{folder}/records.db"}
    with tempfile.TemporaryFile("w+") as log:
        server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True, env=own)
        assert server.stdout is not None
        try:
            found = next((found for line in server.stdout if (found := re.search(r"http://\S+", line))), None)
            if found is None:
                log.seek(0)
                raise Unavailable("the page", log.read()[-500:].strip(), "Try `roleplay serve`")
            yield PageServer(found[0], server.pid)
        finally:
            server.send_signal(signal.SIGINT)
            server.wait(30)
            server.stdout.close()
