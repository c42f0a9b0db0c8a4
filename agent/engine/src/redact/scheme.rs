//! Schemes of credentials (RFC 9110 section 11.1): they are no secret, and tell what the secret is.

use memchr::memchr;

/// Schemes of the Authorization header (RFC 9110 section 11.6.2): the registered ones and some that are usual; the most
/// usual first.
const SCHEMES: &[&str] = &[
    "bearer",
    "basic",
    "digest",
    "negotiate",
    "ntlm",
    "token",
    "apikey",
    "api-key",
    "key",
    "jwt",
    "dpop",
    "gnap",
    "hoba",
    "mutual",
    "oauth",
    "hawk",
    "mac",
    "vapid",
    "signature",
    "concealed",
    "privatetoken",
    "scram-sha-1",
    "scram-sha-256",
    "aws4-hmac-sha256",
    "aws4-ecdsa-p256-sha256",
    "aws",
    "sharedkey",
    "sharedkeylite",
    "googlelogin",
    "splunk",
    "zoho-oauthtoken",
];

/// Bytes of the scheme and the blanks behind it, at the beginning of the value of a header or field of this name.
pub(super) fn of_field(name: &[u8], value: &[u8]) -> usize {
    if !name.len().checked_sub(13).is_some_and(|at| name[at..].eq_ignore_ascii_case(b"authorization")) {
        return 0;
    }
    credentials(value)
}

/// Bytes of the scheme and the blanks behind it, at the beginning of credentials.
pub(super) fn credentials(value: &[u8]) -> usize {
    let word = memchr(b' ', value).unwrap_or(value.len());
    let blanks = value[word..].iter().take_while(|&&b| b == b' ').count();
    let is_scheme = SCHEMES.iter().any(|scheme| value[..word].eq_ignore_ascii_case(scheme.as_bytes()));
    if is_scheme && blanks > 0 { word + blanks } else { 0 }
}
