"""What precision costs: models, time, exchange rates, and detectors of the behaviour."""
