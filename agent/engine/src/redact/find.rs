//! Where the name of a secret may be: a vectorised search for fragments of such names, whatever their case.
//!
//! It is Teddy (Hyperscan's algorithm): the first three bytes at each place are looked up by their halves, in registers,
//! in tables that say which of eight groups of fragments may begin there. The `aho-corasick` crate has it too, but with
//! some 40 fragments in text like theirs it spends 1-3 us for a KB on what turns out to be none; a bitmap of the
//! fragments' first letters, asked first, makes that 0.1-0.2 us.

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
const FRAGMENTS: &[(&str, Hit)] = &[
    ("\\u00", Hit::Escape),
    ("eyj", Hit::Jwt),
    ("-----begin", Hit::Pem),
    ("://", Hit::Url),
    (":\\/\\/", Hit::Url),
    ("pass", Hit::Name),
    ("pwd", Hit::Name),
    ("secret", Hit::Name),
    ("token", Hit::Name),
    ("key", Hit::Name),
    ("auth", Hit::Name),
    ("cred", Hit::Name),
    ("cookie", Hit::Name),
    ("ssn", Hit::Name),
    ("card", Hit::Name),
    ("cvv", Hit::Name),
    ("cvc", Hit::Name),
    ("cvn", Hit::Name),
    ("pin", Hit::Name),
    ("sessi", Hit::Name),
    ("jwt", Hit::Name),
    ("otp", Hit::Name),
    ("bearer", Hit::Name),
    ("assertion", Hit::Name),
    ("saml", Hit::Name),
    ("psk", Hit::Name),
    ("ccn", Hit::Name),
    ("social", Hit::Name),
    ("securi", Hit::Name),
    ("verifi", Hit::Name),
    ("recover", Hit::Name),
    ("backup", Hit::Name),
    ("access", Hit::Name),
    ("\"pw", Hit::Name),
    ("signat", Hit::Name),
    ("sig=", Hit::Name),
    ("sid=", Hit::Name),
];

/// Bytes of a fragment that the tables know.
const WINDOW: usize = 3;
/// Places looked at together.
const LANES: usize = 32;
/// Groups of fragments: one bit each in the tables.
const GROUPS: usize = 8;

/// For the bytes of the window: by the low and by the high half of the byte, the groups that have such a byte there.
#[derive(Clone, Debug, Default)]
struct Tables {
    low: [[u8; 16]; WINDOW],
    high: [[u8; 16]; WINDOW],
}

/// Searches for all fragments at once.
#[derive(Debug)]
pub(super) struct Finder {
    /// In lower case.
    fragments: Vec<(Vec<u8>, Hit)>,
    /// Indices of `fragments` by the five lower bits of their first byte.
    by_first: [Vec<u8>; 32],
    /// One bit for each way that a window may begin a fragment; of a byte, the five lower bits count.
    bitmap: Box<[u64; 1 << (5 * WINDOW - 6)]>,
    tables: Tables,
}

/// The longest word of a name: what to search for, however its words are separated.
fn fragment(name: &str) -> Option<Vec<u8>> {
    let words = name.as_bytes().split(|b| b.is_ascii() && !b.is_ascii_alphanumeric());
    words.max_by_key(|word| word.len()).filter(|word| !word.is_empty()).map(<[u8]>::to_ascii_lowercase)
}

impl Tables {
    fn add(&mut self, group: usize, fragment: &[u8]) {
        for at in 0..WINDOW {
            // Behind a short fragment there may be anything.
            let any = 0..=255;
            let bytes = fragment.get(at).map_or(any, |&byte| byte..=byte);
            for byte in bytes.flat_map(|byte| [byte, byte.to_ascii_uppercase()]) {
                self.low[at][byte as usize & 15] |= 1 << group;
                self.high[at][byte as usize >> 4] |= 1 << group;
            }
        }
    }

    /// How many windows a group lets through.
    fn weight(&self, group: usize) -> usize {
        let bytes = |halves: &[u8; 16]| halves.iter().filter(|groups| *groups >> group & 1 == 1).count();
        self.low.iter().chain(&self.high).map(bytes).product()
    }
}

impl Finder {
    pub fn new(extra_names: &[String]) -> Self {
        let known = FRAGMENTS.iter().map(|&(text, hit)| (text.as_bytes().to_vec(), hit));
        let extra = extra_names.iter().filter_map(|name| Some((fragment(name)?, Hit::Name)));
        let mut fragments: Vec<_> = known.chain(extra).collect();
        fragments.truncate(usize::from(u8::MAX));
        let mut finder = Self {
            by_first: Default::default(),
            bitmap: Box::new([0; 1 << (5 * WINDOW - 6)]),
            tables: Tables::default(),
            fragments: Vec::new(),
        };
        for (index, (fragment, _)) in fragments.iter().enumerate() {
            finder.by_first[fragment[0] as usize & 31].push(index as u8);
            let bits = |at: usize| fragment.get(at).map_or(0..=31, |byte| byte & 31..=byte & 31);
            for window in bits(0).flat_map(|a| bits(1).flat_map(move |b| bits(2).map(move |c| [a, b, c]))) {
                let bit = index_of(window);
                finder.bitmap[bit >> 6] |= 1 << (bit & 63);
            }
            let with = |group: usize| {
                let mut tables = finder.tables.clone();
                tables.add(group, fragment);
                (tables.weight(group) - finder.tables.weight(group), group)
            };
            let (_, group) = (0..GROUPS).map(with).min().unwrap_or_default();
            finder.tables.add(group, fragment);
        }
        finder.fragments = fragments;
        finder
    }

    /// Calls `hit` with every place where a fragment begins, in ascending order.
    #[inline]
    pub fn each(&self, text: &[u8], mut hit: impl FnMut(usize, Hit)) {
        let mut at = 0;
        #[cfg(target_arch = "x86_64")]
        if text.len() >= LANES + WINDOW && std::arch::is_x86_feature_detected!("avx2") {
            // SAFETY: the processor was just asked for AVX2.
            at = unsafe { self.each_avx2(text, &mut hit) };
        }
        while at < text.len() {
            self.verify(text, at, &mut hit);
            at += 1;
        }
    }

    /// Looks at what the tables let through, or at every place.
    #[inline]
    fn verify(&self, text: &[u8], at: usize, hit: &mut impl FnMut(usize, Hit)) {
        let window = match text.get(at..at + WINDOW) {
            Some(window) => [window[0], window[1], window[2]],
            None => [text[at], text.get(at + 1).copied().unwrap_or(0), 0],
        };
        let bit = index_of(window);
        if self.bitmap[bit >> 6] >> (bit & 63) & 1 == 0 {
            return;
        }
        for &index in &self.by_first[window[0] as usize & 31] {
            let (fragment, kind) = &self.fragments[index as usize];
            if text.get(at..at + fragment.len()).is_some_and(|text| text.eq_ignore_ascii_case(fragment)) {
                return hit(at, *kind);
            }
        }
    }

    /// Searches all but the last places, which it gives back the first of.
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2")]
    fn each_avx2(&self, text: &[u8], hit: &mut impl FnMut(usize, Hit)) -> usize {
        use std::arch::x86_64::*;

        let load = |half: &[u8; 16]| {
            // SAFETY: the array has the 16 bytes that are read.
            _mm256_broadcastsi128_si256(unsafe { _mm_loadu_si128(half.as_ptr().cast()) })
        };
        let low = self.tables.low.each_ref().map(load);
        let high = self.tables.high.each_ref().map(load);
        let nibble = _mm256_set1_epi8(15);
        let zero = _mm256_setzero_si256();
        let mut at = 0;
        while let Some(block) = text.get(at..at + LANES + WINDOW - 1) {
            let mut groups = _mm256_set1_epi8(-1);
            for shift in 0..WINDOW {
                // SAFETY: the block has LANES bytes behind each shift, which is less than WINDOW.
                let bytes = unsafe { _mm256_loadu_si256(block.as_ptr().add(shift).cast()) };
                let by_low = _mm256_shuffle_epi8(low[shift], _mm256_and_si256(bytes, nibble));
                let by_high = _mm256_shuffle_epi8(high[shift], _mm256_and_si256(_mm256_srli_epi16(bytes, 4), nibble));
                groups = _mm256_and_si256(groups, _mm256_and_si256(by_low, by_high));
            }
            let mut places = !(_mm256_movemask_epi8(_mm256_cmpeq_epi8(groups, zero)) as u32);
            while places != 0 {
                self.verify(text, at + places.trailing_zeros() as usize, hit);
                places &= places - 1;
            }
            at += LANES;
        }
        at
    }
}

fn index_of(window: [u8; WINDOW]) -> usize {
    window.iter().fold(0, |index, byte| index << 5 | *byte as usize & 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(finder: &Finder, text: &str) -> Vec<(usize, Hit)> {
        let mut hits = Vec::new();
        finder.each(text.as_bytes(), |at, hit| hits.push((at, hit)));
        hits
    }

    #[test]
    fn fragments_are_found_at_every_place() {
        let finder = Finder::new(&["a-q".into(), "größe".into()]);
        for (fragment, hit) in FRAGMENTS.iter().copied().chain([("q", Hit::Name), ("größe", Hit::Name)]) {
            for before in 0..70 {
                for behind in [0, 1, 2, 33, 64] {
                    let text = format!("{}{}{}", ".".repeat(before), fragment.to_uppercase(), ".".repeat(behind));
                    let text = if fragment.is_ascii() { text } else { text.replace('Ö', "ö").replace("SS", "ß") };
                    assert!(found(&finder, &text).contains(&(before, hit)), "{text}");
                }
            }
        }
    }

    #[test]
    fn nothing_else_is_found() {
        let finder = Finder::new(&[]);
        let text = "{\"id\":1,\"pa\":\"ss\",\"ke\u{19}\":2,\"p\u{1}n\":3}  http:/ ".repeat(5);
        assert_eq!(found(&finder, &text), []);
    }
}
