"""The languages that the user writes: as they have chosen them, or found in their text; and the making of word lists.

Until their text says enough, the language of the system's locale counts, and English.

A word list of other languages than English is made once, in a process of its own, since that takes seconds and some
hundred megabytes. Until it is there, the list that served goes on serving.
"""

from __future__ import annotations

import logging
import subprocess
import threading
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from idiolect.adapters.memory.found_languages import found_languages, sample
from idiolect.adapters.memory.vocabulary import WORD
from idiolect.adapters.prediction.loaded_model import LoadedModel
from idiolect.daemon.settings import Settings, child_environment, locale_languages
from idiolect.models.build import BasePaths
from idiolect.models.errors import DamagedModelError
from idiolect.models.hardening import module_command
from idiolect.models.languages import has_word_list, word_list_paths
from idiolect.models.lexicon import ENGLISH
from idiolect.models.tokenizer import Tokenizer

log = logging.getLogger("idiolect.languages")

_SAMPLE: Final = 150  # entries of which the language is looked at
_ENOUGH: Final = 200  # words that say which languages somebody writes


class UserLanguages:
    """Decides which languages are in force. Any thread may call its methods, but for `close` one at a time.

    Args:
        settings: the profile's.
        base: the base model, by whose tokens words are filed.
        made: called in a thread of its own once a word list was made that was missing.

    Attributes:
        chosen: the languages that the user has chosen, the most written first; empty: they are found.
        making: the languages of which the word list is being made.
    """

    def __init__(self, settings: Settings, base: BasePaths, made: Callable[[], None]) -> None:
        self.chosen: tuple[str, ...] = settings.languages
        self._base = base
        self._made = made
        self.making: tuple[str, ...] = ()
        self._child: subprocess.Popen[bytes] | None = None
        self._failed = set[tuple[str, ...]]()
        self._closed = False

    def wanted(self, entries: Sequence[NDArray[np.uint32]], tokenizer: Tokenizer) -> tuple[str, ...]:
        """Return the languages that are chosen, or those of a sample of the entries (token ids)."""
        if self.chosen:
            return self.chosen
        texts = [tokenizer.decode(entries[place].tolist()) for place in sample(len(entries), _SAMPLE)]
        found = found_languages(texts)
        if sum(len(WORD.findall(text)) for text in texts) >= _ENOUGH:
            return found
        return tuple(dict.fromkeys((*(found if found != ENGLISH else ()), *locale_languages())))

    def use(self, loaded: LoadedModel, entries: Sequence[NDArray[np.uint32]]) -> None:
        """Build the next user model for the languages of these entries, or those that were chosen."""
        wanted = self.wanted(entries, loaded.tokenizer)
        if not self.ready(wanted):
            return
        try:
            loaded.use_languages(wanted)
        except DamagedModelError:
            if wanted == ENGLISH:
                raise
            word_list_paths(self._base, wanted).lexicon.unlink(missing_ok=True)
            self.ready(wanted)  # the list is made anew; the list that serves goes on until then

    def ready(self, wanted: tuple[str, ...]) -> bool:
        """Return True if the languages have their word list; else it is made in the background."""
        if has_word_list(self._base, wanted):
            return True
        if self._child is None and not self._closed and wanted not in self._failed:
            self._child = child = subprocess.Popen(
                module_command("idiolect.models.languages", str(self._base.folder.parent), *wanted),
                env=child_environment({}),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            self.making = wanted
            threading.Thread(target=self._wait, args=(child, wanted), name="words", daemon=True).start()
            if self._closed:  # meanwhile
                child.terminate()
        return False

    def close(self) -> None:
        """Make nothing any more."""
        self._closed = True
        if (child := self._child) is not None:
            child.terminate()

    def _wait(self, child: subprocess.Popen[bytes], wanted: tuple[str, ...]) -> None:
        status = child.wait()
        if status != 0:
            self._failed.add(wanted)
        self.making = ()  # first: whoever sees no child may begin with the next list
        self._child = None
        if self._closed:
            return
        if status == 0:
            self._made()
        else:
            log.warning("the words of %s could not be made: status %s", ", ".join(wanted), status)
