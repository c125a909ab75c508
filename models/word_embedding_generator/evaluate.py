"""How good the vectors are: words that mean the like must lie nearer to each other than words that do not."""

import itertools

from maxfw.quality import Measured

# A word, one that means about the same, and one that only looks alike or has to do with it.
TRIPLES = """car automobile carpet|boat ship boot|doctor physician document|big large bag|begin start bean
|angry furious hungry|child kid chill|house home horse|stone rock store|happy glad harpy|street road sweet
|student pupil stunt|teacher instructor peach|rich wealthy reach|quick fast quiet|buy purchase boy|gift present rift
|sick ill sock|smart clever start|forest woods florist|ocean sea onion|infant baby instant|cash money crash
|film movie firm|answer reply anchor|clothes garments closes|error mistake mirror|jump leap lump|job work jog
|king monarch kind|lawyer attorney layer|map chart mop|meal dinner metal|noise sound nose|odd strange add
|pain ache paint|photo picture phone|shop store ship|sofa couch soda|tale story tail|thief burglar chief
|town city gown|trip journey trap|unhappy sad unzip|victory win victim|wall barrier wallet|wind breeze wine
|woman lady wombat|yell shout yellow|taxi cab tax""".replace("\n", "").split("|")


def evaluate(model):
    """The share of triples in which the vectors say which word means the same, and the same over sentences."""
    words = [triple.split() for triple in TRIPLES]
    listed = sorted(set(itertools.chain(*words)))
    vectors = dict(
        zip(listed, model.encoder.embed([model.encoder.windows(word) for word in listed]), strict=True)
    )
    right = sum(vectors[one] @ vectors[same] > vectors[one] @ vectors[other] for one, same, other in words)
    return [
        Measured(
            "similar beats dissimilar",
            f"{len(words)} word triples of our own",
            float(right / len(words)),
            bar=0.95,
        )
    ]
