//! The parts of a customer that are objects or lists of their own.

mod address;
mod list;
mod locale;
mod tags;

pub use address::{
    ElectronicAddress, ElectronicAddressScheme, ElectronicAddressSchemeError, ElectronicAddressUpdate,
    ElectronicAddressValue, ElectronicAddressValueError, ShippingAddress, ShippingAddressUpdate, ShippingName,
    ShippingNameError, ShippingPhone, ShippingPhoneError,
};
pub use list::{Listed, ListedError, TextList};
pub use locale::{Locale, LocaleError, Locales};
pub use tags::{Tag, TagError, Tags, TagsUpdate};

/// An object of optional texts, and its update: a patch for each.
macro_rules! text_object {
    (
        $(#[$doc:meta])*
        $name:ident / $update:ident, $example:literal { $($(#[$field_doc:meta])* $field:ident: $type:ident,)+ }
    ) => {
        $(#[$doc])*
        ///
        /// ```
        #[doc = $example]
        /// ```
        #[derive(Debug, Clone, Default, PartialEq, Eq)]
        pub struct $name {
            $($(#[$field_doc])* pub $field: Option<$type>,)+
        }

        #[doc = concat!("An update of a [`", stringify!($name), "`]: a patch for each member.")]
        ///
        /// ```
        #[doc = concat!("use patron_domain::customer::", stringify!($update), ";")]
        #[doc = concat!("assert_eq!(", stringify!($update), "::default(), ", stringify!($update), "::default());")]
        /// ```
        #[derive(Debug, Clone, Default, PartialEq, Eq)]
        pub struct $update {
            $($(#[$field_doc])* pub $field: crate::patch::Patch<$type>,)+
        }

        impl $update {
            /// An update after which nothing is set.
            #[must_use]
            pub fn clear() -> Self {
                Self { $($field: crate::patch::Patch::Clear,)+ }
            }

            /// The same update, but replacing the whole object: members that it does not name are cleared.
            #[must_use]
            pub fn whole(self) -> Self {
                Self { $($field: self.$field.or_clear(),)+ }
            }

            /// Applies it, and returns whether a value has changed.
            pub fn apply(self, to: &mut $name) -> bool {
                let changed = [$(self.$field.apply(&mut to.$field),)+];
                changed.contains(&true)
            }
        }
    };
}

pub(crate) use text_object;
