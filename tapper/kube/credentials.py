"""The keys of a session: a certificate authority of its own, a certificate for each side, tokens.

Made on the machine of the user, used by nobody else, gone with the session. The authority's own key is not kept.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

TAP_DAYS = 2  # a tap by hand lasts hours
INSTALLED_DAYS = 3650
SKEW = timedelta(hours=1)  # clocks of nodes may be that far behind


@dataclass(frozen=True, slots=True)
class Credentials:
    """PEM text each, and tokens."""

    authority: str
    collector_certificate: str
    collector_key: str
    agent_certificate: str
    agent_key: str
    agent_token: str
    api_token: str
    redact_key: str
    """32 hex digits: equal secrets get equal marks whichever agent sees them."""


def make_credentials(collector_names: tuple[str, ...], days: int = TAP_DAYS) -> Credentials:
    """New ones.

    Args:
        collector_names: host names by which agents call the collector.
        days: how long they are valid.
    """
    now = datetime.now(UTC)
    until = now + timedelta(days=days)
    authority_key = ec.generate_private_key(ec.SECP256R1())
    authority_name = _name("tapper session")
    authority = (
        _builder(authority_name, authority_name, authority_key.public_key(), now, until)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs=True), critical=True)
        .sign(authority_key, hashes.SHA256())
    )

    def issue(name: str, usage: x509.ObjectIdentifier, names: tuple[str, ...]) -> tuple[str, str]:
        key = ec.generate_private_key(ec.SECP256R1())
        builder = (
            _builder(_name(name), authority_name, key.public_key(), now, until)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(signs=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(n) for n in names]), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()), critical=False
            )
        )
        return _pem(builder.sign(authority_key, hashes.SHA256())), _key_pem(key)

    collector = issue("tapper collector", ExtendedKeyUsageOID.SERVER_AUTH, collector_names)
    agent = issue("tapper agent", ExtendedKeyUsageOID.CLIENT_AUTH, ("agent.tapper",))
    return Credentials(
        _pem(authority),
        *collector,
        *agent,
        agent_token=secrets.token_urlsafe(32),
        api_token=secrets.token_urlsafe(32),
        redact_key=secrets.token_hex(16),
    )


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, now: datetime, until: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - SKEW)
        .not_valid_after(until)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs,
        crl_sign=signs,
        encipher_only=False,
        decipher_only=False,
    )


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def _key_pem(key: ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
