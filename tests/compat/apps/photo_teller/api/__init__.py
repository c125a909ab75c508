from .metadata import ModelMetadataAPI
from .predict import ModelPredictAPI
