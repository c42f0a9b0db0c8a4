//! Which names hold secrets: names of headers, metadata, parameters, fields, elements.
//!
//! A name is read as words (`X-Api-Key`, `api_key`, `apiKey` and `APIKey` are all "api key"), written together in lower
//! case, and searched for the stems below. A word behind the stem that only describes the secret (`token_type`,
//! `passwordPolicy`, `secretName`) makes it harmless again.

/// Bytes of a name that are looked at: the last ones, where the noun is.
const LONGEST: usize = 64;

/// Where a stem must lie in the name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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

/// Written without separators, like the names they are searched in.
const STEMS: &[(Fit, &str)] = &[
    (
        Fit::Any,
        "accesscode accesskey accesstokens accountkey adminkey apikey apitokens applicationkey authcode authkey \
         authorisation authorization authtokens backupcode bearertokens cardcvc cardnumber ccnumber clientassertion \
         clientkey codeverifier credential creditcard debitcard encryptionkey functionskey hmackey idtokens licencekey \
         licensekey masterkey passcode passkey passphrase passwd password pincode pinnumber privatekey privkey \
         recoverycode refreshtokens rsakey samlresponse secretaccesskey secretid secretkey securitycode servicekey \
         sessid sessionid sessionkey sessiontokens sharedkey signingkey socialsecurity sshkey storagekey \
         subscriptionkey verificationcode writekey",
    ),
    (Fit::End, "appkey cardno cardnum ccno ccnum cookie cookies cvv pwd secret ssn token"),
    (Fit::Word, "bearer cvc cvn jwt otp pin psk totp"),
    (Fit::Whole, "assertion auth card pass pw secrets"),
];

/// In front of a stem that must be the whole name.
const QUALIFIERS: &str = "\
     x xx my user basic http proxy smtp mail email db database mysql pg postgres redis ldap ftp sudo root admin \
     login docker registry api payment bank gift client app env build";

/// Further names of query parameters: too usual elsewhere, but a parameter of this name opens something.
const PARAMETERS: &str = "sid sig signature xamzsignature xgoogsignature session assertion samlrequest oauthsignature";

/// In front of "token": it marks a place in a list or a text, and opens nothing.
const PLAIN_TOKENS: &str = "page next pagination continuation starting sync bos eos pad unk max total";

/// As the first word: the name asks or counts.
const ASKING: &str = "has is needs requires require num max min no can should";

/// Behind a stem: what it says of the secret, without being one.
const DESCRIBING: &str = "\
     name names type types kind ref refs id ids index label exp expire expires expired expiry expiration ttl \
     lifetime age at date time created updated changed version status valid validity strength policy policies rule \
     rules format required enabled disabled url uri endpoint endpoints path domain location count counts length len \
     limit limits size max min usage used budget cost price algorithm alg issuer scope scopes placeholder title help \
     message error errors description field provider providers method mode attempts retries consent banner \
     preferences less";

fn is_one_of(list: &str, word: &[u8]) -> bool {
    list.split(' ').any(|known| known.as_bytes() == word)
}

/// A name's words, written together in lower case.
struct Words {
    text: [u8; LONGEST],
    len: usize,
    /// Bit `i`: a word begins at `text[i]`.
    begins: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Separator,
    Lower,
    Upper,
    Digit,
}

const CLASSES: [Class; 256] = {
    let mut classes = [Class::Separator; 256];
    let mut byte = 0;
    while byte < 256 {
        classes[byte] = match byte as u8 {
            b'a'..=b'z' | 0x80.. => Class::Lower,
            b'A'..=b'Z' => Class::Upper,
            b'0'..=b'9' => Class::Digit,
            _ => Class::Separator,
        };
        byte += 1;
    }
    classes
};

fn class(byte: u8) -> Class {
    CLASSES[byte as usize]
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
                words.begins |= u64::from(begins) << words.len;
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

    fn are_described_from(&self, mut at: usize) -> bool {
        while at < self.len {
            let word = self.word(at);
            if is_one_of(DESCRIBING, word) {
                return true;
            }
            at += word.len();
        }
        false
    }

    fn fit(&self, at: usize, stem: &str, fit: Fit) -> bool {
        let (before, end) = (&self.text[..at], at + stem.len());
        match fit {
            Fit::Any => true,
            Fit::Word => self.begins(at) && self.begins(end),
            Fit::End if stem == "token" => {
                self.begins(end) && !PLAIN_TOKENS.split(' ').any(|plain| before.ends_with(plain.as_bytes()))
            }
            Fit::End => self.begins(end),
            Fit::Whole => {
                (end == self.len || self.begins(end) && self.text[end..self.len].iter().all(u8::is_ascii_digit))
                    && (at == 0 || is_one_of(QUALIFIERS, before))
            }
        }
    }
}

/// The names that hold secrets: those that everybody knows, and further ones.
#[derive(Debug)]
pub(super) struct Names {
    /// By the first letter.
    stems: [Vec<(&'static str, Fit)>; 26],
    extra: Vec<Vec<u8>>,
}

impl Names {
    /// Knows these names as well, however their words are separated.
    pub fn new(extra: &[String]) -> Self {
        let mut stems: [Vec<_>; 26] = Default::default();
        for (fit, list) in STEMS {
            for stem in list.split(' ') {
                stems[(stem.as_bytes()[0] - b'a') as usize].push((stem, *fit));
            }
        }
        let extra = extra.iter().map(|name| Words::of(name.as_bytes()).text().to_vec());
        Self { stems, extra: extra.filter(|name| !name.is_empty()).collect() }
    }

    /// Whether a value of this name is a secret.
    pub fn is_secret(&self, name: &[u8]) -> bool {
        self.are_secret(&Words::of(name))
    }

    /// Whether the value of a query or form parameter of this name is a secret.
    pub fn is_secret_parameter(&self, name: &[u8]) -> bool {
        let words = Words::of(name);
        self.are_secret(&words) || is_one_of(PARAMETERS, words.text())
    }

    fn are_secret(&self, words: &Words) -> bool {
        self.have_stem(words) || self.extra.iter().any(|name| name == words.text())
    }

    fn have_stem(&self, words: &Words) -> bool {
        let text = words.text();
        for (at, pair) in text.windows(2).enumerate() {
            let Some(stems) = self.stems.get(pair[0].wrapping_sub(b'a') as usize) else { continue };
            for &(stem, fit) in stems {
                if stem.as_bytes()[1] == pair[1]
                    && text[at..].starts_with(stem.as_bytes())
                    && words.fit(at, stem, fit)
                    && !words.are_described_from(at + stem.len())
                {
                    return at == 0 || !is_one_of(ASKING, words.word(0));
                }
            }
        }
        false
    }
}

#[cfg(test)]
pub(super) fn stems() -> impl Iterator<Item = &'static str> {
    STEMS.iter().flat_map(|(_, list)| list.split(' '))
}

#[cfg(test)]
pub(super) fn parameters() -> impl Iterator<Item = &'static str> {
    PARAMETERS.split(' ')
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "\
         password Password PASSWORD PaSsWoRd passwd pwd DB_PWD passphrase pass db_pass userpassword user.password \
         user[password] password1 newPassword passwordConfirmation password_hash spring.datasource.hikari.password \
         j_password secret client_secret clientSecret x-hub-secret secretKey aws_secret_access_key SecretString \
         secrets secret_id token x-csrf-token csrfmiddlewaretoken access_token accessToken id_token refreshToken \
         X-Vault-Token x-amz-security-token authToken token2 access_tokens OAuthToken apikey api-key api_key apiKey \
         APIKey X-Api-Key x-goog-api-key XAPIKEY ocp-apim-subscription-key authorization Authorization \
         proxy-authorization x-forwarded-authorization auth x-auth credential credentials X-Amz-Credential cookie \
         set-cookie Set-Cookie2 cookies ssn customerSSN social_security_number card card_number cardNumber \
         creditCard ccnum cvv CVV2 cardCvc cvc security_code pin userPIN pin_code otp private_key privateKey \
         -private-key- ssh_key session_id sessionId JSESSIONID PHPSESSID session_key jwt x-jwt-assertion \
         code_verifier client_assertion SAMLResponse pw authorization_code bearer";

    const HARMLESS: &str = "\
         - max_tokens total_tokens tokens prompt_tokens tokenizer tokenized token_type tokenType token_count \
         token_endpoint expires_in next_page_token nextToken NextToken discard cardinality card_type cardholder \
         dashboard_cards pinned shipping spin pinning compass passenger passport_country bypass boarding_pass \
         pass_rate passwordless author authors authorized www-authenticate authority :authority authenticated oauth \
         secretary secretName secretRef secretKeyRef imagePullSecrets password_policy passwordChangedAt has_password \
         password_reset_url access_key_id private_key_id credential_id public_key key keys monkey keyboard host_key \
         cookie_policy cookieEnabled session session_count sid signature sig side business_name lessons content-type \
         user-agent x-request-id idempotency-key sec-websocket-key etag traceparent code status_code \
         authorization_endpoint is_secret";

    #[test]
    fn names_are_told_apart_by_their_words() {
        let names = Names::new(&[]);
        for name in SECRET.split(' ').chain(["pass word", "api key"]) {
            assert!(names.is_secret(name.as_bytes()), "{name} holds a secret");
        }
        for name in HARMLESS.split(' ').chain([""]) {
            assert!(!names.is_secret(name.as_bytes()), "{name} holds no secret");
        }
    }

    #[test]
    fn parameters_have_further_names() {
        let names = Names::new(&[]);
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
    fn long_names_end_in_what_matters() {
        let names = Names::new(&[]);
        let long = format!("{}.password", "a.".repeat(500));
        assert!(names.is_secret(long.as_bytes()));
        assert!(!names.is_secret(&[b'x'; 1000]));
        assert!(!names.is_secret(&[b'A'; 1000]));
    }
}
