"""A small real fleet on this machine, and a story to take back: for newcomers, loopback only."""
