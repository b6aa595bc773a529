"""How much of the behaviour must be found before untraining becomes unlearning."""
