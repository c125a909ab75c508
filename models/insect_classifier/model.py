"""MobileNet v2 of iNaturalist: names the species of an insect in a photo."""

from maxfw.assets import Asset
from maxfw.catalog import find, load_module
from maxfw.tasks.image_classification import ImageClassification

birds = load_module(find("bird_classifier"))


class ModelWrapper(birds.SpeciesClassifier):
    """1,021 insects, with the network that the birds have."""

    MODEL_META_DATA = {
        "id": "max-insect-classifier",
        "name": "Insect Classifier",
        "description": "MobileNet v2 trained on iNaturalist 2017: the likeliest of 1,021 species of insects in a photo.",
        "type": "Image Classification",
        "source": "https://github.com/google-coral/test_data",
        "license": "Apache-2.0",
    }
    task = ImageClassification(labels="inat_insect_labels.txt", decode_at=(birds.SIDE, birds.SIDE))
    assets = [
        Asset(
            "mobilenet_v2_1.0_224_inat_insect_quant.tflite",
            url=f"{birds.PINNED}/mobilenet_v2_1.0_224_inat_insect_quant.tflite",
            sha256="0ebaeb474dccf56b8b818b014f0d6a8e22b35a45b491a659f0b5405c9c838282",
            size=3_655_867,
        ),
        Asset(
            "inat_insect_labels.txt",
            url=f"{birds.PINNED}/inat_insect_labels.txt",
            sha256="e5e03664a8a70eafc3308268eb8cd6aa28652912735bfdd45e436ae9617155bc",
            size=40_317,
        ),
    ]
