"""Anthropic's Messages API with its limits and its bad days, on this machine and the same every time."""
