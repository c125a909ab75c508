"""What can be counted of titles without the data that they were learned from."""

from maxfw.quality import Measured
from maxfw.tasks.text_generation import Seed

TITLES, CHARS = 40, 100


def evaluate(model):
    """The share of titles that end by themselves, with the seeds 0 to 39."""
    ids, _ = model._pre_process(Seed("", CHARS))
    titles = [model._predict_batch([(ids, CHARS)], seed=seed)[0] for seed in range(TITLES)]
    ended = sum(0 < len(title) < CHARS for title in titles) / TITLES
    return [
        Measured("titles that end", f"{TITLES} seeds, temperature 0.5, {CHARS} characters", ended, bar=0.9)
    ]
