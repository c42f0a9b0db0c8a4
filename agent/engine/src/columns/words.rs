//! Dictionary columns: few different values, each kept once.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::types::Int32Type;
use arrow_array::{ArrayRef, DictionaryArray, Int32Array, StringArray};
use arrow_buffer::{NullBuffer, ScalarBuffer};

use super::{Bytes, Validity};
use crate::packet::Addr;

/// A dictionary column over few words that are known to the program.
#[derive(Default)]
pub struct Words {
    keys: Vec<i32>,
    validity: Validity,
    words: Vec<&'static str>,
}

impl Words {
    /// Appends a word; an empty one is null.
    #[inline]
    pub fn push(&mut self, word: &'static str) {
        self.validity.push(!word.is_empty());
        let key = match self.words.iter().position(|w| std::ptr::eq(*w, word) || *w == word) {
            Some(at) => at,
            None if word.is_empty() => 0,
            None => {
                self.words.push(word);
                self.words.len() - 1
            }
        };
        self.keys.push(key as i32);
    }

    /// Takes the column.
    pub fn take(&mut self) -> ArrayRef {
        if self.words.is_empty() {
            self.words.push("");
        }
        let values = StringArray::from(std::mem::take(&mut self.words));
        dictionary(std::mem::take(&mut self.keys), self.validity.take(), values)
    }
}

fn dictionary(keys: Vec<i32>, nulls: Option<NullBuffer>, values: StringArray) -> ArrayRef {
    let keys = Int32Array::new(ScalarBuffer::from(keys), nulls);
    // SAFETY: every key was the index of a value when it was appended; values are never removed before the take.
    Arc::new(unsafe { DictionaryArray::<Int32Type>::new_unchecked(keys, Arc::new(values)) })
}

/// A dictionary column of IP addresses as text.
#[derive(Default)]
pub struct Addrs {
    keys: Vec<i32>,
    index: HashMap<Addr, i32, foldhash::fast::RandomState>,
    texts: Bytes,
    last: Option<(Addr, i32)>,
}

impl Addrs {
    /// Appends an address.
    #[inline]
    pub fn push(&mut self, addr: Addr) {
        let key = match self.last {
            Some((last, key)) if last == addr => key,
            _ => {
                let next = self.index.len() as i32;
                let texts = &mut self.texts;
                *self.index.entry(addr).or_insert_with(|| {
                    texts.push_str(&addr.ip().to_string());
                    next
                })
            }
        };
        self.last = Some((addr, key));
        self.keys.push(key);
    }

    /// Takes the column.
    pub fn take(&mut self) -> ArrayRef {
        self.index.clear();
        self.last = None;
        dictionary(std::mem::take(&mut self.keys), None, self.texts.take_text())
    }
}
