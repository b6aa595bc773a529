"""What one model is enough for: every unlearner, audited by the coins that drew its forget set."""
