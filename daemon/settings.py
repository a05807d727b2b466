"""Every setting of a profile: its name, its default, and what it may be.

A new setting is a field of :class:`Settings`; the documents list it by themselves. The file and the environment are
read in `settings_file.py`; where things are in a profile's folder, `profile_paths.py` says.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any, Literal, Self, get_args

import pydantic
from pydantic import BaseModel, ConfigDict, Field, field_validator

from idiolect.adapters.mending.keyboards import Layout
from idiolect.daemon.profile_paths import ENV_PREFIX, ProfilePaths, absolute_path, config_path, default_home
from idiolect.daemon.settings_file import (
    SettingsError,
    explain,
    read_config,
    read_environment,
)
from idiolect.daemon.text.secret_apps import NEVER_HEARD

#: The longest training round, in seconds.
ROUND_S = 240.0

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


def _globs(value: object, always: tuple[str, ...]) -> object:
    """`always` and then the user's own patterns, each once; from the environment: separated by commas."""
    if isinstance(value, str):
        value = [part.strip() for part in value.split(",") if part.strip()]
    if isinstance(value, list | tuple) and all(isinstance(part, str) for part in value):
        return tuple(dict.fromkeys((*always, *value)))
    return value


Language = Literal["en", "de", "fr", "es", "it", "pt", "nl"]


class Settings(ProfilePaths, BaseModel):
    """The settings of one profile; frozen.

    A value comes from the constructor, else from the environment (`IDIOLECT_` and the name), else from
    `config.toml` in the profile's folder, else from the default here. Each field's description says what
    it sets and which values are allowed. Raises SettingsError, naming the key, for an unknown key or a
    value that is not allowed.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)

    home: Path = Field(
        default_factory=default_home,
        description="the profile's folder, which holds everything; not allowed in config.toml",
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
    see_context: bool = Field(
        True,
        description="true or false: suggestions heed what you answer, where a program sends it: it is kept nowhere",
    )
    languages: tuple[Language, ...] = Field(
        (),
        description="the languages that you write, the most written first: a list of "
        '"en", "de", "fr", "es", "it", "pt", "nl"; an empty one finds them in your text',
    )
    keyboard: Layout | None = Field(
        None,
        description="the layout of your keyboard, which says what is mistyped for what: "
        '"qwerty", "qwertz", "azerty", "qwerty-es", "dvorak" or "colemak"; the default is the usual one for your first '
        "language",
    )
    rest_after_s: float = Field(
        900.0,
        ge=0,
        le=10**9,
        description="seconds without a request after which the service rests until the next one; 0 is never",
    )
    auto_train: bool = Field(True, description="true or false: start training rounds without being asked")
    daily_budget_s: float = Field(
        3600.0, gt=0, le=86400, description="computing time of rounds a day, in seconds, up to 86400"
    )
    hours: str = Field(
        "00:00-24:00",
        description='when rounds may start by themselves, local time, such as "22:00-07:30": HH:MM-HH:MM',
    )
    exclude: tuple[str, ...] = Field(
        (), description="globs of paths never to read, besides the built-in ones: a list of strings"
    )
    exclude_apps: tuple[str, ...] = Field(
        (),
        description="globs of applications in which it is off, besides the built-in ones: a list of strings",
    )
    quiet_apps: tuple[str, ...] = Field(
        (),
        description="globs of applications in which it suggests only, besides terminals: a list of strings",
    )
    allow_apps: tuple[str, ...] = Field(
        (),
        description="globs of terminals in which it suggests and learns all the same: a list of strings",
    )
    keyboard_terminals: bool = Field(
        False, description="true or false: the keyboard suggests in terminals, where passwords are typed, too"
    )
    keyboard_unknown: Literal["allow", "quiet", "exclude"] = Field(
        "quiet",
        description="what the keyboard does in programs whose name it is not told: it suggests and learns "
        '("allow"), suggests only ("quiet") or is off ("exclude")',
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

    def __init__(self, **values: Any) -> None:
        """Read all sources; `values` are settings that win over them. Raises SettingsError."""
        given = read_environment(type(self)) | values
        path = config_path(absolute_path(Path(given["home"])) if given.get("home") else default_home())
        try:
            super().__init__(**(read_config(path) | given))
        except pydantic.ValidationError as error:
            raise SettingsError(explain(type(self), error, values)) from None

    @classmethod
    def tolerant(cls) -> tuple[Self, SettingsError | None]:
        """The settings and None; where a source has a fault, the defaults for the same profile, and the fault.

        This is for what must work whatever the settings say: it stops the service, asks it, or takes text away.
        """
        try:
            return cls(), None
        except SettingsError as error:
            named = (
                value for name, value in os.environ.items() if name.upper() == f"{ENV_PREFIX}HOME" and value
            )
            defaults = cls.__new__(cls)
            BaseModel.__init__(defaults, home=next(named, default_home()))
            return defaults, error

    @field_validator("home")
    @classmethod
    def _full_path(cls, value: Path) -> Path:
        return absolute_path(value)

    @field_validator("exclude", mode="before")
    @classmethod
    def _with_never_read(cls, value: object) -> object:
        return _globs(value, NEVER_READ)

    @field_validator("quiet_apps", "allow_apps", "languages", mode="before")
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


def manager_socket() -> str | None:
    """Where the systemd that started this process waits to hear that it is ready, if one does."""
    return os.environ.get("NOTIFY_SOCKET")


def desktop_name() -> str:
    """What the desktop of this session calls itself, such as "GNOME"; "" where it does not say."""
    return os.environ.get("XDG_CURRENT_DESKTOP", "")


def input_modules() -> dict[str, str]:
    """By toolkit's variable: the input method that programs of this session are told to use."""
    names = ("GTK_IM_MODULE", "QT_IM_MODULE", "QT_IM_MODULES", "XMODIFIERS")
    return {name: os.environ[name] for name in names if name in os.environ}


def locale_languages() -> tuple[Language, ...]:
    """The languages of somebody of whom nothing is known yet: that of the system's locale, and English."""
    names = (os.environ.get(variable) for variable in ("LC_ALL", "LC_MESSAGES", "LANG"))
    found = re.split("[_.@-]", next(filter(None, names), ""))[0]
    return (*(language for language in get_args(Language) if language == found != "en"), "en")


def child_environment(more: dict[str, str]) -> dict[str, str]:
    """The environment of a child process: this one's and `more`."""
    return {**os.environ, **more}
