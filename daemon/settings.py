"""Every setting and every path of a profile, in one place; the only reader of the environment."""

from __future__ import annotations

import difflib
import fnmatch
import os
import re
import stat
import sys
import tomllib
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

import platformdirs
import pydantic
import pydantic_settings
from pydantic import Field, field_validator
from pydantic_settings import NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from idiolect.daemon.secret_apps import NEVER_HEARD
from idiolect.models.errors import IdiolectError

_PREFIX = "IDIOLECT_"

#: Globs of files and folders that are never read, whatever `exclude` adds. A pattern without a slash is
#: meant for each part of a path below the folder that was asked for.
NEVER_READ: tuple[str, ...] = (
    ".*",
    "node_modules",
    "__pycache__",
    "site-packages",
    "venv",
    "*.egg-info",
    "*.key",
    "*.pem",
    "*.p12",
    "*.pfx",
    "*.kdbx",
    "*.gpg",
    "*.asc",
    "id_rsa*",
    "id_dsa*",
    "id_ecdsa*",
    "id_ed25519*",
    "*credentials*",
    "*password*",
    "*.env",
)

#: Globs (any letter case) of terminals: what is typed there is mostly commands and, now and then, a password, so
#: it is not learned unless the user allows it. Suggestions are given.
TERMINALS: tuple[str, ...] = (
    "*terminal*",
    "*terminator*",
    "*terminology*",
    "*konsole*",
    "*xterm*",
    "*rxvt*",
    "*kitty*",
    "*alacritty*",
    "*wezterm*",
    "*iterm*",
    "*ghostty*",
    "*tilix*",
    "*guake*",
    "*yakuake*",
    "*ptyxis*",
    "*powershell*",
    "*putty*",
    "*tmux*",
    "org.gnome.console",
    "kgx",
    "foot",
    "footclient",
    "st",
    "st-256color",
    "hyper",
    "co.zeit.hyper",
    "cmd.exe",
)


#: Names in the profile's folder that are the program's, with what SQLite and drafts add to them.
_OWN: tuple[str, ...] = (
    "store.db*",
    "store.json*",
    "store.key*",
    "locked*",
    "config.toml",
    "eval.html",
    "base",
    "run",
    "log",
)


class SettingsError(IdiolectError):
    """A setting is unknown or has a value that is not allowed."""

    code: ClassVar[str] = "bad-setting"
    exit_code: ClassVar[int] = 30
    http_status: ClassVar[int] = 500


class HomeError(IdiolectError):
    """The profile's folder cannot be made, entered or written."""

    code: ClassVar[str] = "home-not-writable"
    exit_code: ClassVar[int] = 31
    http_status: ClassVar[int] = 500


def _globs(value: object, always: tuple[str, ...]) -> object:
    """`always` and then the user's own patterns, each once; from the environment: separated by commas."""
    if isinstance(value, str):
        value = [part.strip() for part in value.split(",") if part.strip()]
    if isinstance(value, list | tuple) and all(isinstance(part, str) for part in value):
        return tuple(dict.fromkeys((*always, *value)))
    return value


def default_home() -> Path:
    """Where the profile is unless `IDIOLECT_HOME` says otherwise."""
    return Path(platformdirs.user_data_dir("idiolect", appauthor=False))


class Settings(pydantic_settings.BaseSettings):
    """The settings of one profile; frozen.

    A value comes from the constructor, else from the environment (`IDIOLECT_` and the name), else from
    `config.toml` in the profile's folder, else from the default here. Each field's description says what
    it sets and which values are allowed. Raises SettingsError, naming the key, for an unknown key or a
    value that is not allowed.
    """

    model_config = SettingsConfigDict(
        env_prefix=_PREFIX,
        env_ignore_empty=True,
        extra="forbid",
        frozen=True,
        validate_default=True,
    )

    home: Path = Field(
        default_factory=default_home,
        description="the profile's folder, which holds everything; not allowed in config.toml",
    )
    host: Literal["127.0.0.1", "::1", "localhost"] = Field(
        "127.0.0.1", description='the loopback address to listen on: "127.0.0.1", "::1" or "localhost"'
    )
    port: int = Field(
        0,
        ge=0,
        le=65535,
        description="TCP port, 1 to 65535; 0 takes the last one used, else any that is free",
    )
    unix_socket: bool = Field(False, description="true or false: listen on run/idiolect.sock instead of TCP")
    threads: int = Field(
        min(2, os.cpu_count() or 1), ge=1, le=64, description="threads for suggestions, 1 to 64"
    )
    context_tokens: int = Field(
        384, ge=16, le=8192, description="tokens before the cursor that a suggestion looks at, 16 to 8192"
    )
    recent_tokens: int = Field(
        160, ge=0, le=2048, description="tokens of the latest entries that come before the prefix, 0 to 2048"
    )
    rare_min_count: int = Field(
        3,
        ge=1,
        le=1000,
        description="how often a number, code or address must have been typed before it is offered, 1 to 1000",
    )
    rest_after_s: float = Field(
        900.0,
        ge=0,
        le=10**9,
        description="seconds without a request after which the service rests until the next one; 0 is never",
    )
    min_tokens: int = Field(
        2000, ge=1, le=10**9, description="least text for a training round, in tokens, 1 or more"
    )
    budget_s: float = Field(
        240.0, gt=0, le=86400, description="longest training round, in seconds, up to 86400"
    )
    rank: int = Field(16, ge=1, le=256, description="rank of the adapter, 1 to 256")
    alpha: float = Field(64.0, gt=0, le=4096, description="scale of the adapter, above 0 and up to 4096")
    epochs: float = Field(
        1.0, gt=0, le=100, description="passes over the text in a round, above 0 and up to 100"
    )
    learning_rate: float = Field(7e-4, gt=0, le=1, description="peak learning rate, above 0 and up to 1")
    products: Literal["fastest", "bfloat16", "float32"] = Field(
        "fastest",
        description='type of matrix products in training: "bfloat16", "float32", or "fastest", as timed at each round',
    )
    general_tolerance: float = Field(
        0.02, ge=0, le=10, description="allowed rise of perplexity on general text: 0.02 is 2 %; 0 to 10"
    )
    keep_adapters: int = Field(
        4,
        ge=0,
        le=1000,
        description="superseded adapters whose weights are kept, and as many refused ones, the newest; 0 to 1000",
    )
    auto_train: bool = Field(True, description="true or false: start training rounds without being asked")
    train_every_tokens: int = Field(
        5000, ge=1, le=10**9, description="new tokens after which a round is due, 1 or more"
    )
    longest_backoff: int = Field(
        8,
        ge=1,
        le=1024,
        description="how many times as many new tokens are waited for, at most, while rounds are refused, 1 to 1024",
    )
    daily_budget_s: float = Field(
        3600.0, gt=0, le=86400, description="computing time of rounds a day, in seconds, up to 86400"
    )
    hours: str = Field(
        "00:00-24:00",
        description='when rounds may start by themselves, local time, such as "22:00-07:30": HH:MM-HH:MM',
    )
    quiet_s: float = Field(
        120.0,
        ge=0,
        le=86400,
        description="seconds without input before a round starts by itself, 0 to 86400",
    )
    rest_s: float = Field(
        10.0,
        ge=0,
        le=3600,
        description="seconds without input or load before a round that waited goes on, 0 to 3600",
    )
    max_load: float = Field(
        0.3,
        ge=0,
        le=1,
        description="share of the processors' time that other programs may use beside a round, 0 to 1",
    )
    checkpoint_s: float = Field(
        90.0,
        ge=0,
        le=86400,
        description="computing time between two checkpoints of a round, in seconds, 0 to 86400",
    )
    on_battery: bool = Field(False, description="true or false: rounds start by themselves on battery, too")
    max_temperature_c: float = Field(
        80.0, gt=0, le=150, description="hottest processor beside which rounds run, in °C, up to 150"
    )
    min_free_mb: int = Field(
        2000, ge=0, le=10**7, description="memory that must be free for a round to start, in MB, 0 or more"
    )
    exclude: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="globs of paths never to read, besides the built-in ones: a list of strings"
    )
    exclude_apps: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="globs of applications never to listen to, besides the built-in ones: a list of strings",
    )
    quiet_apps: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="globs of applications where it suggests but learns nothing, besides terminals: a list of "
        "strings",
    )
    allow_apps: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="globs of applications to learn from although they are terminals: a list of strings"
    )
    keyring: bool = Field(
        True, description="true or false: keep the store's key in the system's keyring where there is one"
    )
    keep_days: int = Field(
        0, ge=0, le=36500, description="days after it was taken that text is let go; 0 keeps it"
    )
    keep_mb: float = Field(
        0.0, ge=0, le=10**6, description="megabytes of text to keep, the oldest is let go; 0 keeps all"
    )
    base: Path | None = Field(
        None, description="path of another Llama-architecture GGUF to use as the base model"
    )

    def __init__(self, **values: Any) -> None:
        """Read all sources; `values` are settings that win over them. Raises SettingsError."""
        _refuse_unknown_environment(type(self))
        try:
            super().__init__(**values)
        except pydantic.ValidationError as error:
            raise SettingsError(_explain(type(self), error, values)) from None

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[pydantic_settings.BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 (the base class fixes the names)
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Order the sources: constructor, environment, then the file in whichever folder those two name."""
        given = init_settings().get("home") or os.environ.get(f"{_PREFIX}HOME")
        path = _config_path(_absolute(Path(given)) if given else default_home())
        return (
            init_settings,
            env_settings,
            pydantic_settings.InitSettingsSource(settings_cls, init_kwargs=_read_config(path)),
        )

    @field_validator("home", "base")
    @classmethod
    def _full_path(cls, value: Path | None) -> Path | None:
        return value if value is None else _absolute(value)

    @field_validator("exclude", mode="before")
    @classmethod
    def _with_never_read(cls, value: object) -> object:
        return _globs(value, NEVER_READ)

    @field_validator("quiet_apps", "allow_apps", mode="before")
    @classmethod
    def _from_commas(cls, value: object) -> object:
        return _globs(value, ())

    @field_validator("exclude_apps", mode="before")
    @classmethod
    def _with_never_heard(cls, value: object) -> object:
        return _globs(value, NEVER_HEARD)

    @field_validator("hours")
    @classmethod
    def _a_span(cls, value: str) -> str:
        span_of(value)
        return value

    @property
    def config_path(self) -> Path:
        """The settings file."""
        return _config_path(self.home)

    @property
    def store_path(self) -> Path:
        """The encrypted store."""
        return self.home / "store.db"

    @property
    def marker_path(self) -> Path:
        """That there is a store, for when there is none."""
        return self.home / "store.json"

    @property
    def former_store_path(self) -> Path:
        """The store that a restored backup replaced, until the user lets go of it."""
        return self.home / "store.db.before-restore"

    @property
    def key_path(self) -> Path:
        """The store's key, where no keyring holds it."""
        return self.home / "store.key"

    @property
    def next_key_path(self) -> Path:
        """While the key is changed: the new one, or that it is in the keyring."""
        return self.home / "store.key.next"

    @property
    def locked_path(self) -> Path:
        """There while the profile is locked; with a passphrase, it holds the key, encrypted with that."""
        return self.home / "locked"

    @property
    def base_dir(self) -> Path:
        """The base model: what was fetched and what was built from it."""
        return self.home / "base"

    @property
    def run_dir(self) -> Path:
        """What exists for the running service only."""
        return self.home / "run"

    @property
    def lock_path(self) -> Path:
        """Locked by the one service that runs this profile."""
        return self.run_dir / "lock"

    @property
    def socket_path(self) -> Path:
        """The Unix socket, where `unix_socket` is set."""
        return self.run_dir / "idiolect.sock"

    @property
    def token_path(self) -> Path:
        """The bearer token that a client shows."""
        return self.run_dir / "token"

    def scoped_token_path(self, scope: str) -> Path:
        """The bearer token for a smaller scope."""
        return self.run_dir / f"token-{scope}"

    @property
    def log_path(self) -> Path:
        """The service's log."""
        return self.home / "log" / "idiolect.log"

    @property
    def eval_page_path(self) -> Path:
        """The page of the last evaluation: figures, no text."""
        return self.home / "eval.html"

    def owns(self, path: Path) -> bool:
        """Whether the program made what is at `path` in the profile's folder, a draft of it included."""
        return any(fnmatch.fnmatchcase(path.name.removeprefix("."), pattern) for pattern in _OWN)

    def prepare(self) -> Self:
        """Create the profile's folders, for the user alone (0700), and return self.

        An existing folder of the profile is closed to others too, unless it holds files of somebody
        else's (a shared folder such as `/tmp` is left as it is). Raises HomeError.
        """
        try:
            self.home.mkdir(mode=0o700, parents=True, exist_ok=True)
            if all(map(self.owns, self.home.iterdir())):
                _close_to_others(self.home)
            for folder in (self.base_dir, self.run_dir, self.log_path.parent):
                folder.mkdir(mode=0o700, exist_ok=True)
                _close_to_others(folder)
        except OSError as error:
            raise HomeError(
                f"The profile's folder {self.home} cannot be used: {error.strerror}. "
                f"Make it writable, or name another folder in {_PREFIX}HOME."
            ) from None
        self.require_writable()
        return self

    def require_writable(self) -> None:
        """Raise HomeError where the profile's folder cannot be written, as on a disk that is read-only."""
        if not os.access(self.home, os.W_OK | os.X_OK):
            raise HomeError(
                f"The profile's folder {self.home} is not writable. "
                f"Make it writable, or name another folder in {_PREFIX}HOME."
            )


def span_of(span: str) -> tuple[int, int]:
    """Minutes since midnight, from and to, of "HH:MM-HH:MM"; the end may be on the next day. Raises ValueError."""
    match = re.fullmatch(r"(\d\d?):(\d\d)-(\d\d?):(\d\d)", span)
    if match is None:
        raise ValueError("it is not of the form HH:MM-HH:MM")
    from_h, from_m, to_h, to_m = map(int, match.groups())
    begin, end = 60 * from_h + from_m, 60 * to_h + to_m
    if begin == end or max(begin, end) > 1440 or max(from_m, to_m) > 59:
        raise ValueError("it is no span of a day")
    return begin, end


def _config_path(home: Path) -> Path:
    return home / "config.toml"


def real_path(path: Path) -> Path:
    """The full path without symbolic links, as far as it is there; it never fails.

    Of links that lead in a circle one is left in it: whoever opens that is told by the system, with an `OSError`.
    `Path.resolve` raises a `RuntimeError` there.
    """
    return Path(os.path.realpath(path))


def _absolute(path: Path) -> Path:
    try:
        return real_path(path.expanduser())
    except RuntimeError:  # "~name" of a user who does not exist
        return real_path(path)


def _close_to_others(folder: Path) -> None:
    if sys.platform != "win32" and stat.S_IMODE(folder.stat().st_mode) & 0o077:
        folder.chmod(0o700)


def _read_config(path: Path) -> dict[str, Any]:
    """The keys of config.toml; none where there is no such file. Raises SettingsError."""
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        if not os.access(path.parent, os.X_OK):
            raise HomeError(
                f"The profile's folder {path.parent} cannot be entered: {error.strerror}. "
                f"Make it yours, or name another folder in {_PREFIX}HOME."
            ) from None
        raise SettingsError(
            f"{path} cannot be read: {error.strerror}. Make it readable or move it away."
        ) from None
    except UnicodeDecodeError:
        raise SettingsError(f"{path} is not UTF-8 text. Save it as UTF-8 or move it away.") from None
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{path} is not valid TOML: {error}. Correct it or move it away.") from None
    if "home" in values:
        raise SettingsError(
            f"{path}: 'home' cannot be set here. Set {_PREFIX}HOME in the environment instead."
        )
    return values


def _refuse_unknown_environment(cls: type[Settings]) -> None:
    for name in os.environ:
        if name.upper().startswith(_PREFIX):
            key = name[len(_PREFIX) :].lower()
            if key not in cls.model_fields:
                raise SettingsError(_unknown(cls, key, f"environment variable {name}"))


def _unknown(cls: type[Settings], key: str, where: str) -> str:
    near = difflib.get_close_matches(key, cls.model_fields, n=1)
    hint = f" Did you mean '{near[0]}'?" if near else ""
    return f"{where}: there is no setting '{key}'.{hint} The settings are: {', '.join(cls.model_fields)}."


def _explain(cls: type[Settings], error: pydantic.ValidationError, given: dict[str, Any]) -> str:
    """One sentence about the first thing that is wrong: where, which key, what is allowed."""
    first = error.errors(include_url=False, include_input=False)[0]
    key = str(first["loc"][0]) if first["loc"] else ""
    variable = f"{_PREFIX}{key.upper()}"
    if key in given:
        where = "option"
    elif any(name.upper() == variable for name in os.environ):
        where = f"environment variable {variable}"
    else:
        home = given.get("home") or os.environ.get(f"{_PREFIX}HOME") or default_home()
        where = str(_config_path(Path(home)))
    if first["type"] == "extra_forbidden":
        return _unknown(cls, key, where)
    wrong = first["msg"][0].lower() + first["msg"][1:]
    return (
        f"{where}: '{key}' has a value that is not allowed ({wrong}). "
        f"What belongs there: {cls.model_fields[key].description}."
    )


def manager_socket() -> str | None:
    """Where the systemd that started this process waits to hear that it is ready, if one does."""
    return os.environ.get("NOTIFY_SOCKET")


def child_environment(more: dict[str, str]) -> dict[str, str]:
    """The environment of a child process: this one's and `more`."""
    return {**os.environ, **more}
