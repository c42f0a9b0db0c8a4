//! Where the name of a secret may be: a vectorised search for fragments of such names, whatever their case.
//!
//! It is Teddy (Hyperscan's algorithm): the first four bytes at each place are looked up by their halves, in registers,
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
    ("pw=", Hit::Name),
    ("signat", Hit::Name),
    ("sig=", Hit::Name),
    ("sid=", Hit::Name),
];

/// Bytes of a fragment that the tables know. Three let through four times as many places.
const WINDOW: usize = 4;
/// Places looked at together, by AVX2.
#[cfg(target_arch = "x86_64")]
const LANES: usize = 32;
/// Groups of fragments: one bit each in the tables.
const GROUPS: usize = 8;

/// Bits of the bitmap: five bits of three bytes.
const BITMAP: usize = 1 << 15;

#[derive(Debug)]
struct Fragment {
    text: Vec<u8>,
    hit: Hit,
}

/// For the bytes of the window: by the low and by the high half of the byte, the groups that have such a byte there.
#[derive(Clone, Debug, Default)]
struct Tables {
    low: [[u8; 16]; WINDOW],
    high: [[u8; 16]; WINDOW],
}

/// Searches for all fragments at once.
#[derive(Debug)]
pub(super) struct Finder {
    /// In lower case, by the five lower bits of their first byte.
    fragments: [Vec<Fragment>; 32],
    /// One bit for each way that a fragment may begin; of its first three bytes, the five lower bits count.
    bitmap: Box<[u64; BITMAP / 64]>,
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
        let mut finder =
            Self { fragments: Default::default(), bitmap: Box::new([0; BITMAP / 64]), tables: Tables::default() };
        for &(text, hit) in FRAGMENTS {
            finder.add(text.as_bytes().to_vec(), hit);
        }
        for name in extra_names {
            if let Some(text) = fragment(name) {
                finder.add(text, Hit::Name);
            }
        }
        finder
    }

    fn add(&mut self, text: Vec<u8>, hit: Hit) {
        let bits = |at: usize| text.get(at).map_or(0..=31, |byte| byte & 31..=byte & 31);
        for start in bits(0).flat_map(|a| bits(1).flat_map(move |b| bits(2).map(move |c| [a, b, c]))) {
            let bit = bit(start);
            self.bitmap[bit >> 6] |= 1 << (bit & 63);
        }
        // To the group that lets through the fewest further windows.
        let growth = |group: usize| {
            let mut tables = self.tables.clone();
            tables.add(group, &text);
            (tables.weight(group) - self.tables.weight(group), group)
        };
        let (_, group) = (0..GROUPS).map(growth).min().unwrap_or_default();
        self.tables.add(group, &text);
        self.fragments[text[0] as usize & 31].push(Fragment { text, hit });
    }

    /// Calls `hit` with every place where a fragment begins, in ascending order.
    #[inline]
    pub fn each(&self, text: &[u8], mut hit: impl FnMut(usize, Hit)) {
        #[cfg(target_arch = "x86_64")]
        if std::arch::is_x86_feature_detected!("avx2") {
            // SAFETY: the processor was just asked for AVX2.
            return unsafe { self.each_avx2(text, &mut hit) };
        }
        for at in 0..text.len() {
            self.verify(text, at, &mut hit);
        }
    }

    /// Whether a short text may hold a fragment.
    pub fn may_find(&self, text: &[u8]) -> bool {
        (0..text.len()).any(|at| self.may_begin(text, at))
    }

    #[inline]
    fn may_begin(&self, text: &[u8], at: usize) -> bool {
        let byte = |at: usize| text.get(at).copied().unwrap_or(0);
        let bit = bit([text[at], byte(at + 1), byte(at + 2)]);
        self.bitmap[bit >> 6] >> (bit & 63) & 1 == 1
    }

    /// Looks at what the tables let through, or at every place.
    #[inline]
    fn verify(&self, text: &[u8], at: usize, hit: &mut impl FnMut(usize, Hit)) {
        if !self.may_begin(text, at) {
            return;
        }
        let byte = |at: usize| text.get(at).copied().unwrap_or(0);
        for fragment in &self.fragments[text[at] as usize & 31] {
            let is_equal = |(at, wanted): (usize, &u8)| byte(at).to_ascii_lowercase() == *wanted;
            if (at..).zip(&fragment.text).all(is_equal) {
                return hit(at, fragment.hit);
            }
        }
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2")]
    fn each_avx2(&self, text: &[u8], hit: &mut impl FnMut(usize, Hit)) {
        use std::arch::x86_64::*;

        let load = |half: &[u8; 16]| {
            // SAFETY: the array has the 16 bytes that are read.
            _mm256_broadcastsi128_si256(unsafe { _mm_loadu_si128(half.as_ptr().cast()) })
        };
        let low = self.tables.low.each_ref().map(load);
        let high = self.tables.high.each_ref().map(load);
        let nibble = _mm256_set1_epi8(15);
        let zero = _mm256_setzero_si256();
        const BLOCK: usize = LANES + WINDOW - 1;
        let places = |block: &[u8; BLOCK]| {
            let mut groups = _mm256_set1_epi8(-1);
            for shift in 0..WINDOW {
                // SAFETY: behind the shift, which is less than WINDOW, the block has LANES bytes.
                let bytes = unsafe { _mm256_loadu_si256(block.as_ptr().add(shift).cast()) };
                let by_low = _mm256_shuffle_epi8(low[shift], _mm256_and_si256(bytes, nibble));
                let by_high = _mm256_shuffle_epi8(high[shift], _mm256_and_si256(_mm256_srli_epi16(bytes, 4), nibble));
                groups = _mm256_and_si256(groups, _mm256_and_si256(by_low, by_high));
            }
            !(_mm256_movemask_epi8(_mm256_cmpeq_epi8(groups, zero)) as u32)
        };
        let mut at = 0;
        while at < text.len() {
            let rest = &text[at..];
            let mut found = match rest.first_chunk() {
                Some(block) => places(block),
                None => {
                    // The last places, with zeros behind them, which are in no fragment.
                    let mut block = [0; BLOCK];
                    block[..rest.len()].copy_from_slice(rest);
                    places(&block) & ((1u64 << rest.len()) - 1) as u32
                }
            };
            while found != 0 {
                self.verify(text, at + found.trailing_zeros() as usize, hit);
                found &= found - 1;
            }
            at += LANES;
        }
    }
}

fn bit(start: [u8; 3]) -> usize {
    start.iter().fold(0, |bit, byte| bit << 5 | *byte as usize & 31)
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
