"""A dialog that asks before it acts."""

from collections.abc import Awaitable, Callable
from typing import Any

import panel as pn

from ..library import pmui
from .facts import Facts

MOST_MINUTES = 7 * 24 * 60
"""Longest time that can be entered."""

Act = Callable[[str | None, float | None], Awaitable[None]]
Pairs = list[tuple[str, str]]


class Question:
    """Facts, a text, perhaps a number of minutes, Cancel and a button that acts, once.

    `act` is given the text and the seconds, each of them None where nothing was entered.
    """

    def __init__(
        self,
        *,
        text: str,
        longest: int,
        minutes: str | None = None,
        color: str = "error",
        required: bool = False,
    ) -> None:
        self._act: Act | None = None
        self._required = required
        self._facts = Facts(sizing_mode="stretch_width", margin=(0, 10, 14, 10))
        self._text = pmui.TextInput(label=text, max_length=longest, sizing_mode="stretch_width")
        self._text.param.watch(lambda _: self._judge(), "value_input")
        self._minutes = pmui.TextInput(label=minutes or "", sizing_mode="stretch_width")
        self._confirm = pmui.Button(label="", color=color, variant="contained")
        self._confirm.on_click(self._confirmed)
        cancel = pmui.Button(label="Cancel", variant="text", color="default")
        cancel.on_click(lambda _: self.close())
        buttons = pn.Row(
            cancel,
            self._confirm,
            sizing_mode="stretch_width",
            styles={"justify-content": "flex-end"},
        )
        fields = [self._text, self._minutes] if minutes else [self._text]
        self.view = pmui.Dialog(
            self._facts,
            *fields,
            buttons,
            title="",
            title_variant="h5",
            width_option="sm",
            sizing_mode="stretch_width",
        )

    @property
    def asking(self) -> bool:
        """Whether it is open."""
        return bool(self.view.open)

    def ask(self, title: str, confirm: str, facts: Pairs, act: Act) -> None:
        """Open it."""
        self._act = act
        for field in (self._text, self._minutes):
            field.param.update(value="", value_input="", error_state=False)
        self.tell(confirm, facts)
        self._judge()
        self.view.param.update(title=title, open=True)

    def tell(self, confirm: str, facts: Pairs) -> None:
        """Keep what is asked true while it is open."""
        self._confirm.label = confirm
        self._facts.rows = facts

    def close(self) -> None:
        """Ask no more."""
        self.view.open = False

    def _judge(self) -> None:
        self._confirm.disabled = self._required and not entered(self._text)

    async def _confirmed(self, _: Any) -> None:
        try:
            after = seconds(entered(self._minutes))
        except ValueError:
            self._minutes.error_state = True
            return
        self._confirm.disabled = True  # a second click must not order again
        try:
            if self._act:
                await self._act(entered(self._text), after)
        finally:
            self.close()


def entered(field: Any) -> str | None:
    """Return what stands in a field, be it confirmed by Enter or not."""
    return (field.value_input or "").strip() or None


def seconds(minutes: str | None) -> float | None:
    """Return so many minutes in seconds (raises ValueError)."""
    if minutes is None:
        return None
    number = float(minutes.replace(",", "."))
    if not 0 < number <= MOST_MINUTES:
        raise ValueError(f"must be more than 0, and at most {MOST_MINUTES} minutes")
    return number * 60
