"""gpucurate: GPU-native dataframe pipelines that curate text corpora for LLM training."""

__version__ = "0.1.0"
