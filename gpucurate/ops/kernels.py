"""Where the CUDA C++ sources are: inside an installed package, or beside it in the repository."""

from __future__ import annotations

from pathlib import Path

from gpucurate.spec.errors import ConfigurationError

_PACKAGE = Path(__file__).resolve().parents[1]
#: Searched in this order: a wheel carries ``gpucurate/_kernels``; an editable install has
#: only the repository's ``kernels``, so that an edit there is what runs next.
SEARCHED: tuple[Path, ...] = (_PACKAGE / "_kernels", _PACKAGE.parent / "kernels")


def kernel_path(name: str) -> Path:
    """The file of the kernel source ``name``, with or without its suffix ``.cu``.

    Its folder is the include path that the source needs (``-I``), for ``portable.cuh``.

    Raises:
        ConfigurationError: no such source in any of the places searched.

    Example:
        >>> kernel_path("minhash").name
        'minhash.cu'
    """
    file = name if name.endswith((".cu", ".cuh")) else f"{name}.cu"
    for folder in SEARCHED:
        if (folder / file).is_file():
            return folder / file
    places = " nor ".join(str(folder) for folder in SEARCHED)
    raise ConfigurationError(
        f"kernel source {file!r} is in neither {places}; "
        f"known: {', '.join(kernel_names()) or 'none'}. Install gpucurate again if the name is right."
    )


def kernel_source(name: str) -> str:
    """The text of the kernel source ``name``; read anew at each call.

    Raises:
        ConfigurationError: as :func:`kernel_path`.
    """
    return kernel_path(name).read_text(encoding="utf-8")


def kernel_names() -> list[str]:
    """The kernels there are, sorted, without suffix."""
    return sorted({source.stem for folder in SEARCHED for source in folder.glob("*.cu")})
