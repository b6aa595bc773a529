"""What the literature's scores can answer: their nulls, their forms, and their ranks."""
