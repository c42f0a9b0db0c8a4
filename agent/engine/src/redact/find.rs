//! Where the name of a secret may be: a vectorised search for fragments of such names.

use std::cell::Cell;
use std::fmt;

use aho_corasick::{AhoCorasick, MatchKind, packed};

/// What was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hit {
    /// A fragment of a name.
    Name,
    /// `\u00`: one character of a name may be written so.
    Escape,
    /// `eyJ`: a JSON web token may begin.
    Jwt,
    /// `-----BEGIN`: a private key may begin.
    Pem,
    /// `://`: a URL may hold a password.
    Url,
}

/// Every stem of a secret name holds one of these within one of its words; a test checks that.
const FRAGMENTS: &[&str] = &[
    "pass", "pwd", "secret", "token", "key", "auth", "cred", "cookie", "ssn", "card", "cvv", "cvc", "cvn", "pin", "sess",
    "jwt", "otp", "bearer", "assert", "saml", "psk", "ccn", "social", "securi", "verif", "recover", "backup", "access",
    "\"pw", "signat", "sig=", "sid=",
];

const SPECIAL: &[(&str, Hit)] =
    &[("\\u00", Hit::Escape), ("eyj", Hit::Jwt), ("-----begin", Hit::Pem), ("://", Hit::Url), (":\\/\\/", Hit::Url)];

/// Makes letters lower case and maps other bytes somewhere; what is found must be looked at in the text itself.
fn fold(byte: u8) -> u8 {
    byte | 0x20
}

enum Search {
    Vector(packed::Searcher),
    Automaton(Box<AhoCorasick>),
}

/// Searches for all fragments at once, whatever their case.
pub(super) struct Finder {
    search: Search,
    /// The folded text, reused. Empty while it is in use: a search within a search takes another one.
    folded: Cell<Vec<u8>>,
}

impl fmt::Debug for Finder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Finder").finish_non_exhaustive()
    }
}

/// The longest word of a name: what to search for, however its words are separated.
fn fragment(name: &str) -> Option<&[u8]> {
    let words = name.as_bytes().split(|b| b.is_ascii() && !b.is_ascii_alphanumeric());
    words.max_by_key(|word| word.len()).filter(|word| !word.is_empty())
}

impl Finder {
    pub fn new(extra_names: &[String]) -> Self {
        let special = SPECIAL.iter().map(|(text, _)| text.as_bytes());
        let known = FRAGMENTS.iter().map(|text| text.as_bytes());
        let extra = extra_names.iter().filter_map(|name| fragment(name));
        let patterns: Vec<Vec<u8>> =
            special.chain(known).chain(extra).map(|text| text.iter().copied().map(fold).collect()).collect();
        let vector = packed::Config::new().builder().extend(&patterns).build();
        let search = match vector {
            Some(searcher) => Search::Vector(searcher),
            // Without vector instructions, or with very many further names.
            None => Search::Automaton(Box::new(
                AhoCorasick::builder()
                    .match_kind(MatchKind::LeftmostFirst)
                    .build(&patterns)
                    .expect("a few hundred short patterns fit into an automaton"),
            )),
        };
        Self { search, folded: Cell::default() }
    }

    /// Calls `hit` with every place, in ascending order, that does not overlap the one before.
    #[inline]
    pub fn each(&self, text: &[u8], mut hit: impl FnMut(usize, Hit)) {
        let mut folded = self.folded.take();
        folded.clear();
        folded.extend(text.iter().copied().map(fold));
        let kind = |pattern: usize| SPECIAL.get(pattern).map_or(Hit::Name, |&(_, hit)| hit);
        match &self.search {
            Search::Vector(searcher) => {
                for found in searcher.find_iter(&folded) {
                    hit(found.start(), kind(found.pattern().as_usize()));
                }
            }
            Search::Automaton(automaton) => {
                for found in automaton.find_iter(&folded) {
                    hit(found.start(), kind(found.pattern().as_usize()));
                }
            }
        }
        self.folded.set(folded);
    }
}
