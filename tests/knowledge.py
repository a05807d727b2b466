"""What is known of a user of the tiny base model, and how far it is trusted."""

import numpy as np

from idiolect.adapters.memory.corpus import RecentText
from idiolect.adapters.memory.ngram_memory import FastMemory, Prediction
from idiolect.adapters.memory.rare_strings import RareStrings
from idiolect.adapters.memory.vocabulary import WordVocabulary
from idiolect.adapters.prediction.mixture import Mixture
from idiolect.adapters.prediction.user_model import UserModel
from idiolect.models.lexicon import Lexicon
from idiolect.models.tokenizer import Tokenizer


def know(
    lexicon: Lexicon, tokenizer: Tokenizer, texts: tuple[str, ...], limit: int = 40, least: int = 1
) -> UserModel:
    """What is known after these entries; `limit` tokens are recent text, and rare strings count from `least` on."""
    words = WordVocabulary(lexicon, tokenizer.encode, tokenizer.vocab_size)
    recent = RecentText(limit, tokenizer.encode("\n"))
    known = UserModel(FastMemory(tokenizer.vocab_size), words, recent, RareStrings(least))
    for text in texts:
        known.learn(text, tokenizer.encode(text))
    return known


def convinced(memory_p: float, model_p: float, times: int = 500) -> Mixture:
    """As after much text to which the memory and the model gave these probabilities."""
    mixture = Mixture()
    for order in range(1, 5):
        for total in (1, 2, 3, 5, 9):
            known = Prediction(np.zeros(0, np.intp), np.zeros(0, np.float32), 1.0, order, total)
            for _ in range(times):
                mixture.learn(known, memory_p, model_p)
    return mixture


def trusting(times: int = 500) -> Mixture:
    """As after much text on which the memory was right: the tiny model, which is random, never is."""
    return convinced(0.9, 0.001, times)
