"""The base model's chat template: ChatML, as SmolLM2-Instruct was trained with it."""

from __future__ import annotations

from collections.abc import Sequence

from idiolect.models.tokenizer import Tokenizer

SYSTEM = "You are a helpful AI assistant named SmolLM, trained by Hugging Face"
"""What the model was told before each conversation that says nothing else."""


def chat_ids(tokenizer: Tokenizer, messages: Sequence[tuple[str, str]]) -> list[int]:
    """Return the tokens of a conversation, up to where the assistant's next message begins.

    Only the template sets marks: those that stand in a message are text.

    Args:
        tokenizer: of the model.
        messages: (role, content), the role "system", "user" or "assistant".
    """
    ids: list[int] = []
    newline = tokenizer.encode("\n")
    spoken = [*messages] if messages and messages[0][0] == "system" else [("system", SYSTEM), *messages]
    for role, content in spoken:
        ids += [tokenizer.bos, *tokenizer.encode(f"{role}\n{content}"), tokenizer.eos, *newline]
    return [*ids, tokenizer.bos, *tokenizer.encode("assistant\n")]
