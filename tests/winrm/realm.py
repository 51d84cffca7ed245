"""A Kerberos realm for tests: MIT's key distribution center, on loopback, gone with the test."""

import os
import shutil
import socket
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.ports import LOOPBACK, free_port
from tests.servers import Server

REALM = "SHOP.EXAMPLE"
_PROGRAMS = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin"))


def program(name: str) -> str | None:
    return shutil.which(name, path=_PROGRAMS)


class Realm(Server):
    """`keytab`: the keys of hosts, which a host of the tests needs to know its clients."""

    def prepare(self) -> None:
        self.port = free_port()
        self.config.write_text(_CLIENT.format(realm=REALM, where=self._where))
        self._profile.write_text(
            _CENTER.format(realm=REALM, where=self._where, directory=self.directory)
        )
        self.run(str(program("kdb5_util")), "create", "-s", "-r", REALM, "-P", "of no use later")

    def add_user(self, name: str, password: str, *options: str) -> None:
        self.administer("add_principal", *options, "-pw", password, f"{name}@{REALM}")

    def add_host(self, address: str) -> None:
        """The names that a computer of a domain answers to, with their keys in the keytab."""
        for service in ("host", "HTTP"):
            name = f"{service}/{address}@{REALM}"
            self.administer("add_principal", "-randkey", name)
            self.administer("ktadd", "-q", "-k", str(self.keytab), name)

    def administer(self, *query: str) -> None:
        self.run(str(program("kadmin.local")), "-r", REALM, *query)

    @property
    def config(self) -> Path:
        return self.directory / "krb5.conf"

    @property
    def keytab(self) -> Path:
        return self.directory / "hosts.keytab"

    def command(self) -> Sequence[str]:
        return [str(program("krb5kdc")), "-n", "-r", REALM]

    def environment(self) -> Mapping[str, str]:
        return {"KRB5_CONFIG": str(self.config), "KRB5_KDC_PROFILE": str(self._profile)}

    def answers(self) -> bool:
        try:
            socket.create_connection((LOOPBACK, self.port), timeout=2).close()
        except OSError:
            return False
        return True

    @property
    def _profile(self) -> Path:
        return self.directory / "kdc.conf"

    @property
    def _where(self) -> str:
        return f"{LOOPBACK}:{self.port}"


_CLIENT = """
[libdefaults]
    default_realm = {realm}
    dns_lookup_kdc = false
    dns_lookup_realm = false
    dns_canonicalize_hostname = false
    rdns = false
    udp_preference_limit = 1
[realms]
    {realm} = {{
        kdc = {where}
    }}
"""
_CENTER = """
[kdcdefaults]
    kdc_listen = {where}
    kdc_tcp_listen = {where}
[realms]
    {realm} = {{
        database_name = {directory}/principals
        key_stash_file = {directory}/stash
        acl_file = {directory}/acl
    }}
[logging]
    kdc = FILE:{directory}/log
"""
