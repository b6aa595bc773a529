"""Encoded pictures as one array of pixels."""

import warnings
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

import numpy as np

from oracles.data._loaded import DataLimits, check_size
from oracles.storage.arrays import refuse_array
from oracles.storage.files import FileError

_CHANNELS = {"L": (), "RGB": (3,)}


def decoded(path: Path, name: str, pictures: Sequence[bytes], limits: DataLimits) -> np.ndarray:
    """Decodes PNG and JPEG pictures of one size.

    Args:
        path: the file that holds them.
        name: their column in it.
        pictures: each as the bytes of its file, at least one.
        limits: the most that all may hold; each one's size is known before it is decoded.

    Returns:
        uint8 ``[pictures, height, width]`` when they are grey, ``[pictures, height, width, 3]``
        when in colour.

    Raises:
        FileError: for a picture of another size, mode or format, or a damaged one.
    """
    # Pillow is installed with matplotlib.
    from PIL import Image

    pixels: np.ndarray | None = None
    for k, data in enumerate(pictures):
        try:
            with (
                warnings.catch_warnings(),
                Image.open(BytesIO(data), formats=("PNG", "JPEG")) as picture,
            ):
                # Pillow warns of pictures with many pixels; the limits below are on bytes.
                warnings.simplefilter("ignore")
                if picture.mode not in _CHANNELS:
                    found = picture.mode
                    refuse_array(path, name, f"picture {k}: expected grey or RGB, found {found}")
                shape = (picture.height, picture.width, *_CHANNELS[picture.mode])
                if pixels is None:
                    check_size(path, (len(pictures), *shape), 1, limits)
                    pixels = np.empty((len(pictures), *shape), np.uint8)
                if shape != pixels.shape[1:]:
                    expected = f"shape {list(pixels.shape[1:])} like the first"
                    refuse_array(
                        path, name, f"picture {k}: expected {expected}, found {list(shape)}"
                    )
                pixels[k] = np.asarray(picture)
        except FileError:
            raise
        except Exception as error:  # Pillow raises almost anything on damaged pictures.
            why = " ".join(str(error).split())[:100]
            refuse_array(path, name, f"picture {k}: expected PNG or JPEG, found it damaged ({why})")
    assert pixels is not None
    return pixels
