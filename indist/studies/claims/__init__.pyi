from ._exact import forged as forged
from ._ledger import Claims as Claims
