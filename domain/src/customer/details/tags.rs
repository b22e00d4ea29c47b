//! Words by which clients sort their customers.

use super::{Listed, TextList};
use crate::text::text_newtype;

text_newtype! {
    /// A tag: 1–64 characters, with their case, not blank, no control characters.
    personal Tag, TagError, "tag", max 64, not_blank true
}

/// The tags of a customer, in the order given: at most 50.
///
/// ```
/// use patron_domain::customer::{Tag, Tags};
///
/// assert!(Tags::new(vec![Tag::new("vip").unwrap()]).is_ok());
/// ```
pub type Tags = TextList<Tag>;

impl Listed for Tag {
    const NAME: &'static str = "tags";
    // One too many is refused by the limits of the whole customer.
    const MAX: Option<usize> = None;
}

/// Tags to put on and take off.
///
/// ```
/// use patron_domain::customer::{Tag, Tags, TagsUpdate};
///
/// let mut tags = Tags::default();
/// let update = TagsUpdate { add: vec![Tag::new("vip").unwrap()], remove: Vec::new() };
/// assert!(update.clone().apply(&mut tags));
/// assert!(!update.apply(&mut tags), "it is there already");
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TagsUpdate {
    /// Those to put on; one that is there stays where it is.
    pub add: Vec<Tag>,
    /// Those to take off; one that is not there does not matter.
    pub remove: Vec<Tag>,
}

impl TagsUpdate {
    /// Takes off, then puts on, and tells whether the list is another one now.
    pub fn apply(self, tags: &mut Tags) -> bool {
        let before = tags.clone();
        let list = tags.as_vec_mut();
        list.retain(|tag| !self.remove.contains(tag));
        for tag in self.add {
            if !list.contains(&tag) {
                list.push(tag);
            }
        }
        *tags != before
    }
}
