"""The settings: `PSM_…` in the environment, else in a `.env` file, else the default.

The command line offers the same settings as options; an option beats the environment.
"""

import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Self, TypeVar, get_type_hints
from urllib.parse import urlsplit

import msgspec
from dotenv import dotenv_values
from msgspec import Meta, Struct

log = logging.getLogger("panel_session_monitor")

S = TypeVar("S", bound=Struct)

PREFIX = "PSM_"
SCHEMES = {"sqlite://": "sqlite+aiosqlite://"}
"""Short forms of database URLs, and the driver each one means."""


class BadSetting(Exception):
    """A setting has a value that it cannot have: one line for a person to read."""


def _seconds(description: str, least: float = 0.0) -> Any:
    return Meta(ge=least, le=31_536_000.0, description=f"{description}, in seconds")


PoolProcesses = Annotated[
    Annotated[int, Meta(ge=1, le=1024)] | None,
    Meta(description="processes of an app's worker pool; by default as many as there are CPUs"),
]

PoolUrl = Annotated[
    str | None,
    Meta(description="Dask scheduler whose workers are the pool; by default the app has its own"),
]


class ClientSettings(Struct, frozen=True, kw_only=True):
    """What a tracked app needs of all that can be set."""

    server_url: Annotated[str, Meta(description="where apps and operators reach the API")] = (
        "http://localhost:8000"
    )
    token: Annotated[str | None, Meta(description="bearer token for the API")] = None
    token_file: Annotated[str | None, Meta(description="file that holds the token")] = None
    heartbeat_interval: Annotated[float, _seconds("time between heartbeats", 0.1)] = 30.0

    def with_token(self, folder: Path | None) -> Self:
        """Return them with the token of the file, whose path begins in `folder`.

        Raises BadSetting.
        """
        token, path = self.token, self.token_file
        token = _read_secret((folder or Path()) / path) if path and not token else token
        if token and not (token.isascii() and token.isprintable()):
            raise BadSetting("PSM_TOKEN: must consist of printable ASCII characters")
        return msgspec.structs.replace(self, token=token)


class Settings(ClientSettings, frozen=True, kw_only=True):
    """Everything that can be set, with its default."""

    database_url: Annotated[str, Meta(description="SQLAlchemy URL of the database")] = (
        "sqlite+aiosqlite:///panel_session_monitor.sqlite3"
    )
    host: Annotated[str, Meta(description="address the API listens on")] = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65535, description="port the API listens on")] = 8000
    stale_after: Annotated[float, _seconds("silence after which a session is stale", 1.0)] = 120.0
    expire_after: Annotated[float, _seconds("silence after which it is given up", 1.0)] = 600.0
    sweep_interval: Annotated[float, _seconds("time between two sweeps", 0.1)] = 15.0
    history_days: Annotated[
        float, Meta(ge=0, le=36_500, description="how long ended sessions are kept, in days")
    ] = 30.0
    pool_processes: PoolProcesses = None
    pool_url: PoolUrl = None

    @classmethod
    def load(cls, *, folder: Path | None = None, **options: object) -> Self:
        """Return the settings of this process; `options` that are not None beat the rest.

        The `.env` file is looked for in `folder`, by default the working directory.
        Raises BadSetting.
        """
        found = _named(cls.__struct_fields__, {**_file(folder), **os.environ})
        settings = _checked(cls, found | _given(options)).with_token(folder)
        if settings.expire_after < settings.stale_after:
            raise BadSetting(
                f"PSM_EXPIRE_AFTER ({settings.expire_after:g}) must not be less than "
                f"PSM_STALE_AFTER ({settings.stale_after:g})"
            )
        _require_http(settings.server_url)
        _require_scheduler(settings.pool_url)
        return msgspec.structs.replace(settings, database_url=_with_driver(settings.database_url))

    def shown(self) -> dict[str, Any]:
        """Return the settings for people to read: secrets hidden, passwords in URLs too."""
        return {
            **msgspec.structs.asdict(self),
            "token": "********" if self.token else None,
            "database_url": without_password(self.database_url),
            "server_url": without_password(self.server_url),
        }


def load_for_client(folder: Path | None, **options: object) -> ClientSettings:
    """Return a client's settings: those that are bad are left at their defaults, with a warning.

    The address is taken as it is: what is meant for one server must not go to another.
    """
    try:
        file = _file(folder)
    except BadSetting as error:
        log.warning("%s", error)
        file = {}
    found = _named(ClientSettings.__struct_fields__, {**file, **os.environ})
    sound = {}
    for name, value in (found | _given(options)).items():
        try:
            _checked(ClientSettings, {name: value}).with_token(folder)
        except BadSetting as error:
            log.warning("%s; it is left out", error)
        else:
            sound[name] = value
    return _checked(ClientSettings, sound).with_token(folder)


class PoolSettings(Struct, frozen=True, kw_only=True):
    """What can be set of a worker pool."""

    pool_processes: PoolProcesses = None
    pool_url: PoolUrl = None

    @classmethod
    def load(cls) -> Self:
        """Return how the pool is to be, whatever else is set (raises BadSetting)."""
        found = _named(cls.__struct_fields__, {**_file(None), **os.environ})
        settings = _checked(cls, found)
        _require_scheduler(settings.pool_url)
        return settings

    @property
    def processes(self) -> int:
        """How many processes an app's own pool has."""
        return self.pool_processes or os.cpu_count() or 1


def describe(name: str) -> str:
    """Return what a setting means."""
    metadata: tuple[Meta, ...] = get_type_hints(Settings, include_extras=True)[name].__metadata__
    return next(each.description for each in metadata if each.description)


def _file(folder: Path | None) -> dict[str, str | None]:
    try:
        return dotenv_values((folder or Path.cwd()) / ".env")
    except (OSError, UnicodeError) as error:
        raise BadSetting(f"the file .env cannot be read: {error}") from None


def _named(names: tuple[str, ...], found: Mapping[str, str | None]) -> dict[str, object]:
    """Return those settings that are there and not empty, by their names."""
    return {name: text for name in names if (text := found.get(PREFIX + name.upper()))}


def _given(options: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in options.items() if value is not None}


def _checked(kind: type[S], values: Mapping[str, object]) -> S:
    try:
        return msgspec.convert(values, kind, strict=False)
    except msgspec.ValidationError as error:
        complaint, _, path = str(error).partition(" - at `$.")
        name = path.rstrip("`")
        raise BadSetting(f"{PREFIX}{name.upper()}: {complaint}, got {values.get(name)!r}") from None


def _with_driver(url: str) -> str:
    if url.partition("://")[2].partition("?")[0] in ("", "/", "/:memory:"):
        raise BadSetting(f"PSM_DATABASE_URL: must name a file, got {url!r}")
    for short, full in SCHEMES.items():
        if url.startswith(short):
            return full + url.removeprefix(short)
    if not url.startswith(tuple(SCHEMES.values())):
        raise BadSetting(
            f"PSM_DATABASE_URL: must begin with sqlite:///, got {without_password(url)!r}"
        )
    return url


def _require_http(url: str) -> None:
    try:
        parts = urlsplit(url)
        sound = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        sound = False
    if not sound:
        raise BadSetting(
            f"PSM_SERVER_URL: must be an http:// or https:// address, got {without_password(url)!r}"
        )


def _require_scheduler(url: str | None) -> None:
    if url is None:
        return
    try:
        parts = urlsplit(url)
        sound = parts.scheme in ("tcp", "tls") and bool(parts.hostname and parts.port)
        sound = sound and url == f"{parts.scheme}://{parts.netloc}" and parts.username is None
    except ValueError:
        sound = False
    if not sound:
        raise BadSetting(
            "PSM_POOL_URL: must be an address like tcp://scheduler:8786 (or tls://), "
            f"got {without_password(url)!r}"
        )


def without_password(url: str) -> str:
    """Return a URL for people: with its user, and stars for the password."""
    scheme, separator, rest = url.partition("://")
    login, at, place = rest.rpartition("@")
    user, colon, _ = login.partition(":")
    return f"{scheme}{separator}{user}{':********' if colon else ''}{at}{place}"


def _read_secret(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise BadSetting(f"PSM_TOKEN_FILE: {error}") from None
