"""Going over to another base model while the service runs: it is fetched and built beside, and the user is told.

A child process makes it. Once it is whole it is the profile's choice, and the process of the service begins anew with
it, as after an update: requests wait at its socket meanwhile, and the page stays open.
"""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass, replace
from typing import Final

from idiolect.daemon.runtime.base_maker import BaseOrder
from idiolect.daemon.runtime.child_processes import ChildProcesses, ChildWork
from idiolect.daemon.runtime.process import BaseBeingMadeError
from idiolect.daemon.settings import Settings
from idiolect.models.base_choice import (
    Choice,
    TermsNotAcceptedError,
    UnknownBaseError,
    accept_terms,
    base_folder,
    fetch_terms,
    find_whole_base,
    has_accepted_terms,
    read_choice,
    read_terms,
    write_choice,
)
from idiolect.models.errors import ExitCode, IdiolectError
from idiolect.models.known_bases import KnownBase, bases_by_name, missing_bytes

log = logging.getLogger("idiolect.base")


class BaseNotMadeError(IdiolectError, code="base-not-made", exit_code=ExitCode.BASE, http_status=500):
    """A base model was not fetched or built, for a reason that the process doing it did not tell."""


_MAKING: Final = ChildWork(
    "the making of a base model", "idiolect.daemon.runtime.base_maker", BaseNotMadeError
)


@dataclass(frozen=True)
class BaseTerms:
    """What there is to know of a base model before it is used.

    `fetch_mb` are left to fetch; `terms` is the text of its terms, and `address` where their owner keeps them; both are
    None where its licence says all. `accepted`: whether nobody has to agree any more.
    """

    base: str
    title: str
    fetch_mb: int
    licence: str
    accepted: bool
    terms: str | None
    address: str | None


@dataclass(frozen=True)
class BaseProgress:
    """How far the way to another base model has come.

    `phase` is "fetch", "build", or "change" where the service is about to begin anew; `done` is the share of it, 0 to
    1. `error` is the sentence by which it ended, None while it goes on.
    """

    base: str
    title: str
    phase: str = "fetch"
    done: float = 0.0
    error: str | None = None


class BaseChange:
    """The way from one base model to another. Calls may come from any thread.

    Attributes:
        progress: how far it has come; None where nobody has asked for another base model.
        former: what served before, once the profile has another choice: the service is to begin anew.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._children = ChildProcesses()
        self._asked = threading.Lock()
        self.progress: BaseProgress | None = None
        self.former: Choice | None = None

    def terms(self, name: str) -> BaseTerms:
        """Return what there is to know of a base model; its terms are fetched where they are not here.

        Raises UnknownBaseError, and what fetching raises.
        """
        known, folder = _known(name), self._settings.base_dir
        document = fetch_terms(folder, known)
        return BaseTerms(
            base=known.name,
            title=known.title,
            fetch_mb=round(missing_bytes(base_folder(folder, name), known) / 1e6),
            licence=known.licence,
            accepted=has_accepted_terms(folder, known),
            terms=None if document is None else read_terms(document),
            address=None if known.terms is None else known.terms.address,
        )

    def begin(self, name: str, languages: tuple[str, ...], *, accepted: bool) -> bool:
        """Begin to fetch and build a base model, for the user's `languages`, and to go over to it.

        Returns False where it serves already. Raises UnknownBaseError, TermsNotAcceptedError, BaseBeingMadeError, and
        what fetching raises.
        """
        known, folder = _known(name), self._settings.base_dir
        if read_choice(folder).name == name:
            return False
        if not has_accepted_terms(folder, known):
            if not accepted:
                raise TermsNotAcceptedError(
                    f"{known.title} comes under the {known.licence}. Read them with POST /v1/bases/terms, and if you "
                    "accept them, say so with `accept_terms`. Nothing was changed."
                )
            fetch_terms(folder, known)  # whoever accepts them has them
            accept_terms(folder, known)
        with self._asked:
            if self.progress is not None and self.progress.error is None:
                raise BaseBeingMadeError(
                    f"{self.progress.title} is on its way already. Wait until it serves, then ask again."
                )
            self.progress = begun = BaseProgress(name, known.title)
        order = BaseOrder(str(self._settings.home), name, known.sha256, languages)
        threading.Thread(target=self._go_over, args=(order, begun), name="base", daemon=True).start()
        return True

    def refuse(self, choice: Choice, why: str) -> None:
        """Tell that a base model could not serve, so that the one before serves again."""
        known = choice.known
        self.progress = BaseProgress(choice.name, known.title if known else choice.name, "change", 1.0, why)

    def close(self) -> None:
        """End the making of a base model, if one is being made; what was fetched of it stays."""
        self._children.stop()

    def _go_over(self, order: BaseOrder, progress: BaseProgress) -> None:
        folder, choice = self._settings.base_dir, Choice(order.name, order.sha256)
        try:
            if find_whole_base(folder, choice) is None:
                with self._children.claim(_MAKING):
                    for event in self._children.follow(_MAKING, order, (), 0):
                        if event["event"] == "progress":
                            progress = replace(progress, phase=event["phase"], done=event["done"])
                            self.progress = progress
            former = read_choice(folder)
            write_choice(folder, choice)
        except (IdiolectError, OSError) as error:
            why = say_why(error)
            log.error("%s does not serve: %s", order.name, why)
            self.progress = replace(progress, error=why)
        else:
            self.progress = replace(progress, phase="change", done=1.0)
            self.former = former


def say_why(error: IdiolectError | OSError) -> str:
    """Return the sentence that tells a user why a base model does not serve."""
    return str(error) if isinstance(error, IdiolectError) else f"{error.strerror}. Try again."


def _known(name: str) -> KnownBase:
    if (known := bases_by_name().get(name)) is None:
        raise UnknownBaseError(
            f"There is no such base model. These are known by name: {', '.join(bases_by_name())}."
        )
    return known
