"""The recipes that make the bundled models, and the texts that they learn from. Not needed to run."""
