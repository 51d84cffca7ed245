"""Changes what runs: may it, what exactly, doing it, proving it."""
