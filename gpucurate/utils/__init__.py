"""NeMo Curator's paths for what is found elsewhere here: faces, modules of nothing but imports."""
