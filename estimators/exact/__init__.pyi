from ._convex_order import mean_lower_limit as mean_lower_limit
from ._plug_in import plug_in_delta as plug_in_delta
