//! Rows of the table `custom_fields`.

use patron_domain::{custom_field::CustomFieldDefinition, lifecycle::Owner, store::StoreError};

use crate::persistence::{rows::rows, value::Document};

rows! {
    /// One row of `custom_fields`.
    CustomFieldRow: custom_fields {
        environment: i32, key: String;
        document: Document,
    }
}

impl CustomFieldRow {
    pub(crate) fn new(environment: i32, definition: &CustomFieldDefinition) -> Self {
        Self { environment, key: definition.key.as_str().to_owned(), document: Document::of(definition) }
    }

    /// The definition, with its owner.
    pub(crate) fn definition(&self, owner: Owner) -> Result<CustomFieldDefinition, StoreError> {
        self.document.read(owner, &self.key)
    }
}
