"""What ``cupy.cuda.compiler`` raises."""


class CompileException(Exception):
    """As CuPy's; the emulator raises its own error."""
