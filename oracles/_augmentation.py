"""Random changes of images while a model trains."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
from jaxtyping import Array, Key, Shaped

from estimators.checks import check_counts
from estimators.kinds import check_kind


@dataclass(frozen=True)
class CropAndFlip:
    """Each image of a batch moved by a few pixels, and mirrored half of the time.

    An image is padded with zeros on all four sides and a window of its own size is cut out of it,
    each of the (2 padding + 1)^2 places as likely as the other. Then it is mirrored, left to right,
    with probability 1/2. Source: He et al. 2016, "Deep residual learning", section 4.2.

    Attributes:
        padding: pixels a side, at least 0, which moves nothing.
        flip: whether images are mirrored too; not for digits or letters.

    Raises:
        ValueError: when padding is below 0.

    Example:
        >>> images = jnp.ones((5, 8, 8))
        >>> CropAndFlip(padding=2)(images, jax.random.key(0)).shape
        (5, 8, 8)
    """

    padding: int = 4
    flip: bool = True

    def __post_init__(self) -> None:
        check_counts(least=0, padding=self.padding)
        check_kind(self.flip, "flip", bool, "True or False")

    def check_images(self, shape: tuple[int, ...], name: str = "padding") -> None:
        """Refuses inputs that are no images, and images of which a window may hold nothing.

        Args:
            shape: of a batch.
            name: of the padding, where it is a setting.

        Raises:
            ValueError: otherwise.
        """
        if len(shape) not in (3, 4):
            raise ValueError(
                "augmentation: expected images [height, width] or [height, width, colours], found "
                f"inputs of shape {list(shape[1:])}"
            )
        if self.padding >= min(shape[1:3]):
            raise ValueError(
                f"{name}: expected fewer pixels than the images' {shape[1]} x {shape[2]}, found "
                f"{self.padding}"
            )

    def __call__(
        self, images: Shaped[Array, "batch height width *colours"], key: Key[Array, ""]
    ) -> Shaped[Array, "batch height width *colours"]:
        """Changed images.

        Args:
            images: the batch.
            key: of its randomness.

        Raises:
            ValueError: when they are no images, or no larger than the padding.
        """
        self.check_images(images.shape)
        count, height, width = images.shape[:3]
        place_key, flip_key = jax.random.split(key)
        place = jax.random.randint(place_key, (2, count, 1), -self.padding, self.padding + 1)
        columns = jnp.arange(width)[None]
        if self.flip:
            is_flipped = jax.random.bernoulli(flip_key, shape=(count, 1))
            columns = jnp.where(is_flipped, width - 1 - columns, columns)
        rows, columns = jnp.arange(height)[None] + place[0], columns + place[1]
        moved = images[
            jnp.arange(count)[:, None, None],
            jnp.clip(rows, 0, height - 1)[:, :, None],
            jnp.clip(columns, 0, width - 1)[:, None, :],
        ]
        is_inside = ((rows >= 0) & (rows < height))[:, :, None] & (
            (columns >= 0) & (columns < width)
        )[:, None, :]
        is_inside = jnp.reshape(is_inside, is_inside.shape + (1,) * (images.ndim - 3))
        return jnp.where(is_inside, moved, jnp.zeros((), images.dtype))
