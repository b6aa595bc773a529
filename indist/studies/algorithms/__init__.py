"""Which unlearners do which job: every method in every scenario, and those built to generalise."""
