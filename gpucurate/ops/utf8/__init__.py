"""UTF-8 to code points, in bounded pieces."""
