from ._candidates import Candidates as Candidates
from ._candidates import read_candidates as read_candidates
from ._design import CoinDesign as CoinDesign
from ._draw import draw_coins as draw_coins
from ._load import load_design as load_design
from ._trainer import TRAINER_KEEPS as TRAINER_KEEPS
