"""What travels between a pool and its workers, pickled piece by piece: errors can say which."""

import pickle
import traceback
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from ..application.pool_ports import Call, NotSendable, PoolError

# Whatever is caught broadly here comes from the app's own classes, whose pickling may run any code.


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
    function = _dumped(call.function, f"the function {name} cannot be sent to a worker")
    data = (tuple(call.args), dict(call.kwds))
    return Parcel(
        name,
        function,
        _dumped(data, f"the arguments of {name} cannot be sent to a worker"),
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
    """Pack what a function raised; what cannot be raised at the caller's is told instead.

    That is what is no Exception (it would end the caller's event loop), StopIteration (no future
    takes it) and what cannot be pickled.
    """
    trace = "".join(traceback.format_exception(error))
    what = traceback.format_exception_only(error)[-1].strip()  # `str` of it may fail
    if not isinstance(error, Exception) or isinstance(error, StopIteration):
        return Outcome(pickle.dumps(PoolError(f"{name} ended with {what}")), trace)
    try:
        content = _dumped(error, f"the error of {name} ({what}) cannot be sent back")
        _loaded(content, f"the error of {name} ({what}) cannot be sent back")
    except NotSendable as instead:
        content = pickle.dumps(instead)
    return Outcome(content, trace)


def opened(name: str, outcome: Outcome) -> object:
    """Return what a function returned (raises what it raised, NotSendable)."""
    content = _loaded(outcome.content, f"the result of {name} cannot be read")
    if not outcome.trace:
        return content
    assert isinstance(content, Exception)
    content.add_note(f"In the worker:\n{outcome.trace}")
    raise content


def named(function: object) -> str:
    """Return a function's name for people."""
    kind = function if hasattr(function, "__qualname__") else type(function)
    return f"{kind.__module__}.{kind.__qualname__}"


def _dumped(value: object, complaint: str) -> bytes:
    try:
        return pickle.dumps(value)
    except Exception as error:
        raise NotSendable(f"{complaint}: {type(error).__name__}: {error}") from None


def _loaded(content: bytes, complaint: str) -> Any:
    try:
        return pickle.loads(content)  # noqa: S301  # from a process of our own
    except Exception as error:
        raise NotSendable(f"{complaint}: {type(error).__name__}: {error}") from None
