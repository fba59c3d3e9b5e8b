"""A call on its way to the cluster, and back."""

from dataclasses import dataclass

from ...application import parcels
from ...application.awaited import Awaited


@dataclass(slots=True, eq=False, kw_only=True)
class Job(Awaited):
    """A call and who waits for it."""

    def end(self, outcome: parcels.Outcome) -> None:
        """Hand over what became of it."""
        try:
            value = parcels.opened(parcels.named(self.call.function), outcome)
        except Exception as error:  # what the app's function raised
            self.fail(error)
        else:
            self.succeed(value)
