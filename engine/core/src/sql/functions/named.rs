//! A definition that is compared, hashed and shown by its name.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Deref;

use super::definition::Definition;

/// A definition.
#[derive(Clone, Copy)]
pub struct Named(pub &'static Definition);

impl Deref for Named {
    type Target = Definition;

    fn deref(&self) -> &Definition {
        self.0
    }
}

impl PartialEq for Named {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Named {}

impl Hash for Named {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

impl fmt::Debug for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}
