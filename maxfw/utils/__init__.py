"""The image transforms of 2019, under the import path that they have had since then."""
