from ._convolution import ConvNet as ConvNet
from ._dense import MLP as MLP
from ._dense import BinaryLinear as BinaryLinear
from ._residual import ResNet as ResNet
from ._residual import WideResNet as WideResNet
from ._transformer import Transformer as Transformer
