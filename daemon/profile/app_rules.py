"""The rules for applications that the user gives: kept in the store, the newest last."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias, get_args

from idiolect.daemon.profile.decisions import Decision
from idiolect.daemon.text.secret_apps import holds_secrets
from idiolect.models.errors import ExitCode, IdiolectError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from idiolect.daemon.profile.profile import Profile
    from idiolect.daemon.storage.store import Store

#: What is done in an application: all; suggestions but no learning; nothing.
AppRule: TypeAlias = Literal["allow", "quiet", "exclude"]
#: Whether what the user answers is seen in an application.
ContextRule: TypeAlias = Literal["on", "off"]

_RULES: Final = "app_rules"  # state: [pattern, rule, or whether what is answered is seen], the newest last
_SEEN: Final = get_args(ContextRule)


class ProtectedAppError(IdiolectError, code="protected-app", exit_code=ExitCode.CONFLICT, http_status=409):
    """A password manager, or another program for secrets, is never listened to, whatever is asked for."""


class NoSuchAppRuleError(
    IdiolectError, code="no-such-app-rule", exit_code=ExitCode.BAD_INPUT, http_status=404
):
    """The user has given no rule for this pattern of applications."""


def is_of_context(rule: str) -> bool:
    """Whether a rule says whether what is answered is seen."""
    return rule in _SEEN


def read_app_rules(store: Store) -> list[list[str]]:
    """The rules that the user gave, each with its pattern first, the newest last."""
    given: list[list[str]] = store.state.get(_RULES, [])
    return given


def put_app_rules(store: Store, rules: Sequence[Sequence[str]]) -> None:
    """Replace the rules that the user gave, within a decision."""
    store.state.set(_RULES, [[*rule] for rule in rules])


@dataclass(frozen=True)
class SetAppRule(Decision[None], about="apps"):
    """From now on do this, or see what is answered or not, in the applications that match the pattern `app`.

    Raises ProtectedAppError where that would listen to a password manager.
    """

    app: str
    rule: AppRule | ContextRule

    def apply(self, profile: Profile) -> None:
        """Put the rule behind the others, in the place of an earlier one about the same."""
        if self.rule not in ("exclude", "off") and holds_secrets(self.app):
            raise ProtectedAppError(
                "Password managers, and other programs that hold secrets or ask for them, are never listened to. "
                "Name another application; `idiolect apps` lists the rules."
            )
        kept = (
            old
            for old in read_app_rules(profile.store)
            if old[0].casefold() != self.app.casefold() or is_of_context(old[1]) != is_of_context(self.rule)
        )
        put_app_rules(profile.store, [*kept, [self.app, self.rule]])


@dataclass(frozen=True)
class RemoveAppRules(Decision[None], about="apps"):
    """The rules that the user gave for the pattern `app` hold no more. Raises NoSuchAppRuleError."""

    app: str

    def apply(self, profile: Profile) -> None:
        """Keep the others."""
        given = read_app_rules(profile.store)
        kept = [old for old in given if old[0].casefold() != self.app.casefold()]
        if len(kept) == len(given):
            raise NoSuchAppRuleError(
                "You have given no rule for this pattern. `idiolect apps` lists yours; those of the settings file "
                "are changed there, and built-in ones stay."
            )
        put_app_rules(profile.store, kept)
