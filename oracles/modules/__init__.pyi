from ._convolution import ConvNet as ConvNet
from ._dense import MLP as MLP
from ._dense import BinaryLinear as BinaryLinear
from ._transformer import Transformer as Transformer
