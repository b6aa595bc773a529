from ._by_name import engine as engine
from ._distributed import Distributed as Distributed
from ._engine import Engine as Engine
from ._local import Local as Local
from ._ray import Ray as Ray
from ._width import block_width as block_width
