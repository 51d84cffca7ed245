"""Windows hosts reached over WinRM: IIS and Windows services."""

from rollbacks.platforms.winrm.platform import Winrm

__all__ = ["Winrm"]
