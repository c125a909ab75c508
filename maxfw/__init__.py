"""maxfw: one class in, a production microservice out."""

__version__ = "2.0.0"
