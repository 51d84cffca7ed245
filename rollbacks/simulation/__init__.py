"""The real engine, planner and lifecycle under simulated time, workers, hints and instances.

One seed decides everything that is left to chance, so a schedule that went wrong can be run again.
What the instances saw is then held against the journal: docs/simulation.md.
"""
