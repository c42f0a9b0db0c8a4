//! Column builders: the buffers that become Arrow arrays.
//!
//! They are plain vectors, appended to in the hot path and handed to Arrow whole. `tapper.model.schema` in Python says
//! what the columns mean; a test holds the two against each other.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::builder::BooleanBufferBuilder;
use arrow_array::types::{ArrowPrimitiveType, Int32Type};
use arrow_array::{
    Array, ArrayRef, BinaryArray, DictionaryArray, FixedSizeBinaryArray, Int32Array, ListArray, PrimitiveArray,
    StringArray, StructArray,
};
use arrow_buffer::{Buffer, MutableBuffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow_schema::{DataType, Field, FieldRef, Fields, TimeUnit};

use crate::packet::Addr;

/// Which rows are null, as runs: most columns have no null at all, or nothing but nulls.
struct Validity {
    /// All runs but the last.
    bits: Option<BooleanBufferBuilder>,
    run: usize,
    valid: bool,
}

impl Default for Validity {
    fn default() -> Self {
        Self { bits: None, run: 0, valid: true }
    }
}

impl Validity {
    #[inline(always)]
    fn push(&mut self, valid: bool) {
        if valid != self.valid {
            self.end_run();
        }
        self.run += 1;
    }

    #[inline(never)]
    fn end_run(&mut self) {
        if self.run > 0 {
            self.bits.get_or_insert_with(|| BooleanBufferBuilder::new(1024)).append_n(self.run, self.valid);
        }
        self.valid = !self.valid;
        self.run = 0;
    }

    fn take(&mut self) -> Option<NullBuffer> {
        if self.bits.is_some() || !self.valid {
            self.end_run();
        }
        let Self { bits, .. } = std::mem::take(self);
        bits.map(|mut bits| NullBuffer::new(bits.finish()))
    }
}

/// A column of numbers.
pub struct Numbers<T: ArrowPrimitiveType> {
    values: Vec<T::Native>,
    validity: Validity,
}

impl<T: ArrowPrimitiveType> Default for Numbers<T> {
    fn default() -> Self {
        Self { values: Vec::new(), validity: Validity::default() }
    }
}

impl<T: ArrowPrimitiveType> Numbers<T> {
    /// Appends a value.
    #[inline]
    pub fn push(&mut self, value: T::Native) {
        self.validity.push(true);
        self.values.push(value);
    }

    /// Appends a value or null.
    #[inline]
    pub fn push_option(&mut self, value: Option<T::Native>) {
        self.validity.push(value.is_some());
        self.values.push(value.unwrap_or_default());
    }

    /// Takes the column, leaving it empty.
    pub fn take(&mut self) -> ArrayRef {
        let values = std::mem::take(&mut self.values);
        self.values.reserve(values.len());
        Arc::new(PrimitiveArray::<T>::new(ScalarBuffer::from(values), self.validity.take()))
    }
}

/// Data of a batch that are kept for the batch after the next, or reserved for the next, at most: one giant batch must
/// not pin its memory.
const KEPT: usize = 16 << 20;

/// A column of byte strings: text (kept valid UTF-8) or binary.
pub struct Bytes {
    offsets: Vec<i32>,
    data: Vec<u8>,
    validity: Validity,
    /// The data of the batch before: written again once nobody has it any more, as fresh memory costs more than the
    /// bytes that are put there.
    lent: Option<Buffer>,
}

impl Default for Bytes {
    fn default() -> Self {
        Self { offsets: vec![0], data: Vec::new(), validity: Validity::default(), lent: None }
    }
}

impl Bytes {
    #[inline]
    fn end_row(&mut self, valid: bool) {
        self.validity.push(valid);
        self.offsets.push(self.data.len() as i32);
    }

    /// Appends bytes as they are: for binary columns.
    #[inline]
    pub fn push(&mut self, bytes: &[u8]) {
        self.data.extend_from_slice(bytes);
        self.end_row(true);
    }

    /// Appends text.
    #[inline]
    pub fn push_str(&mut self, text: &str) {
        self.push(text.as_bytes());
    }

    /// Appends bytes as text: what is not UTF-8 is read as Latin-1, so that no byte is lost.
    #[inline]
    pub fn push_text(&mut self, bytes: &[u8]) {
        // Most text is ASCII, which is told sooner than UTF-8.
        if bytes.is_ascii() || std::str::from_utf8(bytes).is_ok() {
            self.data.extend_from_slice(bytes);
        } else {
            for &byte in bytes {
                self.data.extend_from_slice((byte as char).encode_utf8(&mut [0; 2]).as_bytes());
            }
        }
        self.end_row(true);
    }

    /// Appends text in lower case.
    pub fn push_lower(&mut self, bytes: &[u8]) {
        let from = self.data.len();
        // What comes once mostly comes again, and then what was made of it is here already.
        let before = self.offsets.len().checked_sub(2).map_or(from, |at| self.offsets[at] as usize);
        if self.data[before..] == *bytes {
            self.data.extend_from_within(before..);
            self.end_row(true);
            return;
        }
        self.push_text(bytes);
        self.data[from..].make_ascii_lowercase();
    }

    /// Appends hexadecimal digits in lower case.
    #[inline]
    pub fn push_hex(&mut self, digits: &[u8]) {
        debug_assert!(digits.iter().all(u8::is_ascii_hexdigit));
        // Of digits and small letters the bit is set.
        self.data.extend(digits.iter().map(|digit| digit | 0x20));
        self.end_row(true);
    }

    /// Appends null.
    #[inline]
    pub fn push_null(&mut self) {
        self.end_row(false);
    }

    /// Appends text, or null if it is empty.
    #[inline]
    pub fn push_nonempty(&mut self, bytes: &[u8]) {
        if bytes.is_empty() { self.push_null() } else { self.push_text(bytes) }
    }

    fn rows(&self) -> usize {
        self.offsets.len() - 1
    }

    /// Bytes of data so far.
    pub fn len_bytes(&self) -> usize {
        self.data.len()
    }

    fn parts(&mut self) -> (OffsetBuffer<i32>, Buffer, Option<NullBuffer>) {
        let mut offsets = Vec::with_capacity(self.offsets.len());
        offsets.push(0);
        let offsets = std::mem::replace(&mut self.offsets, offsets);
        let back = self.lent.take().and_then(|buffer| buffer.into_vec::<u8>().ok());
        let mut empty = back.unwrap_or_else(|| Vec::with_capacity(self.data.len().min(KEPT)));
        empty.clear();
        let data = Buffer::from_vec(std::mem::replace(&mut self.data, empty));
        self.lent = (data.capacity() <= KEPT).then(|| data.clone());
        // SAFETY: they ascend from 0, as the data only grow.
        let offsets = unsafe { OffsetBuffer::new_unchecked(ScalarBuffer::from(offsets)) };
        (offsets, data, self.validity.take())
    }

    /// Takes it as a text column.
    pub fn take_text(&mut self) -> StringArray {
        let (offsets, data, nulls) = self.parts();
        // SAFETY: every way to append text keeps it valid UTF-8 and every offset is the end of such text; offsets
        // ascend. Checking again would cost as much as writing it did.
        unsafe { StringArray::new_unchecked(offsets, data, nulls) }
    }

    /// Takes it as a binary column.
    pub fn take_binary(&mut self) -> BinaryArray {
        let (offsets, data, nulls) = self.parts();
        // SAFETY: offsets ascend and end at the length of the data.
        unsafe { BinaryArray::new_unchecked(offsets, data, nulls) }
    }
}

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

/// A column of lists of (name, value).
pub struct Pairs {
    offsets: Vec<i32>,
    /// Names of the headers of all rows.
    pub names: Bytes,
    /// Values of the headers of all rows.
    pub values: Bytes,
    validity: Validity,
}

impl Default for Pairs {
    fn default() -> Self {
        Self { offsets: vec![0], names: Bytes::default(), values: Bytes::default(), validity: Validity::default() }
    }
}

impl Pairs {
    /// Ends a row after its names and values were appended; `valid` false: null.
    #[inline]
    pub fn end_row(&mut self, valid: bool) {
        debug_assert_eq!(self.names.rows(), self.values.rows());
        self.validity.push(valid);
        self.offsets.push(self.names.rows() as i32);
    }

    /// Takes the column.
    pub fn take(&mut self) -> ArrayRef {
        let offsets = std::mem::replace(&mut self.offsets, vec![0]);
        let names = self.names.take_text();
        let values = self.values.take_text();
        let pairs = StructArray::new(header_fields(), vec![Arc::new(names), Arc::new(values)], None);
        let item = Arc::new(Field::new_list_field(pairs.data_type().clone(), true));
        Arc::new(ListArray::new(
            item,
            OffsetBuffer::new(ScalarBuffer::from(offsets)),
            Arc::new(pairs),
            self.validity.take(),
        ))
    }
}

/// A column of lists of integers.
pub struct IntLists {
    offsets: Vec<i32>,
    values: Vec<i32>,
    validity: Validity,
}

impl Default for IntLists {
    fn default() -> Self {
        Self { offsets: vec![0], values: Vec::new(), validity: Validity::default() }
    }
}

impl IntLists {
    /// Appends a list; an empty one is null.
    #[inline]
    pub fn push(&mut self, values: &[i32]) {
        self.validity.push(!values.is_empty());
        self.values.extend_from_slice(values);
        self.offsets.push(self.values.len() as i32);
    }

    /// Takes the column.
    pub fn take(&mut self) -> ArrayRef {
        let offsets = std::mem::replace(&mut self.offsets, vec![0]);
        let values = Int32Array::from(std::mem::take(&mut self.values));
        let item = Arc::new(Field::new_list_field(DataType::Int32, true));
        Arc::new(ListArray::new(
            item,
            OffsetBuffer::new(ScalarBuffer::from(offsets)),
            Arc::new(values),
            self.validity.take(),
        ))
    }
}

/// A column of UUIDs.
#[derive(Default)]
pub struct Uuids {
    data: Vec<u8>,
}

impl Uuids {
    /// Appends an id.
    #[inline]
    pub fn push(&mut self, id: [u8; 16]) {
        self.data.extend_from_slice(&id);
    }

    /// Takes the column.
    pub fn take(&mut self) -> ArrayRef {
        let data = std::mem::take(&mut self.data);
        self.data.reserve(data.len());
        Arc::new(FixedSizeBinaryArray::new(16, MutableBuffer::from(data).into(), None))
    }
}

fn header_fields() -> Fields {
    Fields::from(vec![Field::new("name", DataType::Utf8, true), Field::new("value", DataType::Utf8, true)])
}

/// Data types by the names that the schemas use.
pub mod types {
    use super::*;

    /// Nanoseconds since the epoch, UTC.
    pub fn time() -> DataType {
        DataType::Timestamp(TimeUnit::Nanosecond, None)
    }

    /// Text of few different values.
    pub fn word() -> DataType {
        DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8))
    }

    /// Headers in the order as sent.
    pub fn headers() -> DataType {
        DataType::List(Arc::new(Field::new_list_field(DataType::Struct(header_fields()), true)))
    }

    /// A list of numbers.
    pub fn int_list() -> DataType {
        DataType::List(Arc::new(Field::new_list_field(DataType::Int32, true)))
    }

    /// A field that holds a UUID (the canonical extension type).
    pub fn uuid(name: &str) -> FieldRef {
        let metadata = HashMap::from([
            ("ARROW:extension:name".to_string(), "arrow.uuid".to_string()),
            ("ARROW:extension:metadata".to_string(), String::new()),
        ]);
        Arc::new(Field::new(name, DataType::FixedSizeBinary(16), false).with_metadata(metadata))
    }
}
