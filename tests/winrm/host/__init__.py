"""Windows hosts of the test suite's own: WS-Management, PSRP, IIS and services, as far as asked."""

from tests.winrm.host.fleet import Fleet, Host

__all__ = ["Fleet", "Host"]
