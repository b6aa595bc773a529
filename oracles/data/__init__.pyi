from ._cifar_binary import CifarBinary as CifarBinary
from ._hugging_face import HuggingFace as HuggingFace
from ._idx import Idx as Idx
from ._loaded import DataLimits as DataLimits
from ._loaded import Loaded as Loaded
from ._loaded import Source as Source
from ._mnist_5k import mnist_5k as mnist_5k
from ._npz import Npz as Npz
