"""A dialog that asks before it acts."""

from collections.abc import Awaitable, Callable
from typing import Any

import panel as pn

from ..library import pmui
from .facts import Facts

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
        self._minutes = pmui.FloatInput(
            label=minutes or "", start=0, end=100_000, sizing_mode="stretch_width", value=None
        )
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
        self._text.param.update(value="", value_input="")
        self._minutes.value = None
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
        self._confirm.disabled = self._required and not self._entered

    @property
    def _entered(self) -> str | None:
        return (self._text.value_input or self._text.value or "").strip() or None

    async def _confirmed(self, _: Any) -> None:
        self._confirm.disabled = True  # a second click must not order again
        minutes = self._minutes.value
        try:
            if self._act:
                await self._act(self._entered, None if minutes is None else minutes * 60)
        finally:
            self.close()
