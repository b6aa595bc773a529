"""Making populations of models: training, unlearning, references, runs on random subsets.

Stands on learners, scenarios, unlearners, engines and storage.
"""
