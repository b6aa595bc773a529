from ._convex_order import mean_lower_limit as mean_lower_limit
from ._exact_test import GREATEST_TOTAL as GREATEST_TOTAL
from ._exact_test import chance_of_rejection as chance_of_rejection
from ._least_models import least_models as least_models
from ._plug_in import plug_in_delta as plug_in_delta
from ._resampling import resampled_counts as resampled_counts
