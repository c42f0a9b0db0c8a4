//! Which names hold secrets: names of headers, metadata, parameters, fields, elements.
//!
//! A name is read as words (`X-Api-Key`, `api_key`, `apiKey` and `APIKey` are all "api key"), written together in lower
//! case, and searched for the stems below. A word behind the stem that only describes the secret (`token_type`,
//! `passwordPolicy`, `secretName`) makes it harmless again.

/// Letters and digits of a name that are looked at: the last ones, where the noun is.
const LONGEST: usize = 128;

/// Where a stem must lie in the name.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fit {
    /// Anywhere: it means a secret in any surrounding.
    Any,
    /// At the end of a word: `accesstoken`, but not `tokenizer`.
    End,
    /// A word of its own: `pin`, but not `shipping`.
    Word,
    /// The whole name, or what is left of it behind one of [`QUALIFIERS`].
    Whole,
}

/// Sorted by the first letter; written without separators, like the names they are searched in.
const STEMS: &[(&str, Fit)] = &[
    ("accesscode", Fit::Any),
    ("accesskey", Fit::Any),
    ("accesstokens", Fit::Any),
    ("accountkey", Fit::Any),
    ("adminkey", Fit::Any),
    ("apikey", Fit::Any),
    ("apitokens", Fit::Any),
    ("appkey", Fit::End),
    ("applicationkey", Fit::Any),
    ("assertion", Fit::Whole),
    ("auth", Fit::Whole),
    ("authcode", Fit::Any),
    ("authkey", Fit::Any),
    ("authorisation", Fit::Any),
    ("authorization", Fit::Any),
    ("authtokens", Fit::Any),
    ("backupcode", Fit::Any),
    ("bearer", Fit::Word),
    ("bearertokens", Fit::Any),
    ("card", Fit::Whole),
    ("cardcvc", Fit::Any),
    ("cardno", Fit::End),
    ("cardnum", Fit::End),
    ("cardnumber", Fit::Any),
    ("ccno", Fit::End),
    ("ccnum", Fit::End),
    ("ccnumber", Fit::Any),
    ("clientassertion", Fit::Any),
    ("clientkey", Fit::Any),
    ("codeverifier", Fit::Any),
    ("cookie", Fit::End),
    ("cookies", Fit::End),
    ("credential", Fit::Any),
    ("creditcard", Fit::Any),
    ("cvc", Fit::Word),
    ("cvn", Fit::Word),
    ("cvv", Fit::End),
    ("debitcard", Fit::Any),
    ("encryptionkey", Fit::Any),
    ("functionskey", Fit::Any),
    ("hmackey", Fit::Any),
    ("idtokens", Fit::Any),
    ("jwt", Fit::Word),
    ("licencekey", Fit::Any),
    ("licensekey", Fit::Any),
    ("masterkey", Fit::Any),
    ("otp", Fit::Word),
    ("pass", Fit::Whole),
    ("passcode", Fit::Any),
    ("passkey", Fit::Any),
    ("passphrase", Fit::Any),
    ("passwd", Fit::Any),
    ("password", Fit::Any),
    ("pin", Fit::Word),
    ("pincode", Fit::Any),
    ("pinnumber", Fit::Any),
    ("privatekey", Fit::Any),
    ("privkey", Fit::Any),
    ("psk", Fit::Word),
    ("pw", Fit::Whole),
    ("pwd", Fit::End),
    ("recoverycode", Fit::Any),
    ("refreshtokens", Fit::Any),
    ("rsakey", Fit::Any),
    ("samlresponse", Fit::Any),
    ("secret", Fit::End),
    ("secretaccesskey", Fit::Any),
    ("secretid", Fit::Any),
    ("secretkey", Fit::Any),
    ("secrets", Fit::Whole),
    ("securitycode", Fit::Any),
    ("servicekey", Fit::Any),
    ("sessid", Fit::Any),
    ("sessionid", Fit::Any),
    ("sessionkey", Fit::Any),
    ("sessiontokens", Fit::Any),
    ("sharedkey", Fit::Any),
    ("signingkey", Fit::Any),
    ("socialsecurity", Fit::Any),
    ("sshkey", Fit::Any),
    ("ssn", Fit::End),
    ("storagekey", Fit::Any),
    ("subscriptionkey", Fit::Any),
    ("token", Fit::End),
    ("totp", Fit::Word),
    ("verificationcode", Fit::Any),
    ("writekey", Fit::Any),
];

/// In front of a stem that must be the whole name.
const QUALIFIERS: &[&str] = &[
    "x", "xx", "my", "user", "basic", "http", "proxy", "smtp", "mail", "email", "db", "database", "mysql", "pg",
    "postgres", "redis", "ldap", "ftp", "sudo", "root", "admin", "login", "docker", "registry", "api", "payment",
    "bank", "gift", "client", "app", "env", "build",
];

/// Further names of query parameters: too usual elsewhere, but a parameter of this name opens something.
const PARAMETERS: &[&str] = &[
    "sid",
    "sig",
    "signature",
    "xamzsignature",
    "xgoogsignature",
    "session",
    "assertion",
    "samlrequest",
    "oauthsignature",
];

/// In front of "token": it marks a place in a list or a text, and opens nothing.
const PLAIN_TOKENS: &[&str] =
    &["page", "next", "pagination", "continuation", "starting", "sync", "bos", "eos", "pad", "unk", "max", "total"];

/// As the first word: the name asks or counts.
const ASKING: &[&str] = &["has", "is", "needs", "requires", "require", "num", "max", "min", "no", "can", "should"];

fn describes(word: &[u8]) -> bool {
    matches!(
        word,
        b"name"
            | b"names"
            | b"type"
            | b"types"
            | b"kind"
            | b"ref"
            | b"refs"
            | b"id"
            | b"ids"
            | b"index"
            | b"label"
            | b"exp"
            | b"expire"
            | b"expires"
            | b"expired"
            | b"expiry"
            | b"expiration"
            | b"ttl"
            | b"lifetime"
            | b"age"
            | b"at"
            | b"date"
            | b"time"
            | b"created"
            | b"updated"
            | b"changed"
            | b"version"
            | b"status"
            | b"valid"
            | b"validity"
            | b"strength"
            | b"policy"
            | b"policies"
            | b"rule"
            | b"rules"
            | b"format"
            | b"required"
            | b"enabled"
            | b"disabled"
            | b"url"
            | b"uri"
            | b"endpoint"
            | b"endpoints"
            | b"path"
            | b"domain"
            | b"location"
            | b"count"
            | b"counts"
            | b"length"
            | b"len"
            | b"limit"
            | b"limits"
            | b"size"
            | b"max"
            | b"min"
            | b"usage"
            | b"used"
            | b"budget"
            | b"cost"
            | b"price"
            | b"algorithm"
            | b"alg"
            | b"issuer"
            | b"scope"
            | b"scopes"
            | b"placeholder"
            | b"title"
            | b"help"
            | b"message"
            | b"error"
            | b"errors"
            | b"description"
            | b"field"
            | b"provider"
            | b"providers"
            | b"method"
            | b"mode"
            | b"attempts"
            | b"retries"
            | b"consent"
            | b"banner"
            | b"preferences"
            | b"less"
    )
}

/// Where the stems of each first letter lie in [`STEMS`].
const BY_LETTER: [(u8, u8); 26] = {
    let mut ranges = [(0, 0); 26];
    let mut at = 0;
    while at < STEMS.len() {
        let letter = (STEMS[at].0.as_bytes()[0] - b'a') as usize;
        if ranges[letter].1 == 0 {
            ranges[letter].0 = at as u8;
        }
        ranges[letter].1 = at as u8 + 1;
        at += 1;
    }
    ranges
};

/// A name's words, written together in lower case.
struct Words {
    text: [u8; LONGEST],
    len: usize,
    /// Bit `i`: a word begins at `text[i]`.
    begins: u128,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Separator,
    Lower,
    Upper,
    Digit,
}

fn class(byte: u8) -> Class {
    match byte {
        b'a'..=b'z' | 0x80.. => Class::Lower,
        b'A'..=b'Z' => Class::Upper,
        b'0'..=b'9' => Class::Digit,
        _ => Class::Separator,
    }
}

impl Words {
    fn of(name: &[u8]) -> Self {
        let name = &name[name.len().saturating_sub(LONGEST)..];
        let mut words = Self { text: [0; LONGEST], len: 0, begins: 0 };
        let mut before = Class::Separator;
        for (at, &byte) in name.iter().enumerate() {
            let this = class(byte);
            if this != Class::Separator {
                let begins = match (before, this) {
                    (Class::Separator, _) | (Class::Lower, Class::Upper) => true,
                    // The last capital of "API" + "Key".
                    (Class::Upper, Class::Upper) => name.get(at + 1).is_some_and(|&b| class(b) == Class::Lower),
                    (Class::Digit, other) | (other, Class::Digit) => other != Class::Digit,
                    _ => false,
                };
                words.begins |= u128::from(begins) << words.len;
                words.text[words.len] = byte.to_ascii_lowercase();
                words.len += 1;
            }
            before = this;
        }
        words
    }

    fn text(&self) -> &[u8] {
        &self.text[..self.len]
    }

    fn begins(&self, at: usize) -> bool {
        at >= self.len || self.begins >> at & 1 == 1
    }

    /// The piece from here to the next beginning of a word.
    fn word(&self, at: usize) -> &[u8] {
        let rest = if at + 1 < self.len { self.begins >> (at + 1) } else { 0 };
        let end = if rest == 0 { self.len } else { at + 1 + rest.trailing_zeros() as usize };
        &self.text[at..end]
    }

    fn is_described_from(&self, mut at: usize) -> bool {
        while at < self.len {
            let word = self.word(at);
            if describes(word) {
                return true;
            }
            at += word.len();
        }
        false
    }

    fn fits(&self, at: usize, stem: &str, fit: Fit) -> bool {
        let (before, end) = (&self.text[..at], at + stem.len());
        match fit {
            Fit::Any => true,
            Fit::Word => self.begins(at) && self.begins(end),
            Fit::End if stem == "token" => {
                self.begins(end) && !PLAIN_TOKENS.iter().any(|plain| before.ends_with(plain.as_bytes()))
            }
            Fit::End => self.begins(end),
            Fit::Whole => {
                (end == self.len || self.begins(end) && self.text[end..self.len].iter().all(u8::is_ascii_digit))
                    && (at == 0 || QUALIFIERS.iter().any(|word| before == word.as_bytes()))
            }
        }
    }

    fn are_secret(&self) -> bool {
        for at in 0..self.len {
            let letter = self.text[at].wrapping_sub(b'a') as usize;
            let Some(&(from, to)) = BY_LETTER.get(letter) else { continue };
            for &(stem, fit) in &STEMS[from as usize..to as usize] {
                if self.text()[at..].starts_with(stem.as_bytes())
                    && self.fits(at, stem, fit)
                    && !self.is_described_from(at + stem.len())
                {
                    let first = self.word(0);
                    return at == 0 || !ASKING.iter().any(|word| first == word.as_bytes());
                }
            }
        }
        false
    }
}

/// The names that hold secrets: those that everybody knows, and further ones.
#[derive(Debug, Default)]
pub(super) struct Names {
    extra: Vec<Box<[u8]>>,
}

impl Names {
    /// Knows these names as well, however their words are separated.
    pub fn new(extra: &[String]) -> Self {
        let extra = extra.iter().map(|name| Box::<[u8]>::from(Words::of(name.as_bytes()).text()));
        Self { extra: extra.filter(|name| !name.is_empty()).collect() }
    }

    /// Whether a value of this name is a secret.
    pub fn is_secret(&self, name: &[u8]) -> bool {
        let words = Words::of(name);
        words.are_secret() || self.extra.iter().any(|name| **name == *words.text())
    }

    /// Whether the value of a query or form parameter of this name is a secret.
    pub fn is_secret_parameter(&self, name: &[u8]) -> bool {
        let words = Words::of(name);
        words.are_secret()
            || PARAMETERS.iter().any(|name| name.as_bytes() == words.text())
            || self.extra.iter().any(|name| **name == *words.text())
    }
}

#[cfg(test)]
pub(super) fn stems() -> impl Iterator<Item = &'static str> {
    STEMS.iter().map(|&(stem, _)| stem)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &[&str] = &[
        "password",
        "Password",
        "PASSWORD",
        "PaSsWoRd",
        "passwd",
        "pwd",
        "DB_PWD",
        "passphrase",
        "pass",
        "db_pass",
        "userpassword",
        "user.password",
        "user[password]",
        "password1",
        "newPassword",
        "passwordConfirmation",
        "password_hash",
        "spring.datasource.hikari.password",
        "j_password",
        "pass word",
        "secret",
        "client_secret",
        "clientSecret",
        "x-hub-secret",
        "secretKey",
        "aws_secret_access_key",
        "SecretString",
        "secrets",
        "secret_id",
        "token",
        "x-csrf-token",
        "csrfmiddlewaretoken",
        "access_token",
        "accessToken",
        "id_token",
        "refreshToken",
        "X-Vault-Token",
        "x-amz-security-token",
        "authToken",
        "token2",
        "access_tokens",
        "OAuthToken",
        "apikey",
        "api-key",
        "api_key",
        "apiKey",
        "APIKey",
        "X-Api-Key",
        "x-goog-api-key",
        "api key",
        "XAPIKEY",
        "ocp-apim-subscription-key",
        "authorization",
        "Authorization",
        "proxy-authorization",
        "x-forwarded-authorization",
        "auth",
        "x-auth",
        "credential",
        "credentials",
        "X-Amz-Credential",
        "cookie",
        "set-cookie",
        "Set-Cookie2",
        "cookies",
        "ssn",
        "customerSSN",
        "social_security_number",
        "card",
        "card_number",
        "cardNumber",
        "creditCard",
        "ccnum",
        "cvv",
        "CVV2",
        "cardCvc",
        "cvc",
        "security_code",
        "pin",
        "userPIN",
        "pin_code",
        "otp",
        "private_key",
        "privateKey",
        "-private-key-",
        "ssh_key",
        "session_id",
        "sessionId",
        "JSESSIONID",
        "PHPSESSID",
        "session_key",
        "jwt",
        "x-jwt-assertion",
        "code_verifier",
        "client_assertion",
        "SAMLResponse",
        "pw",
        "authorization_code",
        "bearer",
    ];

    const HARMLESS: &[&str] = &[
        "",
        "-",
        "max_tokens",
        "total_tokens",
        "tokens",
        "prompt_tokens",
        "tokenizer",
        "tokenized",
        "token_type",
        "tokenType",
        "token_count",
        "token_endpoint",
        "expires_in",
        "next_page_token",
        "nextToken",
        "NextToken",
        "discard",
        "cardinality",
        "card_type",
        "cardholder",
        "dashboard_cards",
        "pinned",
        "shipping",
        "spin",
        "pinning",
        "compass",
        "passenger",
        "passport_country",
        "bypass",
        "boarding_pass",
        "pass_rate",
        "passwordless",
        "author",
        "authors",
        "authorized",
        "www-authenticate",
        "authority",
        ":authority",
        "authenticated",
        "oauth",
        "secretary",
        "secretName",
        "secretRef",
        "secretKeyRef",
        "imagePullSecrets",
        "password_policy",
        "passwordChangedAt",
        "has_password",
        "password_reset_url",
        "access_key_id",
        "private_key_id",
        "credential_id",
        "public_key",
        "key",
        "keys",
        "monkey",
        "keyboard",
        "host_key",
        "cookie_policy",
        "cookieEnabled",
        "session",
        "session_count",
        "sid",
        "signature",
        "sig",
        "side",
        "business_name",
        "lessons",
        "content-type",
        "user-agent",
        "x-request-id",
        "idempotency-key",
        "sec-websocket-key",
        "etag",
        "traceparent",
        "code",
        "status_code",
        "authorization_endpoint",
        "is_secret",
    ];

    #[test]
    fn names_are_told_apart_by_their_words() {
        let names = Names::default();
        for name in SECRET {
            assert!(names.is_secret(name.as_bytes()), "{name} holds a secret");
        }
        for name in HARMLESS {
            assert!(!names.is_secret(name.as_bytes()), "{name} holds no secret");
        }
    }

    #[test]
    fn parameters_have_further_names() {
        let names = Names::default();
        for name in ["sig", "X-Amz-Signature", "sid", "access_token"] {
            assert!(names.is_secret_parameter(name.as_bytes()), "{name}");
        }
        for name in ["page", "code", "state", "key", "side"] {
            assert!(!names.is_secret_parameter(name.as_bytes()), "{name}");
        }
    }

    #[test]
    fn further_names_are_known_in_any_spelling() {
        let names = Names::new(&["x-internal-id".into(), "größe".into(), "-".into()]);
        for name in ["X-Internal-Id", "xInternalId", "x_internal_id", "größe"] {
            assert!(names.is_secret(name.as_bytes()), "{name}");
        }
        for name in ["internal-id", "x-internal-ids", "", "."] {
            assert!(!names.is_secret(name.as_bytes()), "{name}");
        }
    }

    #[test]
    fn stems_are_sorted_by_their_first_letter() {
        assert!(STEMS.windows(2).all(|pair| pair[0].0.as_bytes()[0] <= pair[1].0.as_bytes()[0]));
        assert!(stems().all(|stem| stem.bytes().all(|b| b.is_ascii_lowercase())));
    }

    #[test]
    fn long_names_end_in_what_matters() {
        let names = Names::default();
        let long = format!("{}.password", "a.".repeat(500));
        assert!(names.is_secret(long.as_bytes()));
        assert!(!names.is_secret(&[b'x'; 1000]));
        assert!(!names.is_secret(&[b'A'; 1000]));
    }
}
