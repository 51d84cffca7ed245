"""An authority of the tests' own, and what it vouches for."""

import datetime
import ipaddress
from dataclasses import dataclass
from functools import cached_property

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID


@dataclass(frozen=True)
class Pair:
    """A certificate and its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def pem(self) -> str:
        key = self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        return self.certificate.public_bytes(Encoding.PEM).decode() + key.decode()

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(Encoding.DER)


class Authority:
    """Vouches for hosts by their address, and for people by their name."""

    @cached_property
    def root(self) -> Pair:
        key = ec.generate_private_key(ec.SECP256R1())
        return Pair(_signed("the tests' authority", key, None, is_authority=True), key)

    @property
    def pem(self) -> str:
        return self.root.certificate.public_bytes(Encoding.PEM).decode()

    def vouch(self, name: str, address: str = "") -> Pair:
        key = ec.generate_private_key(ec.SECP256R1())
        return Pair(_signed(name, key, self.root, address=address), key)


def _signed(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    signer: Pair | None,
    *,
    is_authority: bool = False,
    address: str = "",
) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(signer.certificate.subject if signer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    made = _for_strict_clients(made, (signer.key if signer else key).public_key(), is_authority)
    if address:
        where = x509.IPAddress(ipaddress.ip_address(address))
        made = made.add_extension(x509.SubjectAlternativeName([where]), critical=False)
    return made.sign(signer.key if signer else key, hashes.SHA256())


def _for_strict_clients(
    made: x509.CertificateBuilder, signer: ec.EllipticCurvePublicKey, is_authority: bool
) -> x509.CertificateBuilder:
    """Newer Pythons want to be told who signed, and that an authority may."""
    by = x509.AuthorityKeyIdentifier.from_issuer_public_key(signer)
    made = made.add_extension(by, critical=False)
    if not is_authority:
        return made
    usage = x509.KeyUsage(True, False, False, False, False, True, True, False, False)
    return made.add_extension(usage, critical=True)
