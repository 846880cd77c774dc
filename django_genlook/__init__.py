"""Virtual try-on for any Django shop, through Genlook's HTTP API."""

__version__ = "0.1.0"
