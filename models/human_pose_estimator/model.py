"""MoveNet: finds the noses, elbows and knees of the people in a photo."""

import numpy as np
from PIL import Image

from maxfw.assets import Asset
from maxfw.catalog import find, load_module
from maxfw.media import resized
from maxfw.model import MAXModelWrapper, Probability
from maxfw.runtimes import LiteRTRuntime
from maxfw.tasks.object_detection import non_maximum_suppression
from maxfw.tasks.pose_estimation import PoseEstimation, humans, pose_of_coco

NETWORK = "movenet_single_pose_lightning_ptq.tflite"
SIDE = 192  # pixels
MARGIN = 0.1  # of a person's width and height, on each side
MOST_OVERLAP = 0.6  # of the boxes of two people
MOST_ALIKE = 0.25  # object keypoint similarity of two people; of one in two boxes it is far more
FOUND = 0.3  # the score of a point that counts as found
LEAST_FOUND = 2.9  # the scores of such points together; a rock that looks like a person has less
# How far people who mark a keypoint differ, in parts of the person's size: the sigmas of COCO's evaluation.
SPREAD = np.array([26, 25, 25, 35, 35, 79, 79, 72, 72, 62, 62, 107, 107, 87, 87, 89, 89]) / 1000

SSD = load_module(find("object_detector")).ModelWrapper


class ModelWrapper(MAXModelWrapper):
    """MoveNet Lightning on every person that the object detector finds, ten at most."""

    MODEL_META_DATA = {
        "id": "max-human-pose-estimator",
        "name": "Human Pose Estimator",
        "description": "MoveNet Lightning on every person found in a photo: 18 body parts each, in pixels.",
        "type": "Pose Estimation",
        "source": "https://github.com/google-coral/test_data",
        "license": "Apache-2.0",
    }
    task = PoseEstimation()
    assets = [
        Asset(
            NETWORK,
            url="https://raw.githubusercontent.com/google-coral/test_data"
            f"/104342d2d3480b3e66203073dac24f4e2dbb4c41/{NETWORK}",
            sha256="cd7cc22fa946e5d146a7b98d496853e1923e22828d3972d579973f27f91bb105",
            size=2_894_840,
        ),
        *SSD.assets,
    ]

    def __init__(self, path=None):
        self.net = LiteRTRuntime(self.asset(NETWORK, path))
        self.detector = SSD(path)

    def _pre_process(self, image):
        """PIL RGB image → the image, and what the detector makes of it."""
        return image, self.detector._pre_process(image)

    def _predict(self, prepared, *, person_threshold: Probability = 0.4):
        """Image → n × float32 (17, 3): x and y in pixels and score of COCO's keypoints.

        Only people that the detector is surer of than `person_threshold` are looked at.
        """
        image, pixels = prepared
        objects = self.detector._post_process(self.detector._predict(pixels), threshold=person_threshold)
        people = [one for one in objects if one.label == "person"]
        boxes = np.array([one.detection_box for one in people]).reshape(-1, 4)
        sure = np.array([one.probability for one in people])
        return [
            self._keypoints(image, boxes[one]) for one in non_maximum_suppression(boxes, sure, MOST_OVERLAP)
        ]

    def _keypoints(self, image, box):
        """The person in a box, (ymin, xmin, ymax, xmax) in 0…1, → float (17, 3): x and y in pixels, and score."""
        picture = np.array([image.width, image.height])
        corners = np.stack([box[1::-1], box[3:1:-1]])
        corners += np.outer([-MARGIN, MARGIN], corners[1] - corners[0])
        start, end = (np.clip(corners, 0, 1) * picture + [[0], [1]]).astype(int).clip(max=picture)
        size = np.maximum(np.rint((end - start) * SIDE / (end - start).max()), 1).astype(int)
        person = resized(image.crop((*start, *end)), tuple(size))
        square, offset = Image.new("RGB", (SIDE, SIDE)), (SIDE - size) // 2
        square.paste(person, tuple(offset))
        [found] = self.net.run([np.asarray(square)[None]])
        y, x, scores = found[0, 0].T
        places = start + (np.stack([x, y], axis=1) * SIDE - offset) / size * (end - start)
        inside = ((places >= 0) & (places <= picture - 1)).all(axis=1)
        return np.column_stack([places, scores * inside])

    def _post_process(self, keypoints, *, part_threshold: Probability = 0.3):
        """Keep the parts surer than `part_threshold`, and each person once."""
        return humans(map(pose_of_coco, distinct(keypoints)), part_threshold)


def distinct(people):
    """People, n × (17, 3), each once, for two boxes may have led to one; surest first, without those hardly found."""
    found = sorted((one for one in people if surety(one) > LEAST_FOUND), key=surety)
    kept = []
    while found:
        best = found.pop()
        kept.append(best)
        found = [other for other in found if likeness(best, other) <= MOST_ALIKE]
    return kept


def surety(person):
    """How much of a person (17, 3) was found, 0…17."""
    return person[person[:, 2] > FOUND, 2].sum()


def likeness(one, other):
    """COCO's object keypoint similarity, 0…1, of two people (17, 3) over the points found of both."""
    both = (one[:, 2] > FOUND) & (other[:, 2] > FOUND)
    extent = np.ptp(one[one[:, 2] > FOUND, :2], axis=0).prod()
    distances = ((one[both, :2] - other[both, :2]) ** 2).sum(axis=1)
    alike = np.exp(-distances / (2 * max(extent, 1) * (2 * SPREAD[both]) ** 2))
    return alike.mean() if both.any() else 0.0
