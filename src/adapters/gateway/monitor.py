"""The server as a tracked app sees it: blocking calls, each made by one thread of the link."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime

import httpx
import msgspec

from ...application.app_ports import MonitorUnavailable, MonitorUnreachable
from ...domain.ids import KillId, ProcessId
from ...domain.report import Instruction, Reply, Report
from ..wire.reports import HeartbeatsBody, HeartbeatsReply
from . import orders
from .http import NONSENSE, TIMEOUT, headers, shown

LARGEST_REPLY = 8 << 20
"""Most bytes read of a reply: a server that never stops talking must not fill the app's memory."""

LONGEST_RETRY_AFTER = 300.0
"""Longest pause that a server may ask for, in seconds."""

BUSY = {httpx.codes.TOO_MANY_REQUESTS, httpx.codes.SERVICE_UNAVAILABLE}


@dataclass(slots=True)
class HttpMonitor:
    """Reports and orders over HTTP. Connections are opened with their first use and kept.

    `silence` is how long an order stream may be silent, in seconds.
    """

    server_url: str
    token: str | None = None
    silence: float = orders.SILENCE
    _client: httpx.Client | None = field(default=None, repr=False)
    _stream: httpx.Response | None = field(default=None, repr=False)

    def report(self, report: Report) -> Reply:
        """Deliver a report and return what came back (raises MonitorUnavailable)."""
        body = msgspec.json.encode(HeartbeatsBody.of(report))
        with self._understood():
            with self._connected().stream("POST", "/heartbeats", content=body) as response:
                content = _read(response)
            self._require_ok(response)
            return msgspec.json.decode(content, type=HeartbeatsReply).reply()

    def orders(
        self, process_id: ProcessId, after: KillId | None = None
    ) -> Iterator[Instruction | None]:
        """Yield None once the stream stands, then orders (raises MonitorUnavailable)."""
        resume = {"Last-Event-ID": str(after)} if after else {}
        with (
            self._understood(),
            self._connected().stream(
                "GET",
                f"/processes/{process_id}/orders",
                headers=orders.HEADERS | resume,
            ) as response,
        ):
            self._require_ok(response)
            response.request.extensions["timeout"]["read"] = self.silence  # from here on
            if not orders.is_stream(response):
                raise httpx.DecodingError("what answers to a request for orders is no stream")
            self._stream = response
            try:
                yield None
                yield from orders.read_orders(response)
            finally:
                self._stream = None

    def hang_up(self) -> None:
        """End the orders that another thread waits for."""
        if stream := self._stream:
            orders.hang_up(stream)

    def _connected(self) -> httpx.Client:
        if self._client is None:
            self._client = httpx.Client(
                base_url=self.server_url, headers=headers(self.token), timeout=TIMEOUT
            )
        return self._client

    @contextmanager
    def _understood(self) -> Iterator[None]:
        """Make of every failure a MonitorUnavailable, told in a line."""
        try:
            yield
        except httpx.ReadTimeout:
            raise MonitorUnavailable(f"{shown(self.server_url)} has gone silent") from None
        except (httpx.TransportError, OSError) as error:
            raise MonitorUnreachable(self._told(error)) from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise MonitorUnavailable(self._told(error)) from None
        except NONSENSE:
            raise MonitorUnavailable(
                f"{shown(self.server_url)} answers, but is no monitor"
            ) from None

    def _told(self, error: Exception) -> str:
        return f"{shown(self.server_url)}: {error or type(error).__name__}"

    def _require_ok(self, response: httpx.Response) -> None:
        if response.status_code == httpx.codes.OK:
            return
        raise MonitorUnavailable(
            f"{shown(self.server_url)} answers {response.status_code}",
            _pause(response.headers) if response.status_code in BUSY else None,
        )


def _read(response: httpx.Response) -> bytes:
    content = bytearray()
    for part in response.iter_bytes():
        content += part
        if len(content) > LARGEST_REPLY:
            raise httpx.DecodingError("the reply is too large")
    return bytes(content)


def _pause(headers: httpx.Headers) -> float | None:
    """Return for how many seconds the server asks not to be asked, if it does.

    A date (RFC 9110, section 10.2.3) is taken by the server's own clock.
    """
    asked = headers.get("retry-after", "")
    try:
        seconds = float(asked) if asked.isdecimal() else _moment(asked) - _moment(headers["date"])
    except (KeyError, ValueError):
        return None
    return min(seconds, LONGEST_RETRY_AFTER) if seconds >= 0 else None


def _moment(date: str) -> float:
    return parsedate_to_datetime(date).timestamp()
