//! Columns whose values are all of one size.

use std::sync::Arc;

use arrow_array::types::ArrowPrimitiveType;
use arrow_array::{ArrayRef, FixedSizeBinaryArray, PrimitiveArray};
use arrow_buffer::{MutableBuffer, ScalarBuffer};

use super::Validity;

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
