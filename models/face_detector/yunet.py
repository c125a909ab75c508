"""YuNet, for the face detector and for the models that look closer at each face.

The network is that of Wu, Peng and Yu, *YuNet: A Tiny Millisecond-level Face Detector* (2023).
"""

import numpy as np
from PIL import Image

from maxfw.assets import Asset
from maxfw.tasks.object_detection import non_maximum_suppression

NETWORK = Asset(
    "yunet_n_dynamic.onnx",
    url="https://raw.githubusercontent.com/ShiqiYu/libfacedetection.train"
    "/0047ac24afb1a50a0c6105001c89d1b5b805dbf1/onnx/yunet_n_dynamic.onnx",
    sha256="104ee26c71d5c270ce79a6b3dced91c91013260d29a6bf18f9296c5b8c4c2b12",
    size=322_906,
)
STRIDES = (8, 16, 32)  # pixels between the cells of each grid
MOST_PIXELS = 1600 * 1200  # that are looked at; a larger photo is made smaller
LARGE = (
    256  # pixels: the network sees the parts of a larger face as faces, so it looks for it in a smaller copy
)
SHRINK = 4  # how much smaller that copy is
MOST_OVERLAP = 0.3  # of two boxes for different faces
MOST_FACES = 300
CROWD = 32  # faces that are read at once, so that memory does not grow with a crowd


class YuNet:
    """The network and what belongs to it.

    A picture is prepared, then looked at, alone or with others, then the faces are found in what was seen.
    """

    def __init__(self, net):
        """`net` is the runtime that has loaded `NETWORK`."""
        self.net = net

    def prepare(self, image):
        """PIL RGB → (views, size): float32 (3, h, w), BGR, 0…255, h and w multiples of 32, the picture at the top left.

        The first view is the photo; where that has room for a large face, a second one is a smaller copy.
        `size` is the (height, width) of the picture in the first one.
        """
        scale = min(1.0, (MOST_PIXELS / (image.width * image.height)) ** 0.5)
        if scale < 1:
            size = tuple(max(1, round(side * scale)) for side in image.size)
            image = image.resize(size, Image.Resampling.BILINEAR, reducing_gap=1.0)
        copies = [image, image.reduce(SHRINK)] if max(image.size) > LARGE else [image]
        return tuple(padded(copy) for copy in copies), (image.height, image.width)

    def look(self, batch):
        """n prepared pictures whose views have equal shapes → n × what `find` reads.

        That is, for every view and stride, what each cell of the grid holds, and the columns of that grid. A cell
        holds how like a face it is (1) and how surely (1), a box (4), and landmarks (10), all float32.
        """
        seen = [[] for _ in batch]
        for views in zip(*(views for views, _ in batch), strict=True):
            outputs = self.net.run([np.stack(views) if len(views) > 1 else views[0][None]])
            for level, stride in enumerate(STRIDES):
                for item, *cells in zip(seen, *outputs[level :: len(STRIDES)], strict=True):
                    item.append((tuple(cells), views[0].shape[2] // stride))
        return [(grids, size) for grids, (_, size) in zip(seen, batch, strict=True)]

    def find(self, seen, threshold):
        """What was seen → boxes (k, 4), scores (k,), landmarks (k, 5, 2), surest first, every face once.

        Boxes are ymin, xmin, ymax, xmax and landmarks y, x: parts of the picture's height and width.
        """
        grids, (height, width) = seen
        found = [(np.empty((0, 4)), np.empty(0), np.empty((0, 5, 2)))]
        for place, (cells, columns) in enumerate(grids):
            sure = np.flatnonzero(cells[0] * cells[1] > threshold**2)
            if not sure.size:
                continue
            copy, level = divmod(place, len(STRIDES))
            boxes, scores, points = decoded(cells, sure, columns, STRIDES[level])
            sides = (boxes[:, 2:] - boxes[:, :2]).max(axis=1)
            if copy:
                own = sides > LARGE / SHRINK / 2  # smaller faces are seen better in the photo
            else:
                own = (sides <= LARGE) | (len(grids) == len(STRIDES))
            found.append((boxes[own] * SHRINK**copy, scores[own], points[own] * SHRINK**copy))
        boxes, scores, points = (np.concatenate(part) for part in zip(*found, strict=True))
        kept = non_maximum_suppression(boxes, scores, MOST_OVERLAP, most=MOST_FACES)
        return boxes[kept] / [height, width, height, width], scores[kept], points[kept] / [height, width]

    def look_closer(self, batch, threshold, cut, read):
        """n × (prepared picture, the PIL image itself) → n × (boxes, scores, landmarks, what `read` says of each face).

        `cut(image, box, landmarks)` makes an array of a face, its box and landmarks in pixels; `read` takes many
        faces, of all the pictures, stacked, and returns a row for each.
        """
        found = [self.find(seen, threshold) for seen in self.look([prepared for prepared, _ in batch])]
        closer = []
        for (_, image), (boxes, _, landmarks) in zip(batch, found, strict=True):
            sides = np.array([image.height, image.width])
            for box, points in zip(boxes * np.tile(sides, 2), landmarks * sides, strict=True):
                closer.append(cut(image, box, points))
        crowd = [closer[start : start + CROWD] for start in range(0, len(closer), CROWD)]
        told = np.concatenate([read(np.stack(part)) for part in crowd] or [np.empty((0, 1))])
        ends = np.cumsum([len(scores) for _, scores, _ in found])[:-1]
        return [(*faces, part) for faces, part in zip(found, np.split(told, ends), strict=True)]


def padded(image):
    """PIL RGB → float32 (3, h, w), BGR, 0…255, zeros below and to the right."""
    height, width = (-(-side // 32) * 32 for side in (image.height, image.width))
    view = np.zeros((3, height, width), dtype=np.float32)
    for channel, band in enumerate(reversed(image.split())):
        view[channel, : image.height, : image.width] = band
    return view


def decoded(cells, sure, columns, stride):
    """The cells numbered in `sure` → boxes (k, 4), scores (k,), landmarks (k, 5, 2), y before x, in pixels of the view.

    In a cell x stands before y, and all are counted in strides from its corner.
    """
    likeness, certainty, boxes, points = (part[sure] for part in cells)
    corners = np.stack(np.divmod(sure, columns), axis=1)
    centres = (boxes[:, 1::-1] + corners) * stride
    halves = np.exp(boxes[:, :1:-1]) * stride / 2
    landmarks = (points.reshape(-1, 5, 2)[:, :, ::-1] + corners[:, None]) * stride
    return np.hstack([centres - halves, centres + halves]), np.sqrt(likeness * certainty)[:, 0], landmarks


def square(box, side, *, margin=1.0, level_eyes=None):
    """The square around a face → (turn, corner) for `cut_out`.

    `box` (4,) is in pixels; `side` is that of the square to be made, which is `margin` times the longer side of the
    box. With the landmarks (5, 2) as `level_eyes`, it is turned so that the eyes are level.
    """
    turn = complex(max(box[2] - box[0], box[3] - box[1], 1) * margin / side)
    if level_eyes is not None:
        right_eye, left_eye = complex_points(level_eyes[:2])
        turn *= (left_eye - right_eye) / max(abs(left_eye - right_eye), 1e-6)
    centre = complex((box[1] + box[3]) / 2, (box[0] + box[2]) / 2)
    return turn, centre - turn * complex(side, side) / 2


def aligned(landmarks, wanted):
    """The best similarity that puts the landmarks (k, 2) at the `wanted` pixels (k, 2), y, x → (turn, corner)."""
    here, there = complex_points(landmarks), complex_points(wanted)
    centred = there - there.mean()
    turn = (centred.conj() @ (here - here.mean())) / (abs(centred) ** 2).sum()
    return turn, here.mean() - turn * there.mean()


def cut_out(image, side, turn, corner):
    """A square of a picture, turned and scaled → PIL image (side, side), black where the picture ends.

    A pixel x + iy of it comes from the pixel corner + turn · (x + iy) of the picture.
    """
    ends = corner + turn * np.array([0, side, side * 1j, side + side * 1j])
    shrink = int(abs(turn))
    if shrink > 1:  # a turn reads single pixels, so a large face is averaged first
        left, top = max(0, int(ends.real.min()) - shrink), max(0, int(ends.imag.min()) - shrink)
        right = min(image.width, int(ends.real.max()) + shrink + 1)
        bottom = min(image.height, int(ends.imag.max()) + shrink + 1)
        image = image.reduce(shrink, (left, top, right, bottom))
        turn, corner = turn / shrink, (corner - complex(left, top)) / shrink
    data = (turn.real, -turn.imag, corner.real, turn.imag, turn.real, corner.imag)
    return image.transform((side, side), Image.Transform.AFFINE, data, Image.Resampling.BILINEAR)


def complex_points(points):
    """(k, 2) as y, x → complex (k,), x + iy."""
    points = np.asarray(points)
    return points[:, 1] + 1j * points[:, 0]
