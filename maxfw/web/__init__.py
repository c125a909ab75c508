"""The REST API around a predictor: Flask, flask-restx and nothing of any model."""
