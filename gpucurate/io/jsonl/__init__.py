"""JSON lines: plain, gzip and zstd."""
