"""Workers that are actors of Ray: several machines, or a cluster that is there already.

Raises:
    ConfigurationError: Ray is not installed.
"""

from importlib.util import find_spec

from gpucurate.spec.errors import ConfigurationError

if find_spec("ray") is None:
    raise ConfigurationError("Ray is not installed: pip install 'gpucurate[ray]'")
