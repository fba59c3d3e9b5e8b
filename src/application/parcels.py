"""What travels between the pool and its workers, pickled piece by piece: errors can say which.

Whatever is caught broadly here comes from the app's own classes: their pickling, and even their
words, may run any code, and raise what would end the process's thread that happens to ask.
"""

import pickle
import traceback
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

from .pool_ports import Call, NotSendable, PoolError


class Parcel(NamedTuple):
    """A call on its way to a worker."""

    name: str
    function: bytes
    data: bytes
    stoppable: bool


class Outcome(NamedTuple):
    """What became of a call, on its way back: a value, or an error and where it was raised."""

    content: bytes
    trace: str = ""


def packed(call: Call) -> Parcel:
    """Pack a call (raises NotSendable)."""
    name = named(call.function)
    return Parcel(
        name,
        _dumped(call.function, f"the function {name} cannot be sent to a worker"),
        _dumped(
            (tuple(call.args), dict(call.kwds)),
            f"the arguments of {name} cannot be sent to a worker",
        ),
        call.stoppable,
    )


def unpacked(
    parcel: Parcel,
) -> tuple[Callable[..., Any], Sequence[Any], Mapping[str, Any]]:
    """Return a call's function and its arguments, in the worker (raises NotSendable)."""
    function = _loaded(
        parcel.function, f"the function {parcel.name} cannot be imported in a worker"
    )
    args, kwds = _loaded(parcel.data, f"the arguments of {parcel.name} cannot be read in a worker")
    return function, args, kwds


def returned(name: str, value: object) -> Outcome:
    """Pack what a function returned (raises NotSendable)."""
    return Outcome(_dumped(value, f"the result of {name} cannot be sent back"))


def raised(name: str, error: BaseException) -> Outcome:
    """Pack what a function raised; what cannot be sent, or not be raised there, is told instead."""
    trace = _traced(error)
    complaint = f"the error of {name} ({_told(error)}) cannot be sent back"
    try:
        content = _dumped(_raisable(name, error), complaint)
        _loaded(content, complaint)
    except NotSendable as instead:
        # Made anew: some libraries have errors take along what they were raised from.
        content = pickle.dumps(NotSendable(str(instead)))
    return Outcome(content, trace)


def opened(name: str, outcome: Outcome) -> object:
    """Return what a function returned (raises what it raised, NotSendable)."""
    if not outcome.trace:
        return _loaded(outcome.content, f"the result of {name} cannot be read")
    error = _raisable(name, _loaded(outcome.content, f"the error of {name} cannot be read"))
    with suppress(BaseException):  # its notes may be none
        error.add_note(f"In the worker:\n{outcome.trace}")
    raise error


def named(function: object) -> str:
    """Return a function's name for people."""
    kind = function if hasattr(function, "__qualname__") else type(function)
    return f"{kind.__module__}.{kind.__qualname__}"


def _raisable(name: str, error: object) -> Exception:
    """Return what may be raised at the caller's.

    What is no Exception would end the caller's event loop, and no future takes StopIteration.
    """
    if isinstance(error, Exception) and not isinstance(error, StopIteration):
        return error
    return PoolError(f"{name} ended with {_told(error)}")


def _told(error: object) -> str:
    try:
        words = str(error)
    except BaseException:
        words = "it cannot be told in words"
    return f"{type(error).__name__}: {words}"


def _traced(error: BaseException) -> str:
    try:
        return "".join(traceback.format_exception(error))
    except BaseException:
        return _told(error)


def _dumped(value: object, complaint: str) -> bytes:
    try:
        return pickle.dumps(value)
    except KeyboardInterrupt:  # Ctrl-C, for whoever makes the call
        raise
    except BaseException as error:
        raise NotSendable(f"{complaint}: {_told(error)}") from None


def _loaded(content: bytes, complaint: str) -> Any:
    try:
        return pickle.loads(content)  # noqa: S301  # from a process of our own
    except BaseException as error:
        raise NotSendable(f"{complaint}: {_told(error)}") from None
