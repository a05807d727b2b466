"""What rounds have added: the gain after each, and the sentence about the last ones."""

from datetime import UTC, datetime

from idiolect.daemon.rounds.judged_rounds import describe_gains, find_gains
from idiolect.daemon.storage.records import RoundRow

AT = datetime(2026, 3, 1, tzinfo=UTC)


def judged(number, status, memory, both, serving, base="ours"):
    """A round, with the perplexity of the newest text by memory alone, by what it made, and by what served."""
    kinds = {"memory": memory, "both": both, "serving": serving}
    metrics = {kind: {"perplexity": perplexity} for kind, perplexity in kinds.items()} | {"base_sha256": base}
    return RoundRow(number, None, number, AT, AT, status, "", metrics, None, None)


def test_each_judged_round_has_the_gain_of_what_serves_after_it():
    rounds = [
        judged(1, "promoted", 40, 32, 40),
        judged(2, "refused", 50, 20, 45),
        judged(3, "failed", 50, 20, 45),
        judged(4, "promoted", 50, 20, 45, base="another"),
        RoundRow(5, None, None, AT, None, "skipped", "", {}, None, None),
        judged(6, "promoted", 40, 30, 32),
    ]
    gains = find_gains(rounds, "ours")
    assert [(gain.round, gain.promoted, gain.gain) for gain in gains] == [
        (1, True, 0.2),
        (2, False, 0.1),
        (6, True, 0.25),
    ]
    said = describe_gains(gains)
    assert said is not None
    assert "25% easier" in said
    assert "20% after the first of the last 3 rounds" in said
    assert "2 brought an adapter" in said


def test_nothing_is_said_before_a_round_was_judged():
    assert describe_gains([]) is None
    refused = [judged(number, "refused", 40, 30, 40) for number in (1, 2)]
    for rounds, says in (
        (refused[:1], "the one round so far was refused"),
        (refused, "all 2 rounds were refused"),
    ):
        said = describe_gains(find_gains(rounds, "ours")) or ""
        assert said.startswith(f"{says}, so no adapter serves")
    worse = find_gains([judged(1, "promoted", 40, 44, 40)], "ours")
    assert "10% harder" in (describe_gains(worse) or "")
