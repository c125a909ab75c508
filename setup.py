"""Packaging: the package maxfw, with the zoo and the skeleton inside it."""

import re
import shutil
from pathlib import Path

from setuptools import find_packages, setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).parent
VERSION = re.search(r'__version__ = "(.+)"', (ROOT / "maxfw/__init__.py").read_text()).group(1)

# Folders of the checkout that the wheel carries inside the package.
CARRIED = {"models": "zoo", "skeleton": "skeleton"}
CARRIED_FILES = ["Dockerfile.base"]  # `maxfw build` makes the base from it

EXTRAS = {
    "client": ["httpx>=0.27"],
    "litert": ["ai-edge-litert>=2.0"],
    "onnx": ["onnxruntime>=1.20"],
    "tensorflow": [
        "tensorflow-cpu>=2.18; platform_machine == 'x86_64'",
        "tensorflow>=2.18; platform_machine != 'x86_64'",
    ],
    "pytorch": ["torch>=2.6"],
    "huggingface": ["torch>=2.6", "transformers>=4.48", "safetensors>=0.4"],
    "ocr": ["rapidocr>=3.10,<3.11"],  # its wheel carries the networks
    "tokenizers": ["tokenizers>=0.20"],
    "fasttext": ["fasttext-predict>=0.9.2"],
    "audio": ["soundfile>=0.12", "soxr>=0.5"],
    "speech": ["pocketsphinx>=5.1,<5.2"],  # its wheel carries the English model
    "hdf5": ["h5py>=3.10"],  # weights of Keras 2, read without TensorFlow
    "ray": ["ray[serve,data]>=2.60", "pyyaml>=6"],
    "docker": ["docker>=7.1", "cyclonedx-python-lib>=9", "pyyaml>=6"],
    "docs": ["sphinx>=8", "myst-parser>=4", "furo>=2024.8"],
    # Drives the Chromium of the system and downloads none; the second carries axe-core.
    "browser": ["playwright>=1.50", "axe-playwright-python>=0.1.5"],
    "test": [
        "pytest>=8",
        "hypothesis>=6.100",
        "schemathesis>=4",
        "ruff>=0.9",
        "mypy>=1.14",
        "build>=1.2",
        "setuptools>=77",
        "onnx>=1.17",
        "compose-spec>=0.2",
        "dockerfile>=3.4",
        "kubernetes-validate>=1.30",
    ],
}


class BuildWithZoo(build_py):
    """Copies the carried folders into the package that is built; an editable install finds them in the checkout."""

    def run(self):
        super().run()
        if self.editable_mode:
            return
        for source, name in CARRIED.items():
            target = Path(self.build_lib) / "maxfw" / name
            shutil.rmtree(target, ignore_errors=True)
            shutil.copytree(ROOT / source, target, ignore=shutil.ignore_patterns("__pycache__", "*.pyc"))
        for name in CARRIED_FILES:
            shutil.copyfile(ROOT / name, Path(self.build_lib) / "maxfw" / name)


setup(
    name="maxfw",
    version=VERSION,
    description="One class in, a production microservice out: deep-learning models behind one standardized REST API.",
    long_description=(ROOT / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    license_files=["LICENSE"],
    python_requires=">=3.11",
    packages=find_packages(include=["maxfw", "maxfw.*"]),
    package_data={"maxfw": ["py.typed"], "maxfw.web": ["static/*", "static/*/*"]},
    cmdclass={"build_py": BuildWithZoo},
    install_requires=[
        "flask>=3.0",
        "flask-restx>=1.3",
        "flask-cors>=5",
        "werkzeug>=3.1",
        "granian>=2.8,<2.9",
        "msgspec>=0.19",
        "numpy>=1.26",
        "pillow>=11",
        "isal>=1.7",
        "pooch>=1.8",
        "click>=8.1",
        "rich>=13",
        "prometheus-client>=0.20",
    ],
    extras_require=EXTRAS,
    entry_points={"console_scripts": ["maxfw = maxfw.cli:main"]},
    classifiers=[
        "Programming Language :: Python :: 3",
        "Framework :: Flask",
        "Topic :: Scientific/Engineering :: Artificial Intelligence",
    ],
)
