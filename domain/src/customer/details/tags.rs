//! Words with which clients group their customers.

use super::{Listed, TextList};
use crate::text::text_newtype;

text_newtype! {
    /// A tag: 1–64 characters, case-sensitive, not blank, no control characters.
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

/// Tags to add and to remove.
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
    /// The tags to add. An existing one keeps its place.
    pub add: Vec<Tag>,
    /// The tags to remove. Unknown ones are ignored.
    pub remove: Vec<Tag>,
}

impl TagsUpdate {
    /// Removes, then adds, and returns whether the list has changed.
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
