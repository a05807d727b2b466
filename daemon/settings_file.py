"""Reading settings from `config.toml` and the environment, and messages on what is wrong there."""

from __future__ import annotations

import difflib
import os
import re
import tomllib
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, get_args

import pydantic

from idiolect.daemon.profile_paths import ENV_PREFIX, HomeError, config_path, default_home
from idiolect.models.errors import ExitCode, IdiolectError
from idiolect.models.regular_files import read_small

#: What were settings, by the switch that they are.
_SWITCHES: Final = {"show": "show", "autocorrect": "corrections"}


class SettingsError(IdiolectError, code="bad-setting", exit_code=ExitCode.BAD_INPUT, http_status=500):
    """A setting is unknown or has a value that is not allowed."""


def _place_in_file(path: Path, key: str) -> str:
    """The file, and the line on which a setting stands there."""
    with suppress(OSError, UnicodeDecodeError):
        for number, line in enumerate(read_small(path).decode().splitlines(), 1):
            if re.match(rf"""\s*(\[\s*)?["']?{re.escape(key)}["']?\s*[].=]""", line):
                return f"{path}, line {number}"
    return str(path)


def read_config(path: Path) -> dict[str, Any]:
    """The keys of config.toml; none where there is no such file. Raises SettingsError.

    A link to a regular file is followed: it lies in the user's own profile, and who keeps settings in a repository
    of their own links them from there.
    """
    try:
        values = tomllib.loads(read_small(path).decode())
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        if not os.access(path.parent, os.X_OK):
            raise HomeError(
                f"The profile's folder {path.parent} cannot be entered: {error.strerror}. "
                f"Make it yours, or name another folder in {ENV_PREFIX}HOME."
            ) from None
        raise SettingsError(
            f"{path} cannot be read: {error.strerror}. Make it a readable file or move it away."
        ) from None
    except RecursionError:
        raise SettingsError(
            f"{path} is not valid TOML: it is nested too deep. Correct it or move it away."
        ) from None
    except UnicodeDecodeError:
        raise SettingsError(f"{path} is not UTF-8 text. Save it as UTF-8 or move it away.") from None
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{path} is not valid TOML: {error}. Correct it or move it away.") from None
    if "home" in values:
        raise SettingsError(
            f"{path}: 'home' cannot be set here. Set {ENV_PREFIX}HOME in the environment instead."
        )
    return values


def read_environment(cls: type[pydantic.BaseModel]) -> dict[str, str]:
    """The settings of `cls` that the environment gives; an empty variable gives none.

    Raises SettingsError where a variable names a setting that `cls` does not have.
    """
    found = {}
    for name, value in os.environ.items():
        if name.upper().startswith(ENV_PREFIX):
            key = name[len(ENV_PREFIX) :].lower()
            if key not in cls.model_fields:
                raise SettingsError(_unknown(cls, key, f"environment variable {name}"))
            if value:
                found[key] = value
    return found


def did_you_mean(given: object, known: Iterable[str]) -> str:
    """A question that names the known words most like a word, or "" where no known word is like it."""
    near = difflib.get_close_matches(str(given), known)
    return f" Did you mean {' or '.join(map(repr, near))}?" if near else ""


def _unknown(cls: type[pydantic.BaseModel], key: str, where: str) -> str:
    hint = did_you_mean(key, cls.model_fields)
    if key in _SWITCHES:
        hint = f" `idiolect switch {_SWITCHES[key]}` sets it."
    return f"{where}: there is no setting '{key}'.{hint} Remove it. docs/settings.md lists all settings."


def _choices(annotation: Any) -> list[str]:
    """The strings that a setting may have, alone or in a list."""
    parts = get_args(annotation)
    return [one for part in parts for one in ([part] if isinstance(part, str) else _choices(part))]


def explain(cls: type[pydantic.BaseModel], error: pydantic.ValidationError, given: dict[str, Any]) -> str:
    """One sentence about the first thing that is wrong: where, which key, what is allowed."""
    first = error.errors(include_url=False)[0]
    key = str(first["loc"][0]) if first["loc"] else ""
    variable = f"{ENV_PREFIX}{key.upper()}"
    if key in given:
        where = "option"
    elif any(name.upper() == variable for name in os.environ):
        where = f"environment variable {variable}"
    else:
        home = given.get("home") or os.environ.get(f"{ENV_PREFIX}HOME") or default_home()
        where = _place_in_file(config_path(Path(home)), key)
    if first["type"] == "extra_forbidden":
        return _unknown(cls, key, where)
    field = cls.model_fields[key]
    own = first.get("ctx", {}).get(
        "error"
    )  # of a validator here; the library's own sentences are for programmers
    why = f": {own}" if isinstance(own, ValueError) else ""
    hint = (
        did_you_mean(first["input"], _choices(field.annotation)) if first["type"] == "literal_error" else ""
    )
    return f"{where}: '{key}' has a value that is not allowed{why}.{hint} What belongs there: {field.description}."
