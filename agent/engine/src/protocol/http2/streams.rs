//! The streams of a connection that are under way, in the order of their numbers.

use super::stream::Stream;

/// Streams by number. They open in ascending order and few are open at once, so that a sorted list finds them sooner
/// than a hash does.
#[derive(Default)]
pub(super) struct Streams {
    list: Vec<(u32, Box<Stream>)>,
}

impl Streams {
    fn find(&self, id: u32) -> Result<usize, usize> {
        self.list.binary_search_by_key(&id, |(id, _)| *id)
    }

    /// The stream of that number.
    #[inline]
    pub fn get(&self, id: u32) -> Option<&Stream> {
        self.find(id).ok().map(|at| &*self.list[at].1)
    }

    /// The stream of that number.
    #[inline]
    pub fn get_mut(&mut self, id: u32) -> Option<&mut Stream> {
        self.find(id).ok().map(|at| &mut *self.list[at].1)
    }

    /// The stream of that number, made if it is not there.
    pub fn get_or_insert_with(&mut self, id: u32, make: impl FnOnce() -> Box<Stream>) -> &mut Stream {
        let at = self.find(id).unwrap_or_else(|at| {
            self.list.insert(at, (id, make()));
            at
        });
        &mut self.list[at].1
    }

    /// Takes a stream out.
    pub fn remove(&mut self, id: u32) -> Option<Box<Stream>> {
        self.find(id).ok().map(|at| self.list.remove(at).1)
    }

    /// The lowest number.
    pub fn oldest(&self) -> Option<u32> {
        self.list.first().map(|(id, _)| *id)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// All, by number.
    pub fn iter(&self) -> impl Iterator<Item = &Stream> {
        self.list.iter().map(|(_, stream)| &**stream)
    }

    /// All, by number.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut Stream> {
        self.list.iter_mut().map(|(_, stream)| &mut **stream)
    }

    /// Bytes of the list itself.
    pub fn held(&self) -> usize {
        self.list.capacity() * size_of::<(u32, Box<Stream>)>()
    }
}
