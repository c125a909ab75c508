"""What runs arrays: one file per framework, one idea. A path in; arrays in, arrays out.

Importing this package imports no framework; making a runtime does.
"""

from maxfw.runtimes.base import Runtime, TensorSpec, available_cpus
from maxfw.runtimes.huggingface import HuggingFaceRuntime
from maxfw.runtimes.litert import LiteRTRuntime
from maxfw.runtimes.onnx import OnnxRuntime
from maxfw.runtimes.pytorch import PyTorchRuntime
from maxfw.runtimes.tf_keras import TFKerasRuntime

__all__ = [
    "HuggingFaceRuntime",
    "LiteRTRuntime",
    "OnnxRuntime",
    "PyTorchRuntime",
    "Runtime",
    "TFKerasRuntime",
    "TensorSpec",
    "available_cpus",
]
