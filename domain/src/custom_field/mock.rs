//! Ready-made mocks of the port for custom fields.

use super::{CustomFieldDefinition, CustomFieldError, MockCustomFieldRepository};
use crate::{idempotency::Done, store::StoreError};

fn unavailable() -> StoreError {
    StoreError::unavailable("this mock is never available")
}

impl MockCustomFieldRepository {
    /// A store without definitions. Creates succeed but are not kept.
    ///
    /// ```
    /// # use patron_domain::{custom_field::*, testkit::a_scope};
    /// let fields = MockCustomFieldRepository::empty();
    /// assert_eq!(futures::executor::block_on(fields.custom_fields(&a_scope())), Ok(vec![]));
    /// ```
    #[must_use]
    pub fn empty() -> Self {
        Self::with(Vec::new())
    }

    /// A store with these definitions, which never change: creates succeed but are not kept, and there are no values to purge.
    ///
    /// ```
    /// # use patron_domain::{custom_field::*, testkit::{a_custom_field, a_scope}};
    /// let seats = a_custom_field("seats", CustomFieldType::Integer);
    /// let fields = MockCustomFieldRepository::with(vec![seats.clone()]);
    /// assert_eq!(futures::executor::block_on(fields.custom_field(&a_scope(), seats.key)), Ok(Some(seats)));
    /// ```
    #[must_use]
    pub fn with(definitions: Vec<CustomFieldDefinition>) -> Self {
        let mut fields = Self::new();
        let all = definitions.clone();
        fields.expect_custom_fields().returning(move |_| Ok(all.clone()));
        let known = move |key| definitions.iter().find(|definition| definition.key == key).cloned();
        fields.expect_create_custom_field().returning(|_, definition, _, _| Ok(Done::now(definition)));
        let (found, changed, deleted) = (known.clone(), known.clone(), known.clone());
        fields.expect_custom_field().returning(move |_, key| Ok(found(key)));
        fields.expect_change_custom_field().returning(move |scope, change, _| {
            let current = changed(change.key).ok_or(CustomFieldError::Unknown)?;
            change.decide(scope, &current).map(Done::now)
        });
        fields.expect_delete_custom_field().returning(move |_, delete, _| {
            let current = deleted(delete.key).ok_or(CustomFieldError::Unknown)?;
            delete.decide(&current, false).map(Done::now)
        });
        fields.expect_purge_custom_field().returning(|_, _| Ok(0));
        fields
    }

    /// A store that cannot be reached: every call returns [`StoreError::Unavailable`].
    #[must_use]
    pub fn always_unavailable() -> Self {
        let mut fields = Self::new();
        fields.expect_create_custom_field().returning(|_, _, _, _| Err(unavailable().into()));
        fields.expect_custom_fields().returning(|_| Err(unavailable()));
        fields.expect_custom_field().returning(|_, _| Err(unavailable()));
        fields.expect_change_custom_field().returning(|_, _, _| Err(unavailable().into()));
        fields.expect_delete_custom_field().returning(|_, _, _| Err(unavailable().into()));
        fields.expect_purge_custom_field().returning(|_, _| Err(unavailable()));
        fields
    }
}
