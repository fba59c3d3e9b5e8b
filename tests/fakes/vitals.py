"""Vitals that stay as they are."""

from panel_session_monitor.domain.report import Figures


class FixedVitals:
    """Tells always the same figures."""

    figures = Figures(rss_bytes=1 << 26, cpu_percent=12.5, version="1.2.3")

    def read(self) -> Figures:
        """Return the figures."""
        return self.figures
