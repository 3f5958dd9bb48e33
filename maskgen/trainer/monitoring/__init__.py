"""How a training run is judged and recorded: evaluation, history, curves, collapse."""
