"""What is said of a request that is wrong: everyday words, and never what was sent."""

from __future__ import annotations

import pytest

from idiolect.daemon.endpoint.privacy_routes import AppsBody, ForgetBody
from idiolect.daemon.endpoint.shapes import InvalidRequestError, parse
from idiolect.daemon.endpoint.word_routes import WordBody


@pytest.mark.parametrize(
    ("kind", "sent", "said"),
    [
        (ForgetBody, b'{"text": ""}', "text: this must not be empty."),
        (ForgetBody, b'{"ids": []}', "ids: this must not be empty."),
        (WordBody, b'{"kind": "never"}', "text: this field is needed."),
        (ForgetBody, b'{"text": "%s"}' % (b"x" * 200_000), "text: this is longer than"),
        (AppsBody, b'{"app": "chat"}', "The request: give app and one of rule, context and remove"),
    ],
)
def test_what_is_wrong_is_said_in_everyday_words(kind, sent, said):
    with pytest.raises(InvalidRequestError) as refused:
        parse(sent, kind)
    assert str(refused.value).startswith(said)
    assert "String" not in str(refused.value)
