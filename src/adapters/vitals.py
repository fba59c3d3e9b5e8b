"""The process as the operating system sees it: memory, CPU time, and the library's version."""

import os
import time
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path

from ..application.clock import Clock
from ..domain.report import Figures

STATM = Path("/proc/self/statm")
"""Sizes in pages, the resident one second (proc(5)); only Linux has it."""

VERSION_LENGTH = 40
"""Longest version that is told, in characters; a build from a working tree may have a longer."""


@dataclass(slots=True)
class ProcessVitals:
    """Readings of this process; the CPU's share is counted from one reading to the next."""

    clock: Clock
    statm: Path = STATM
    _read_at: float = field(init=False)
    _cpu_seconds: float = field(init=False)
    _version: str | None = None

    def __post_init__(self) -> None:
        """Begin to count."""
        self._read_at, self._cpu_seconds = self.clock.monotonic(), time.process_time()

    def read(self) -> Figures:
        """Return memory, CPU and version; each None where it cannot be told."""
        self._version = self._version or _version()
        return Figures(
            rss_bytes=_resident(self.statm), cpu_percent=self._cpu_percent(), version=self._version
        )

    def _cpu_percent(self) -> float | None:
        now, cpu_seconds = self.clock.monotonic(), time.process_time()
        passed, spent = now - self._read_at, cpu_seconds - self._cpu_seconds
        self._read_at, self._cpu_seconds = now, cpu_seconds
        return 100 * spent / passed if passed > 0 else None


def _resident(statm: Path) -> int | None:
    try:
        return int(statm.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return None


def _version() -> str | None:
    try:
        version: str | None = metadata.version("panel-session-monitor")
    except (metadata.PackageNotFoundError, KeyError):  # the latter from importlib_metadata
        return None
    return version[:VERSION_LENGTH] if version else None  # Python 3.11 may return None
