"""What the people who run Lastgood look at: probes, metrics, and what is stuck. Reads only."""
