"""``nemo_curator.utils.file_utils``: a face of ``io.file_paths``."""

from gpucurate.io.file_paths import filter_files_by_extension, get_all_file_paths_under

__all__ = ["filter_files_by_extension", "get_all_file_paths_under"]
