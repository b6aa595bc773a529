"""What whoever trains must keep, or exact retraining could be convicted."""

TRAINER_KEEPS = (
    "Training is one randomised procedure, and the examples that it trains on are all that it is "
    "told of the coins.",
    "A candidate whose coin kept it out goes nowhere: not into validation data, not into a "
    "hold-out set, not into pretraining.",
    "All other training data, validation data, hold-out data and hyper-parameters are chosen "
    "without looking at the coins.",
    "Normalisation, vocabulary, class weights and the like are fixed, or computed from the data "
    "without any candidate, or computed anew from what is left after forgetting.",
    "The number of steps is fixed, or computed from the data without any candidate: it is not "
    "epochs times the size of a training set that still holds what is to be forgotten.",
    "Tuning, early stopping and the choice of a checkpoint look at data without any candidate.",
    "A candidate that was never in and one that was taken out leave identical inputs, bit for bit: "
    "no padding, no gap and no place in an array shows where it was.",
    "Seeds are chosen without looking at the coins, and each model has another.",
    "All candidates are scored in one way, without looking at who was in: in the same batches, "
    "with the same precision, padding and code.",
    "Coins are drawn once: nothing is drawn again after somebody has looked at scores.",
)
"""What whoever trains must keep, a sentence each.

The bound of an audit by coins holds for every law of models that does not depend on the tested
coins. Exact retraining has such a law only where its input is all that it gets: a number that was
computed before forgetting, and kept, tells of the coins.
"""
