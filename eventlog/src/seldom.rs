//! What most logs never need takes no more room in them than a pointer.

/// A value that is made when it is first changed.
pub(crate) struct Seldom<T>(Option<Box<T>>);

impl<T> Default for Seldom<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T: Default> Seldom<T> {
    /// The value, if there is one by now.
    #[inline]
    pub(crate) fn get(&self) -> Option<&T> {
        self.0.as_deref()
    }

    /// The value, if there is one by now, to be changed.
    #[inline]
    pub(crate) fn get_mut(&mut self) -> Option<&mut T> {
        self.0.as_deref_mut()
    }

    /// The value, which is made where there is none.
    pub(crate) fn made(&mut self) -> &mut T {
        self.0.get_or_insert_default()
    }
}
