"""Learners by name, and those of the user by entry point.

A learner with a name is a class of settings, which builds the learner for a training set D and a
number of classes; a user's factory is called with these two, and settings by name. Some learners
belong to an unlearner of their own: SISA, summation-form naive Bayes, and the certified ones, whose
promise is about their own training alone.

Example:
    >>> from indist import oracles
    >>> world = oracles.scenarios.load("digits-class", seed=0)
    >>> oracles.learners.make("mlp", world.train, world.classes, hidden=(32,)).description["module"]
    'MLP( # attributes features = (32, 10) )'
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
