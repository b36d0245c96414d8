"""The load client, the publisher and the contenders of `bench.stream`."""
