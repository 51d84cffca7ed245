"""Load balancing: moto keeps listeners, rules and weights; what is behind them is our own."""
