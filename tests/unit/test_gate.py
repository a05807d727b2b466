"""The gate: scores are what a plain computation gives, and only gains beyond chance pass."""

import numpy as np
import pytest

from idiolect.adapters.memory.corpus import RecentText
from idiolect.adapters.memory.ngram_memory import FastMemory
from idiolect.adapters.prediction.mixture import Mixture
from idiolect.adapters.training.gate import Tally, decide, general_perplexity, judge
from idiolect.models.session import Adapter, Model, Session

BREAK = [13]
PIECE = 192  # tokens that are scored in one pass; an entry's further ones see it as earlier text
STRETCH = 64  # tokens of a long entry that are compared as one


def tally(nats: np.ndarray, tokens: int = 20) -> Tally:
    return Tally([tokens] * len(nats), nats.tolist(), [0] * len(nats))


def verdict(
    gains: np.ndarray,
    *,
    general: float = 1.0,
    over_memory: np.ndarray | None = None,
    judged: int = 0,
    seed: int = 0,
):
    serving = np.full(len(gains), 60.0)
    return decide(
        tally(serving - gains),
        tally(serving),
        None if over_memory is None else tally(serving - gains + over_memory),
        general_before=25.0,
        general_after=25.0 * general,
        judged=judged,
        seed=seed,
    )


# What is decided


def test_a_real_gain_is_promoted():
    random = np.random.default_rng(1)
    promoted = [verdict(random.normal(1.0, 3.0, 100), seed=seed).promoted for seed in range(50)]
    assert sum(promoted) >= 45  # 3.3 standard errors above zero


def test_a_gain_is_measured_in_bits_a_token():
    found = verdict(np.full(40, 2.0))
    assert found.promoted
    assert found.gain_bits == pytest.approx(2.0 / 20 / np.log(2), abs=1e-4)
    assert found.p_value < 0.001
    better = 100 * (1 - np.exp(-2.0 / 20))
    assert f"{better:.1f} %" in found.reason


@pytest.mark.parametrize("entries", [30, 200])
def test_noise_passes_at_about_the_nominal_rate(entries):
    random = np.random.default_rng(entries)
    trials = 400
    passed = sum(verdict(random.normal(0, 3, entries), seed=seed).promoted for seed in range(trials))
    # 5 % and three standard errors; the bootstrap of few entries is a little too sure
    assert passed <= trials * 0.09
    assert passed >= trials * 0.01, "a gate that never opens is not a test"


def test_a_loss_is_refused_however_sure():
    found = verdict(np.full(40, -1.0))
    assert not found.promoted
    assert found.gain_bits < 0
    assert "worse" in found.reason
    assert not verdict(np.zeros(40)).promoted, "nor is no difference enough"


def test_one_lucky_entry_is_not_enough():
    gains = np.full(40, -0.5)
    gains[7] = 30.0
    found = verdict(gains)
    assert not found.promoted
    assert found.promising
    assert found.gain_bits > 0
    assert "chance" in found.reason


def test_training_goes_on_from_what_is_not_clearly_worse_and_leaves_general_text():
    lucky, unlucky = np.full(40, -0.5), np.full(40, 0.5)
    lucky[7], unlucky[7] = 30.0, -30.0
    assert not verdict(lucky, general=1.05).promising
    assert not verdict(np.full(40, 2.0)).promising, "it serves"
    assert verdict(unlucky).promising, "worse by chance, perhaps"
    assert not verdict(np.full(40, -1.0)).promising
    assert verdict(np.zeros(40)).promising
    assert not verdict(np.full(40, 2.0), general=1.05).promising


def test_a_successor_proves_itself_against_memory_and_is_better_in_the_mean_than_what_serves():
    small, clear = np.resize([1.0, -0.9], 40), np.full(40, 2.0)
    assert verdict(small).p_value > 0.05
    assert not verdict(small).promoted
    found = verdict(small, over_memory=clear)
    assert found.promoted
    assert "memory alone beyond chance" in found.reason
    assert not verdict(small, over_memory=small).promoted, "memory may be as good"
    assert not verdict(np.resize([-1.0, 0.5], 40), over_memory=clear).promoted, "what serves is better"
    assert not verdict(small, over_memory=clear, general=1.05).promoted
    assert not verdict(small, over_memory=clear, judged=1).promoted, "the text has judged its like before"


def test_a_successor_whose_loss_may_as_well_be_chance_is_served_since_it_has_learned_more():
    even, clear = np.resize([-1.0, 0.9], 40), np.full(40, 2.0)
    found = verdict(even, over_memory=clear)
    assert found.promoted
    assert found.gain_bits < 0
    assert "worse than what was served, which may be chance, and better than the memory alone" in found.reason
    assert not verdict(even).promoted, (
        "of a first adapter, or one gone on from what was refused, more is asked"
    )
    assert not verdict(even, over_memory=clear, judged=1).promoted
    unproven = verdict(even, over_memory=even)
    assert not unproven.promoted
    assert unproven.promising
    assert "over the memory alone" in unproven.reason


def test_text_that_has_judged_before_asks_for_more_certainty():
    gains = np.random.default_rng(0).normal(0.32, 1.0, 40)
    assert 0.0125 < verdict(gains).p_value < 0.05
    assert verdict(gains).promoted
    again = verdict(gains, judged=3)
    assert not again.promoted
    assert again.promising


def test_a_gain_that_general_text_pays_for_is_refused():
    found = verdict(np.full(40, 2.0), general=1.05)
    assert not found.promoted
    assert "5.0 %" in found.reason
    assert "2 %" in found.reason
    assert verdict(np.full(40, 2.0), general=1.019).promoted
    assert verdict(np.full(40, 2.0), general=0.9).promoted


def test_the_same_seed_decides_the_same():
    gains = np.random.default_rng(5).normal(0.8, 3, 40)
    assert verdict(gains, seed=3) == verdict(gains, seed=3)
    assert verdict(gains, seed=3).p_value != verdict(gains, seed=4).p_value


# How it is scored


def test_a_tally_counts_nats_and_the_three_best():
    found = Tally()
    assert found.perplexity == 1.0
    found.open()
    distribution = np.array([0.4, 0.3, 0.15, 0.1, 0.05], dtype=np.float32)
    for target in (0, 2, 3):
        found.add(distribution, target)
    found.open()
    found.add(np.array([0.25, 0.75, 0, 0, 0], dtype=np.float32), 2)
    assert found.tokens == [3, 1]
    assert found.hits == [2, 1]
    assert found.nats[0] == pytest.approx(-np.log([0.4, 0.15, 0.1]).sum(), rel=1e-6)
    assert np.isfinite(found.nats[1]), "what was held impossible costs much, not everything"
    assert found.perplexity == pytest.approx(np.exp(sum(found.nats) / 4))
    assert found.summary() == {"perplexity": round(found.perplexity, 3), "top3": 0.75}


def distribution(model: Model, adapter: Adapter | None, ids: list[int]) -> np.ndarray:
    logits = Session(model, length=len(ids), adapter=adapter).feed(ids)[0].astype(np.float64)
    shifted = np.exp(logits - logits.max())
    return shifted / shifted.sum()


def memory_distribution(memory: FastMemory, context: list[int]) -> tuple[np.ndarray, object]:
    prediction = memory.predict(context)
    p = memory.unigrams().astype(np.float64) * prediction.backoff
    p[prediction.ids] += prediction.p
    return p, prediction


def plain_judge(
    model: Model, adapter: Adapter | None, entries: list[list[int]], history: list[list[int]], limit: int
) -> tuple[list[float], list[float], list[int], Mixture]:
    """Nats alone and mixed, and hits mixed, of each stretch: token by token, everything anew each time."""
    recent, memory, mixture = RecentText(limit, BREAK), FastMemory(512), Mixture()
    for entry in history:
        recent.add(entry)
        memory.add(entry)
    alone, mixed, hits = [], [], []
    for entry in entries:
        for start in range(0, len(entry), PIECE):
            piece = entry[start : start + PIECE]
            for place, target in enumerate(piece):
                if place % STRETCH == 0:
                    alone.append(0.0)
                    mixed.append(0.0)
                    hits.append(0)
                model_p = distribution(model, adapter, recent.context(piece[:place]))
                memory_p, prediction = memory_distribution(memory, entry[: start + place])
                weight = mixture.weight(prediction)
                both = weight * memory_p + (1 - weight) * model_p
                alone[-1] -= np.log(model_p[target])
                mixed[-1] -= np.log(both[target])
                hits[-1] += int(target in np.argsort(-both)[:3])
                mixture.learn(prediction, memory_p[target], model_p[target])
            recent.add(piece)
        memory.add(entry)
    return alone, mixed, hits, mixture


@pytest.fixture(scope="module")
def texts(tiny):
    """Entries that repeat phrases, so that the memory matters; one is longer than a pass."""
    random = np.random.default_rng(11)
    phrases = random.integers(20, tiny.config.vocab, (8, 5)).tolist()
    sizes = [3, 1, 4, 2, 5, 3, 41, 2, 1]
    return [[token for _ in range(size) for token in phrases[random.integers(8)]] for size in sizes]


@pytest.mark.parametrize("limit", [300, 25, 0])
def test_scores_are_those_of_a_plain_computation(tiny_float, tiny, make_lora, texts, limit):
    history, entries = texts[:4], texts[4:]
    adapters = {"base": None, "candidate": make_lora(tiny.config).tensors()}
    recent, memory = RecentText(limit, BREAK), FastMemory(512)
    for entry in history:
        recent.add(entry)
        memory.add(entry)
    reported: list[float] = []
    judged = judge(
        tiny_float,
        adapters,
        entries,
        recent=recent,
        memory=memory,
        mixtures={"base": Mixture(), "candidate": Mixture()},
        report=reported.append,
    )
    assert [*judged] == ["base", "candidate"]
    for name, adapter in adapters.items():
        alone, mixed, hits, mixture = plain_judge(tiny_float, adapter, entries, history, limit)
        found = judged[name]
        assert found.alone.tokens == found.mixed.tokens
        assert sum(found.alone.tokens) == sum(map(len, entries))
        assert max(found.alone.tokens) <= STRETCH
        assert found.alone.nats == pytest.approx(alone, rel=1e-4)
        assert found.mixed.nats == pytest.approx(mixed, rel=1e-4)
        assert found.mixed.hits == hits
        assert np.array(found.mixture.to_json()) == pytest.approx(np.array(mixture.to_json()), abs=2e-2)
        assert found.mixed.perplexity < found.alone.perplexity, "these texts repeat themselves"
    assert judged["base"].alone.nats != judged["candidate"].alone.nats
    assert reported == sorted(reported)
    assert reported[-1] == 1.0


def test_judging_learns_as_it_goes_and_leaves_its_arguments_alone(tiny_float, texts):
    memory, mixture = FastMemory(512), Mixture()
    judged = judge(
        tiny_float,
        {"base": None},
        texts,
        recent=RecentText(50, BREAK),
        memory=memory,
        mixtures={"base": mixture},
        report=lambda _done: None,
    )
    assert memory.tokens == sum(map(len, texts))
    assert mixture.to_json() == Mixture().to_json() != judged["base"].mixture.to_json()
    assert judged["base"].mixed.nats[0] == judged["base"].alone.nats[0], "nothing was known yet"


def test_general_text_is_scored_passage_by_passage(tiny_float, tiny, make_lora, texts):
    for adapter in (None, make_lora(tiny.config).tensors()):
        nats = []
        for passage in texts:
            for start in range(0, len(passage), PIECE):
                piece = passage[start : start + PIECE]
                for place, target in enumerate(piece):
                    nats.append(-np.log(distribution(tiny_float, adapter, [*BREAK, *piece[:place]])[target]))
        found = general_perplexity(tiny_float, adapter, texts, BREAK)
        assert found == pytest.approx(np.exp(np.mean(nats)), rel=1e-4)
