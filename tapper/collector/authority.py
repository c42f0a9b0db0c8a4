"""A certificate authority of one session: made when it begins, trusted by its agents alone, forgotten with it."""

from __future__ import annotations

import ipaddress
import os
import secrets
import ssl
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

if TYPE_CHECKING:
    from collections.abc import Iterable

LIFE = timedelta(days=30)
BACKDATED = timedelta(days=1)
"""Clocks may be wrong; a certificate that is not yet valid there would keep an agent out."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """PEM texts."""

    certificate: bytes
    key: bytes

    @classmethod
    def read(cls, both: bytes) -> Certificate | None:
        """Of a file that has the certificate and then its key; None: it has not."""
        certificate, mark, key = both.partition(b"-----BEGIN PRIVATE KEY-----")
        return cls(certificate, mark + key) if certificate and mark else None

    def serves(self, hosts: Iterable[str]) -> bool:
        """Whether it is for all these names and addresses, and holds for another half of its life."""
        try:
            read = x509.load_pem_x509_certificate(self.certificate)
            named = read.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        except (ValueError, x509.ExtensionNotFound):
            return False
        return set(map(_general, hosts)) <= set(named) and datetime.now(UTC) + LIFE / 2 < read.not_valid_after_utc


class Authority:
    """Signs certificates for one session. Its key is never written down."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"tapper session {secrets.token_hex(4)}")])
        made = self._builder(self._name, self._key.public_key()).add_extension(
            x509.BasicConstraints(ca=True, path_length=0), critical=True
        )
        usage = x509.KeyUsage(
            digital_signature=False,
            content_commitment=False,
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            key_cert_sign=True,
            crl_sign=True,
            encipher_only=False,
            decipher_only=False,
        )
        signed = made.add_extension(usage, critical=True).sign(self._key, hashes.SHA256())
        self.certificate = signed.public_bytes(serialization.Encoding.PEM)
        """PEM; what agents trust."""

    def issue(self, hosts: Iterable[str], *, client: bool = False) -> Certificate:
        """A certificate for a server of these names and addresses, or for a client."""
        key = ec.generate_private_key(ec.SECP256R1())
        names = list(hosts)
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0][:64])])
        use = ExtendedKeyUsageOID.CLIENT_AUTH if client else ExtendedKeyUsageOID.SERVER_AUTH
        built = (
            self._builder(subject, key.public_key())
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.ExtendedKeyUsage([use]), critical=False)
            .add_extension(x509.SubjectAlternativeName([_general(name) for name in names]), critical=False)
        )
        signed = built.sign(self._key, hashes.SHA256())
        return Certificate(
            signed.public_bytes(serialization.Encoding.PEM),
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            ),
        )

    def _builder(self, subject: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        own = self._key.public_key()
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - BACKDATED)
            .not_valid_after(now + LIFE)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(own), critical=False)
        )


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def server_context(server: Certificate, clients: bytes | None = None) -> ssl.SSLContext:
    """TLS for a server.

    Args:
        server: its certificate.
        clients: PEM of the authority that clients must have a certificate of; None: they need none.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # OpenSSL reads keys from files only; these never are on a disk
    with ExitStack() as stack:
        paths = []
        for data in (server.certificate, server.key):
            descriptor = os.memfd_create("tls", os.MFD_CLOEXEC)
            stack.callback(os.close, descriptor)
            os.write(descriptor, data)
            paths.append(f"/proc/self/fd/{descriptor}")
        context.load_cert_chain(*paths)
    if clients is not None:
        context.load_verify_locations(cadata=clients.decode())
        context.verify_mode = ssl.CERT_REQUIRED
    return context
