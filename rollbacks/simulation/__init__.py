"""The real engine, planner and lifecycle under simulated time, workers, hints and hosts.

One seed decides everything that is left to chance, so a schedule that went wrong can be run again.
What the hosts saw is then held against the journal. docs/architecture.md says what this shows and
what it cannot.
"""
