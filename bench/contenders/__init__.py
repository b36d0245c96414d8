"""Who takes part in `bench.dispatch`: ours, and what a user would pick instead."""
