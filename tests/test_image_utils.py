"""The transforms of 2019: their names and complaints as they were, their bugs gone."""

from __future__ import annotations

import inspect
import io

import numpy as np
import pytest
from PIL import Image
from werkzeug.exceptions import BadRequest

from maxfw.core.utils import MAXImageProcessor, redirect_errors_to_flask
from maxfw.utils import image_functions
from maxfw.utils.image_utils import (
    Grayscale,
    ImageProcessor,
    Normalize,
    PILtoarray,
    Resize,
    Rotate,
    Standardize,
    ToPILImage,
)

RED = (255, 0, 0)


def encoded(img: Image.Image, file_format: str = "PNG", **options: object) -> bytes:
    file = io.BytesIO()
    img.save(file, file_format, **options)
    return file.getvalue()


def gradient(dtype: type = np.uint8, top: int = 255) -> np.ndarray:
    """Values 0…top in shape (4, 8)."""
    return np.linspace(0, top, 32).astype(dtype).reshape(4, 8)


def colours() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (6, 9, 3), dtype=np.uint8)


# Reading -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("file_format", ["PNG", "BMP", "TIFF", "WEBP"])
def test_a_file_is_read_as_it_was_written(file_format):
    img = Image.fromarray(colours())

    read = ToPILImage("RGB")(
        encoded(img, file_format, **({"lossless": True} if file_format == "WEBP" else {}))
    )

    assert np.array_equal(read, img)


@pytest.mark.parametrize("kind", [bytes, bytearray])
def test_bytes_and_bytearrays_are_files(kind):
    assert ToPILImage("RGB")(kind(encoded(Image.new("RGB", (3, 2), RED)))).size == (3, 2)


@pytest.mark.parametrize(
    "target", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "LAB", "HSV", "I", "F", "RGBX"]
)
@pytest.mark.parametrize("source", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_every_kind_of_png_becomes_every_mode(source, target):
    read = ToPILImage(target)(encoded(Image.new(source, (5, 4))))

    assert (read.mode, read.size) == (target, (5, 4))


def test_the_number_one_means_the_mode_of_that_name():
    assert ToPILImage(1)(encoded(Image.new("L", (2, 2)))).mode == "1"


def test_a_grey_file_keeps_its_greys():
    grey = Image.fromarray(gradient())

    assert np.array_equal(ToPILImage("L")(encoded(grey)), grey)
    assert np.array_equal(np.asarray(ToPILImage("RGB")(encoded(grey)))[..., 1], gradient())


def test_a_one_bit_file_becomes_black_and_white():
    bits = Image.fromarray(np.eye(8, dtype=np.uint8) * 255).convert("1")

    assert np.array_equal(ToPILImage("L")(encoded(bits)), np.eye(8) * 255)


@pytest.mark.parametrize("file_format", ["PNG", "TIFF"])
def test_a_sixteen_bit_file_is_scaled_to_eight(file_format):
    deep = Image.frombytes("I;16", (8, 4), gradient(np.uint16, 65535).tobytes())

    read = np.asarray(ToPILImage("L")(encoded(deep, file_format)), dtype=int)

    assert np.abs(read - gradient().astype(int)).max() <= 1
    assert np.asarray(ToPILImage("I")(encoded(deep, file_format))).max() == 65535


def test_a_palette_file_has_its_colours():
    palette = Image.fromarray(colours()).quantize(16)

    assert np.array_equal(ToPILImage("RGB")(encoded(palette)), palette.convert("RGB"))


def test_a_gif_is_read_with_its_colours():
    gif = encoded(Image.new("RGB", (4, 4), RED), "GIF")

    assert ToPILImage("RGB")(gif).getpixel((1, 1)) == RED


def test_the_transparency_of_a_palette_is_kept():
    palette = Image.new("P", (2, 1))
    palette.putpalette([255, 0, 0, 0, 0, 255])
    palette.putpixel((1, 0), 1)

    read = ToPILImage("RGBA")(encoded(palette, transparency=1))

    assert [read.getpixel((x, 0)) for x in (0, 1)] == [(255, 0, 0, 255), (0, 0, 255, 0)]


def test_grey_with_transparency_is_read():
    read = ToPILImage("RGBA")(encoded(Image.new("LA", (2, 2), (100, 50))))

    assert read.getpixel((0, 0)) == (100, 100, 100, 50)


def test_a_cmyk_jpeg_has_its_colours():
    jpeg = encoded(Image.new("RGB", (16, 16), RED).convert("CMYK"), "JPEG", quality=95)

    red, green, blue = ToPILImage("RGB")(jpeg).getpixel((8, 8))

    assert red > 240
    assert max(green, blue) < 15


def test_a_photo_that_was_taken_sideways_stands_upright():
    upright = Image.new("RGB", (40, 20), RED)
    tag = Image.Exif()
    tag[0x0112] = 6  # the camera was turned by 90°

    assert ToPILImage("RGB")(encoded(upright, "JPEG", exif=tag)).size == (20, 40)


@pytest.mark.parametrize(
    ("array", "target", "expected"),
    [
        (gradient(), "L", gradient()),
        (gradient()[..., None], "L", gradient()),
        (gradient() > 100, "L", (gradient() > 100) * 255),
        (gradient(np.int32, 99_999), "I", gradient(np.int32, 99_999)),
        (gradient(np.uint16, 65_535), "I", gradient(np.uint16, 65_535)),
        (gradient(np.int16, 30_000), "I", gradient(np.int16, 30_000)),
        (gradient(np.float32, 9), "F", gradient(np.float32, 9)),
        (colours(), "RGB", colours()),
        (colours()[:, ::-1], "RGB", colours()[:, ::-1]),
        (np.dstack([colours(), gradient()[0, 3] * np.ones((6, 9), np.uint8)]), "RGB", colours()),
    ],
    ids=["grey", "one channel", "bool", "int32", "uint16", "int16", "float32", "rgb", "a view", "rgba"],
)
def test_an_array_becomes_an_image_of_its_values(array, target, expected):
    img = ToPILImage(target)(array)

    assert img.mode == target
    assert np.array_equal(img, expected)


@pytest.mark.parametrize("mode", ["YCbCr", "HSV", "CMYK", "RGBX", "LA"])
def test_the_mode_says_what_an_arrays_values_mean(mode):
    img = Image.new("RGB", (3, 2), RED).convert(mode)

    read = ToPILImage("RGB", mode)(np.asarray(img))

    assert read.getpixel((1, 1)) == img.convert("RGB").getpixel((1, 1))


@pytest.mark.parametrize("pic", ["a path.png", None, 3, [[1, 2]], Image.new("L", (2, 2))], ids=type)
def test_neither_bytes_nor_array_is_a_type_error(pic):
    with pytest.raises(TypeError, match="bytes or ndarray"):
        ToPILImage("RGB")(pic)


@pytest.mark.parametrize("shape", [(4,), (2, 2, 3, 1), ()])
def test_an_array_of_other_dimensions_is_a_value_error(shape):
    with pytest.raises(ValueError, match="pic should be 2 or 3 dimensional"):
        ToPILImage("RGB")(np.zeros(shape, np.uint8))


@pytest.mark.parametrize(
    ("array", "mode", "error"),
    [
        (np.zeros((2, 2, 5), np.uint8), None, ValueError),
        (np.zeros((2, 2, 0), np.uint8), None, ValueError),
        (np.zeros((2, 2, 3), np.uint8), "RGBA", ValueError),
        (np.zeros((2, 2, 4), np.uint8), "RGB", ValueError),
        (np.zeros((2, 2, 2), np.uint8), "RGB", ValueError),
        (np.zeros((2, 2), np.uint8), "RGB", ValueError),
        (np.zeros((2, 2)), None, TypeError),
        (np.zeros((2, 2, 3), np.float32), None, TypeError),
    ],
)
def test_an_array_that_no_mode_holds_is_refused(array, mode, error):
    with pytest.raises(error):
        ToPILImage("RGB", mode)(array)


def test_an_unknown_target_mode_is_a_value_error():
    with pytest.raises(ValueError, match="invalid target_mode: 'XXX'"):
        ToPILImage("XXX")(encoded(Image.new("L", (2, 2))))


@pytest.mark.parametrize("content", [b"", b"some text", encoded(Image.fromarray(colours()))[:60]])
def test_bytes_of_no_image_are_a_type_error(content):
    with pytest.raises(TypeError, match="not suitable for the Pillow library"):
        ToPILImage("RGB")(content)


def test_an_image_becomes_an_array():
    assert np.array_equal(PILtoarray()(Image.fromarray(colours())), colours())
    with pytest.raises(TypeError, match="not a PIL Image"):
        PILtoarray()(colours())


# Values --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "values",
    [np.arange(100, 200, dtype=np.uint8), np.array([-128, 127], np.int8), np.array([0.5, 0.75], np.float32)],
)
def test_normalized_values_span_exactly_0_to_1(values):
    normalized = Normalize()(np.array([values, values]))

    assert normalized.min() == 0
    assert normalized.max() == 1


def test_a_flat_image_normalizes_to_zeros():
    assert np.array_equal(Normalize()(Image.new("RGB", (3, 3), RED).convert("L")), np.zeros((3, 3)))


def test_standardized_channels_have_mean_0_and_deviation_1():
    standardized = Standardize()(Image.fromarray(colours()))

    assert standardized.dtype == np.float64
    assert standardized.mean(axis=(0, 1)) == pytest.approx([0, 0, 0], abs=1e-12)
    assert standardized.std(axis=(0, 1)) == pytest.approx([1, 1, 1])


@pytest.mark.parametrize(
    "mean",
    [
        100,
        100.0,
        np.float32(100),
        np.int64(100),
        np.array(100),
        [100] * 3,
        (100.0, 100, 100),
        np.full(3, 100.0),
    ],
    ids=repr,
)
def test_a_mean_may_be_any_number_or_sequence_of_them(mean):
    standardized = Standardize(mean=mean, std=mean)(colours())

    assert np.allclose(standardized, (colours().astype(float) - 100) / 100)


def test_means_go_with_their_channels():
    standardized = Standardize(mean=[1, 2, 3], std=[1, 10, 100])(np.full((2, 2, 3), 13))

    assert standardized[0, 0] == pytest.approx([12, 1.1, 0.1])


@pytest.mark.parametrize("mean", [7, [7], np.array([7])])
def test_an_image_without_channels_takes_one_number(mean):
    assert np.allclose(Standardize(mean, 2)(np.full((2, 2), 9)), 1)


def test_a_deviation_of_0_only_centres():
    assert np.array_equal(Standardize()(np.full((2, 2), 9)), np.zeros((2, 2)))
    assert np.array_equal(Standardize(std=0)(np.array([[1, 3]])), [[-1, 1]])
    assert np.allclose(Standardize(mean=1, std=[0, 2, 4])(np.full((1, 1, 3), 5)), [[[4, 2, 1]]])


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        ({"mean": [1, 2]}, ValueError, "must correspond to the number of channels"),
        ({"std": [1, 2, 3, 4]}, ValueError, "must correspond to the number of channels"),
        ({"mean": [1, "2", 3]}, ValueError, "can only contain numbers"),
        ({"mean": "123"}, TypeError, "either be a number"),
        ({"std": {1, 2, 3}}, TypeError, "either be a number"),
    ],
)
def test_other_means_are_refused(arguments, error, text):
    with pytest.raises(error, match=text):
        Standardize(**arguments)(colours())


def test_more_than_three_channels_are_not_standardized():
    with pytest.raises(ValueError, match="must be converted to an image with 3 or fewer channels"):
        Standardize()(Image.new("RGBA", (2, 2)))


# Shapes --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("size", "result"),
    [((30, 20), (20, 30)), ([30, 20], (20, 30)), (np.array([30, 20]), (20, 30)), (10, (20, 10)), (np.int64(20), (40, 20))],
    ids=repr,
)  # fmt: skip
def test_a_size_is_height_and_width_or_the_short_side(size, result):
    assert Resize(size)(Image.new("RGB", (40, 20))).size == result


def test_the_short_side_of_a_tall_image_is_its_width():
    assert Resize(10)(Image.new("RGB", (20, 50))).size == (10, 25)


@pytest.mark.parametrize("size", [(1, 2, 3), 2.5, None])
def test_other_sizes_are_refused(size):
    with pytest.raises(AssertionError):
        Resize(size)
    with pytest.raises(TypeError, match="inappropriate size"):
        image_functions.resize(Image.new("L", (2, 2)), size)


def test_the_interpolation_can_be_chosen():
    img = Image.fromarray(np.uint8([[0, 255]]))

    assert set(np.unique(Resize((1, 8), Image.NEAREST)(img))) == {0, 255}
    assert len(np.unique(Resize((1, 8))(img))) > 2


@pytest.mark.parametrize("angle", [90, 90.0, -270, 450, np.float32(90), np.int64(90)])
def test_an_angle_turns_counter_clockwise(angle):
    img = Image.fromarray(np.uint8([[1, 2], [3, 4]]))

    assert np.array_equal(Rotate(angle)(img), [[2, 4], [1, 3]])


def test_turning_can_make_room():
    img = Image.new("L", (40, 20))

    assert image_functions.rotate(img, 90, expand=True).size == (20, 40)
    assert image_functions.rotate(img, 90, Image.BILINEAR, False, (0, 0)).size == (40, 20)


def test_an_angle_is_a_number():
    with pytest.raises(ValueError, match="angle must be"):
        Rotate("90")(Image.new("L", (2, 2)))


@pytest.mark.parametrize(("channels", "shape"), [(1, (6, 9)), (3, (6, 9, 3)), (4, (6, 9, 4))])
def test_grey_comes_in_equal_channels(channels, shape):
    grey = np.asarray(Grayscale(channels)(Image.fromarray(colours())))

    assert grey.shape == shape
    assert np.array_equal(grey.reshape(6, 9, channels)[..., -1], Image.fromarray(colours()).convert("L"))


def test_grey_in_two_channels_is_refused():
    with pytest.raises(ValueError, match="either 1, 3 or 4"):
        Grayscale(2)(Image.new("L", (2, 2)))


def test_parts_and_mirror_images():
    img = Image.fromarray(np.arange(16, dtype=np.uint8).reshape(4, 4))

    assert np.array_equal(image_functions.crop(img, 1, 2, 1, 2), [[6, 7]])
    assert np.array_equal(image_functions.center_crop(img, 2), [[5, 6], [9, 10]])
    assert np.array_equal(image_functions.center_crop(img, (2, 4)), [[4, 5, 6, 7], [8, 9, 10, 11]])
    assert np.array_equal(image_functions.resized_crop(img, 0, 0, 1, 1, (2, 2)), [[0, 0], [0, 0]])
    assert np.asarray(image_functions.hflip(img))[0].tolist() == [3, 2, 1, 0]
    assert np.asarray(image_functions.vflip(img))[:, 0].tolist() == [12, 8, 4, 0]


# Colours -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["brightness", "contrast", "saturation"])
def test_a_factor_of_one_changes_nothing(name):
    img = Image.fromarray(colours())

    assert np.array_equal(getattr(image_functions, f"adjust_{name}")(img, 1), img)


def test_factors_of_zero():
    img = Image.fromarray(colours())

    assert not np.any(image_functions.adjust_brightness(img, 0))
    assert len(np.unique(image_functions.adjust_contrast(img, 0))) == 1
    assert np.ptp(image_functions.adjust_saturation(img, 0), axis=2).max() == 0


@pytest.mark.parametrize(
    ("turn", "colour"), [(1 / 3, "green"), (-1 / 3, "blue"), (0.5, "cyan"), (-0.5, "cyan"), (0, "red")]
)
def test_hues_turn_both_ways(turn, colour):
    expected = {"green": (0, 255, 0), "blue": (0, 0, 255), "cyan": (0, 255, 255), "red": RED}[colour]

    turned = image_functions.adjust_hue(Image.new("RGB", (2, 2), RED), turn).getpixel((0, 0))

    assert np.abs(np.subtract(turned, expected)).max() <= 12  # the circle has 256 steps


@pytest.mark.parametrize("mode", ["1", "L", "I", "F", "RGB", "RGBA", "CMYK", "YCbCr", "HSV"])
def test_hues_keep_the_mode(mode):
    assert image_functions.adjust_hue(Image.new(mode, (2, 2)), -0.2).mode == mode


def test_a_hue_out_of_the_circle_is_refused():
    with pytest.raises(ValueError, match=r"not in \[-0.5, 0.5\]"):
        image_functions.adjust_hue(Image.new("RGB", (2, 2)), 0.6)


def test_gamma_follows_its_formula():
    img = Image.fromarray(np.uint8([[0, 64, 128, 255]]))

    assert np.asarray(image_functions.adjust_gamma(img, 2)).tolist() == [[0, 16, 64, 255]]
    assert np.asarray(image_functions.adjust_gamma(img, 1, gain=2)).tolist() == [[0, 128, 255, 255]]
    with pytest.raises(ValueError, match="non-negative"):
        image_functions.adjust_gamma(img, -1)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("resize", (2,)), ("crop", (0, 0, 1, 1)), ("center_crop", (1,)), ("resized_crop", (0, 0, 1, 1, 2)),
        ("hflip", ()), ("vflip", ()), ("adjust_brightness", (1,)), ("adjust_contrast", (1,)),
        ("adjust_saturation", (1,)), ("adjust_hue", (0,)), ("adjust_gamma", (1,)), ("rotate", (1,)),
        ("to_grayscale", ()),
    ],
)  # fmt: skip
def test_an_array_where_an_image_belongs_is_a_type_error(name, arguments):
    with pytest.raises(TypeError, match="img should be PIL Image"):
        getattr(image_functions, name)(colours(), *arguments)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("to_pil_image", "pic target_mode mode=None"),
        ("pil_to_array", "pic"),
        ("normalize", "img"),
        ("standardize", "img mean=None std=None"),
        ("resize", "img size interpolation=2"),
        ("crop", "img i j h w"),
        ("center_crop", "img output_size"),
        ("resized_crop", "img i j h w size interpolation=2"),
        ("hflip", "img"),
        ("vflip", "img"),
        ("adjust_brightness", "img brightness_factor"),
        ("adjust_contrast", "img contrast_factor"),
        ("adjust_saturation", "img saturation_factor"),
        ("adjust_hue", "img hue_factor"),
        ("adjust_gamma", "img gamma gain=1"),
        ("rotate", "img angle resample=False expand=False center=None"),
        ("to_grayscale", "img num_output_channels=1"),
    ],
)
def test_the_arguments_have_the_names_of_2019(name, arguments):
    parameters = inspect.signature(getattr(image_functions, name)).parameters.values()

    def shown(parameter: inspect.Parameter) -> str:
        default = parameter.default
        if default is parameter.empty:
            return parameter.name
        return f"{parameter.name}={int(default) if isinstance(default, Image.Resampling) else default}"

    assert " ".join(shown(parameter) for parameter in parameters) == arguments


# In a row ------------------------------------------------------------------------------------------------------


def test_transforms_are_applied_one_after_the_other():
    processor = ImageProcessor(
        [ToPILImage("RGB"), Resize((200, 100)), Rotate(5), Grayscale(4), Resize((20, 10)), Normalize()]
    )

    result = processor.apply_transforms(encoded(Image.fromarray(colours())))

    assert result.shape == (20, 10, 4)
    assert (result.min(), result.max()) == (0, 1)


def test_no_transforms_change_nothing():
    img = Image.new("L", (2, 2))

    assert ImageProcessor().apply_transforms(img) is img


@pytest.mark.parametrize("transforms", [None, Resize(2), {Resize}])
def test_transforms_come_in_a_sequence(transforms):
    with pytest.raises(AssertionError):
        ImageProcessor(transforms)


@pytest.mark.parametrize("processor", [ImageProcessor, MAXImageProcessor])
@pytest.mark.parametrize("last", [Resize(2), Normalize(), Standardize()])
@pytest.mark.parametrize("early", [Normalize(), Standardize()])
def test_normalizing_before_the_end_is_a_value_error(processor, early, last):
    with pytest.raises(ValueError, match="only be positioned at the end"):
        processor([ToPILImage("RGB"), early, last]).apply_transforms(encoded(Image.new("RGB", (2, 2))))


def test_a_pipeline_in_a_handler_answers_400_for_what_is_no_image():
    processor = MAXImageProcessor([ToPILImage("RGB")])

    for no_image in ("a str", b"some text"):
        with pytest.raises(BadRequest) as refused:
            processor.apply_transforms(no_image)
        assert refused.value.description == (
            "Invalid input format, please make sure the input file format  "
            "is a common image format such as JPG or PNG."
        )


def test_a_pipeline_in_a_handler_answers_400_for_too_many_dimensions():
    with pytest.raises(BadRequest) as refused:
        MAXImageProcessor([ToPILImage("RGB")]).apply_transforms(np.zeros((1, 2, 3, 4), np.uint8))

    assert refused.value.description == (
        "Invalid input, please ensure the input is either a grayscale or a colour image."
    )


@pytest.mark.parametrize("error", [ValueError("else"), TypeError("else"), KeyError("else")], ids=repr)
def test_other_errors_go_on_as_they_are(error):
    @redirect_errors_to_flask
    def fails():
        raise error

    with pytest.raises(type(error)) as raised:
        fails()
    assert raised.value is error


def test_a_redirected_function_answers_and_keeps_its_name():
    @redirect_errors_to_flask
    def add(one, two=2):
        return one + two

    assert add(1) == 3
    assert add.__name__ == "add"
