//! What stands in the files, and what they are called.

pub(crate) mod damage;
pub(crate) mod marks;
pub(crate) mod paths;
pub(crate) mod record;
