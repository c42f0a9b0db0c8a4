//! Names of the numbers in DNS messages (IANA, "Domain Name System Parameters").

use std::borrow::Cow;

/// The name of a record or query type; `TYPE65280` where there is none (RFC 3597 section 5).
pub fn record_type(number: u16) -> Cow<'static, str> {
    Cow::Borrowed(match number {
        1 => "A",
        2 => "NS",
        5 => "CNAME",
        6 => "SOA",
        10 => "NULL",
        12 => "PTR",
        13 => "HINFO",
        15 => "MX",
        16 => "TXT",
        17 => "RP",
        18 => "AFSDB",
        24 => "SIG",
        25 => "KEY",
        28 => "AAAA",
        29 => "LOC",
        33 => "SRV",
        35 => "NAPTR",
        37 => "CERT",
        39 => "DNAME",
        41 => "OPT",
        43 => "DS",
        44 => "SSHFP",
        46 => "RRSIG",
        47 => "NSEC",
        48 => "DNSKEY",
        49 => "DHCID",
        50 => "NSEC3",
        51 => "NSEC3PARAM",
        52 => "TLSA",
        53 => "SMIMEA",
        59 => "CDS",
        60 => "CDNSKEY",
        61 => "OPENPGPKEY",
        62 => "CSYNC",
        63 => "ZONEMD",
        64 => "SVCB",
        65 => "HTTPS",
        99 => "SPF",
        249 => "TKEY",
        250 => "TSIG",
        251 => "IXFR",
        252 => "AXFR",
        255 => "ANY",
        256 => "URI",
        257 => "CAA",
        _ => return Cow::Owned(format!("TYPE{number}")),
    })
}

/// The name of a class; the top bit, which has a meaning of its own in mDNS (RFC 6762 sections 5.4, 10.2), is ignored.
pub fn class(number: u16) -> Cow<'static, str> {
    Cow::Borrowed(match number & 0x7fff {
        1 => "IN",
        3 => "CH",
        4 => "HS",
        254 => "NONE",
        255 => "ANY",
        other => return Cow::Owned(format!("CLASS{other}")),
    })
}

/// The name of a response code, extended or not.
pub fn response_code(number: u16) -> Cow<'static, str> {
    Cow::Borrowed(match number {
        0 => "NOERROR",
        1 => "FORMERR",
        2 => "SERVFAIL",
        3 => "NXDOMAIN",
        4 => "NOTIMP",
        5 => "REFUSED",
        6 => "YXDOMAIN",
        7 => "YXRRSET",
        8 => "NXRRSET",
        9 => "NOTAUTH",
        10 => "NOTZONE",
        11 => "DSOTYPENI",
        16 => "BADVERS",
        17 => "BADKEY",
        18 => "BADTIME",
        19 => "BADMODE",
        20 => "BADNAME",
        21 => "BADALG",
        22 => "BADTRUNC",
        23 => "BADCOOKIE",
        _ => return Cow::Owned(format!("RCODE{number}")),
    })
}

/// The name of an operation.
pub fn opcode(number: u8) -> Cow<'static, str> {
    Cow::Borrowed(match number {
        0 => "QUERY",
        1 => "IQUERY",
        2 => "STATUS",
        4 => "NOTIFY",
        5 => "UPDATE",
        6 => "DSO",
        _ => return Cow::Owned(format!("OPCODE{number}")),
    })
}

/// What an extended error means (RFC 8914 section 5.2).
pub(super) fn extended_error(number: u16) -> &'static str {
    match number {
        1 => "unsupported DNSKEY algorithm",
        2 => "unsupported DS digest type",
        3 => "stale answer",
        4 => "forged answer",
        5 => "DNSSEC indeterminate",
        6 => "DNSSEC bogus",
        7 => "signature expired",
        8 => "signature not yet valid",
        9 => "DNSKEY missing",
        10 => "RRSIGs missing",
        13 => "cached error",
        14 => "not ready",
        15 => "blocked",
        16 => "censored",
        17 => "filtered",
        18 => "prohibited",
        19 => "stale NXDOMAIN answer",
        20 => "not authoritative",
        21 => "not supported",
        22 => "no reachable authority",
        23 => "network error",
        24 => "invalid data",
        _ => "other",
    }
}
