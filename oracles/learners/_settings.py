"""The settings of each learner that has a name; they make the learner for a training set.

Learners that belong to an unlearner of their own have defaults for ``logistic-3v8``, a few hundred
examples of two classes, so that what is claimed is neither nothing nor everything: where a
certificate is tight, a few hundred models should refute a tenth of its ε.
"""

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from functools import partial
from typing import Any, ClassVar, Literal, Protocol, get_args, runtime_checkable

import flax.linen as nn
import optax

from estimators.checks import check_counts, check_within
from estimators.kinds import check_name
from oracles._augmentation import CropAndFlip
from oracles._learner import Learner, Precision
from oracles._probes import Examples
from oracles.learners._descent_to_delete import SecretDescent
from oracles.learners._langevin import LangevinDescent
from oracles.learners._naive_bayes import CategoryCounts, NaiveBayes
from oracles.learners._noisy_fine_tuning import NoisyFineTuned
from oracles.learners._objective_noise import ObjectiveNoise
from oracles.learners._private import PrivateDescent
from oracles.learners._rewind_to_delete import RewindableDescent
from oracles.learners._sisa import Sisa
from oracles.modules._convolution import ConvNet
from oracles.modules._dense import MLP, BinaryLinear
from oracles.modules._residual import ResNet, WideResNet
from oracles.modules._transformer import Transformer

Schedule = Literal["constant", "cosine"]
"""How a learning rate goes."""
_RATES = "(0, 1000000]"
_NO_OPTIMISER = partial(optax.identity)


@runtime_checkable
class LearnerSettings(Protocol):
    """What the registry asks of a learner's settings: `build`."""

    def build(self, train: Examples, classes: int) -> Learner:
        """The learner for a training set D and a number of classes."""
        ...


# By keyword alone, so that the settings of a subclass are listed before these.
@dataclass(frozen=True, kw_only=True)
class _MomentumSettings:
    """Steps of SGD with momentum, at one rate or along half a cosine down to zero."""

    learning_rate: float = 0.1
    momentum: float = 0.9
    schedule: Schedule = "constant"
    steps: int = 420
    batch: int = 128
    label_smoothing: float = 0.0
    precision: Precision = "float32"

    def __post_init__(self) -> None:
        check_within(_RATES, learning_rate=self.learning_rate)
        check_within("[0, 1)", momentum=self.momentum)
        check_name(self.schedule, "schedule", get_args(Schedule))

    @property
    def steps_of_an_optimiser(self) -> int:
        """How many steps an optimiser takes from its start."""
        return self.steps

    @property
    def optimiser(self) -> "partial[optax.GradientTransformation]":
        rate: Any = self.learning_rate
        if self.schedule == "cosine":
            rate = partial(optax.cosine_decay_schedule, rate, self.steps_of_an_optimiser)
        return partial(optax.sgd, rate, momentum=self.momentum)

    def learner(self, module: nn.Module, augmentation: CropAndFlip | None = None) -> Learner:
        """The learner of a module."""
        return Learner(
            module,
            self.optimiser,
            self.steps,
            self.batch,
            label_smoothing=self.label_smoothing,
            augmentation=augmentation,
            precision=self.precision,
        )


@dataclass(frozen=True)
class MlpSettings(_MomentumSettings):
    """Multilayer perceptron, SGD with momentum."""

    hidden: Sequence[int] = (128,)

    def build(self, train: Examples, classes: int) -> Learner:
        """The learner of so many classes."""
        del train
        for width in self.hidden:
            check_counts(hidden=width)
        return self.learner(MLP((*self.hidden, classes)))


@dataclass(frozen=True)
class LogisticSettings(_MomentumSettings):
    """Logistic regression, SGD with momentum."""

    def build(self, train: Examples, classes: int) -> Learner:
        """The learner of so many classes."""
        del train
        return self.learner(MLP((classes,)))


@dataclass(frozen=True, kw_only=True)
class _ImageSettings(_MomentumSettings):
    """Learners of images ``[height, width]`` or ``[height, width, colours]``.

    With ``crop`` they are moved by up to so many pixels at each step, and with ``flip`` mirrored
    half of the time: see `CropAndFlip`.
    """

    crop: int = 0
    flip: bool = False

    def module(self, classes: int) -> nn.Module:
        """The network of so many classes."""
        raise NotImplementedError

    def build(self, train: Examples, classes: int) -> Learner:
        """The learner of so many classes; ValueError when inputs are no images."""
        if train.inputs.ndim not in (3, 4):
            raise ValueError(
                "expected training inputs [examples, height, width] or [examples, height, width, "
                f"colours], found shape {train.inputs.shape}"
            )
        if train.inputs.dtype.kind != "f":
            raise ValueError(
                f"expected images as real numbers, found {train.inputs.dtype}; a scale, such as "
                "255, divides whole numbers wider than a byte"
            )
        check_counts(least=0, crop=self.crop)
        if not (self.crop or self.flip):
            return self.learner(self.module(classes))
        changed = CropAndFlip(self.crop, self.flip)
        changed.check_images(train.inputs.shape, "crop")
        return self.learner(self.module(classes), changed)


@dataclass(frozen=True)
class CnnSettings(_ImageSettings):
    """Two convolutions on images ``[height, width]`` or ``[height, width, colours]``."""

    channels: Sequence[int] = (16, 32)

    def module(self, classes: int) -> nn.Module:
        """The network of so many classes."""
        if not self.channels:
            raise ValueError("channels: expected at least one convolution, found none")
        for count in self.channels:
            check_counts(channels=count)
        return ConvNet(classes, tuple(self.channels))


@dataclass(frozen=True)
class ResNetSettings(_ImageSettings):
    """Residual network on images, `ResNet`; by default of one block in each of three stages."""

    blocks: Sequence[int] = (1, 1, 1)
    width: int = 16
    groups: int = 8

    def module(self, classes: int) -> nn.Module:
        """The network of so many classes; ValueError when its sizes do not fit."""
        return ResNet(classes, tuple(self.blocks), self.width, self.groups)


@dataclass(frozen=True)
class WideResNetSettings(_ImageSettings):
    """Wide residual network on images, `WideResNet`; by default the shallowest."""

    depth: int = 10
    factor: int = 1
    groups: int = 8

    def module(self, classes: int) -> nn.Module:
        """The network of so many classes; ValueError when its sizes do not fit."""
        return WideResNet(classes, self.depth, self.factor, self.groups)


@dataclass(frozen=True)
class TransformerSettings:
    """A small decoder on tokens ``[length]`` that names the next one, Adam."""

    width: int = 32
    heads: int = 2
    blocks: int = 2
    learning_rate: float = 0.003
    steps: int = 420
    batch: int = 128

    def build(self, train: Examples, classes: int) -> Learner:
        """The learner of so many tokens; ValueError when inputs are no tokens."""
        if train.inputs.dtype.kind not in "iu":
            raise ValueError(f"expected tokens, whole numbers, found {train.inputs.dtype} inputs")
        check_within(_RATES, learning_rate=self.learning_rate)
        check_counts(width=self.width, heads=self.heads, blocks=self.blocks)
        module = Transformer(classes, self.width, self.heads, self.blocks)
        return Learner(module, partial(optax.adam, self.learning_rate), self.steps, self.batch)


@dataclass(frozen=True)
class SisaSettings(_MomentumSettings):
    """SISA over MLPs with one hidden layer: steps are those of a shard."""

    shards: int = 3
    slices: int = 3
    hidden: int = 64
    _: KW_ONLY
    batch: int = 64

    @property
    def steps_of_an_optimiser(self) -> int:
        """Each stage of a shard begins with a fresh one."""
        return max(1, self.steps // max(1, self.slices))

    def build(self, train: Examples, classes: int) -> Learner:
        """The learner of so many classes."""
        del train
        check_counts(hidden=self.hidden)
        return Sisa(
            MLP((self.hidden, classes)),
            self.optimiser,
            self.steps,
            self.batch,
            self.shards,
            self.slices,
            label_smoothing=self.label_smoothing,
            precision=self.precision,
        )


@dataclass(frozen=True)
class NaiveBayesSettings:
    """Naive Bayes over bins of equal width between the least and the greatest value in D."""

    bins: int = 8

    def build(self, train: Examples, classes: int) -> Learner:
        """The learner of so many classes; ValueError when all inputs are one number."""
        check_counts(bins=self.bins)
        low, high = float(train.inputs.min()), float(train.inputs.max())
        if not low < high:
            raise ValueError(f"expected inputs that differ, found {low:g} throughout")
        module = CategoryCounts(classes, self.bins, low, high)
        return NaiveBayes(module, _NO_OPTIMISER, steps=1, batch=len(train))


@dataclass(frozen=True)
class PrivateSettings:
    """Logistic regression by full-batch descent with differential privacy."""

    learning_rate: float = 6.0
    gradient_norm: float = 0.3
    sigma: float = 42.0
    steps: int = 30

    def build(self, train: Examples, classes: int) -> Learner:
        """The learner of so many classes, for a D of this size."""
        check_within(_RATES, learning_rate=self.learning_rate)
        return PrivateDescent(
            MLP((classes,)),
            partial(optax.sgd, self.learning_rate),
            steps=self.steps,
            batch=len(train),
            gradient_norm=self.gradient_norm,
            sigma=self.sigma,
        )


@dataclass(frozen=True)
class NoisyFineTuningSettings:
    """Logistic regression, clipped, tuned with noise and then without."""

    model_norm: float = 1.0
    gradient_norm: float = 1.0
    learning_rate: float = 0.01
    sigma: float = 0.3
    noisy_steps: int = 50
    free_steps: int = 200
    steps: int = 420
    batch: int = 64

    def build(self, train: Examples, classes: int) -> Learner:
        """The learner of so many classes."""
        del train
        return NoisyFineTuned(MLP((classes,)), partial(optax.sgd, 0.1, momentum=0.9), **vars(self))


class _TwoClassSettings:
    """Learners of two classes that publish weights; their settings are those of the learner."""

    kind: ClassVar[type[Any]]

    def build(self, train: Examples, classes: int) -> Learner:
        """The learner for a D of this size; ValueError when there are not two classes."""
        if classes != 2:
            raise ValueError(f"expected a scenario of 2 classes, found {classes}")
        return self.kind(BinaryLinear(), _NO_OPTIMISER, batch=len(train), **vars(self))


@dataclass(frozen=True)
class ObjectiveNoiseSettings(_TwoClassSettings):
    """Ridge logistic regression of two classes with noise in the objective."""

    kind: ClassVar[type[Any]] = ObjectiveNoise
    sigma: float = 1.0
    convexity: float = 0.03
    steps: int = 25


@dataclass(frozen=True)
class LangevinSettings(_TwoClassSettings):
    """Noisy gradient descent on ridge logistic loss of two classes."""

    kind: ClassVar[type[Any]] = LangevinDescent
    sigma: float = 0.1
    convexity: float = 0.1
    steps: int = 300


@dataclass(frozen=True)
class DescentToDeleteSettings(_TwoClassSettings):
    """Gradient descent on ridge logistic loss of two classes, published with noise."""

    kind: ClassVar[type[Any]] = SecretDescent
    sigma: float = 0.05
    convexity: float = 0.01
    steps: int = 400


@dataclass(frozen=True)
class RewindToDeleteSettings(_TwoClassSettings):
    """Gradient descent on logistic loss of two classes, published with noise."""

    kind: ClassVar[type[Any]] = RewindableDescent
    sigma: float = 0.35
    learning_rate: float = 0.25
    steps: int = 20
    rewound: int = 16
