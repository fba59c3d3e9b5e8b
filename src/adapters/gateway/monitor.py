"""The server as a tracked app sees it: one blocking call, made by the link's thread alone."""

from dataclasses import dataclass, field

import httpx
import msgspec

from ...application.ports import MonitorUnavailable
from ...domain.report import Reply, Report
from ..wire.reports import HeartbeatsBody, HeartbeatsReply
from .http import NONSENSE, TIMEOUT, headers, shown

LARGEST_REPLY = 8 << 20
"""Most bytes read of a reply: a server that never stops talking must not fill the app's memory."""

LONGEST_RETRY_AFTER = 300.0
"""Longest pause that a server may ask for, in seconds."""

BUSY = {httpx.codes.TOO_MANY_REQUESTS, httpx.codes.SERVICE_UNAVAILABLE}


@dataclass(slots=True)
class HttpMonitor:
    """Reports over HTTP. The connection is opened with the first report and kept."""

    server_url: str
    token: str | None = None
    _client: httpx.Client | None = field(default=None, repr=False)

    def report(self, report: Report) -> Reply:
        """Deliver a report and return what came back (raises MonitorUnavailable)."""
        body = msgspec.json.encode(HeartbeatsBody.of(report))
        try:
            with self._connected().stream("POST", "/heartbeats", content=body) as response:
                content = _read(response)
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            raise MonitorUnavailable(
                f"{shown(self.server_url)}: {error or type(error).__name__}"
            ) from None
        if response.status_code != httpx.codes.OK:
            raise self._refused(response)
        try:
            return msgspec.json.decode(content, type=HeartbeatsReply).reply()
        except NONSENSE:
            raise MonitorUnavailable(
                f"{shown(self.server_url)} answers, but is no monitor"
            ) from None

    def _connected(self) -> httpx.Client:
        if self._client is None:
            self._client = httpx.Client(
                base_url=self.server_url, headers=headers(self.token), timeout=TIMEOUT
            )
        return self._client

    def _refused(self, response: httpx.Response) -> MonitorUnavailable:
        pause = _seconds(response.headers.get("retry-after", ""))
        return MonitorUnavailable(
            f"{shown(self.server_url)} answers {response.status_code}",
            pause if response.status_code in BUSY else None,
        )


def _read(response: httpx.Response) -> bytes:
    content = bytearray()
    for part in response.iter_bytes():
        content += part
        if len(content) > LARGEST_REPLY:
            raise httpx.DecodingError("the reply is too large")
    return bytes(content)


def _seconds(retry_after: str) -> float | None:
    """Read the header's form in seconds; the one with a date is for caches and browsers."""
    return min(float(retry_after), LONGEST_RETRY_AFTER) if retry_after.isdecimal() else None
