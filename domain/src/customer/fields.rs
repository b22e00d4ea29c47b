//! The plain text fields of a customer. An absent value is `None`; these types are never empty.

use crate::text::text_newtype;

text_newtype! {
    /// The customer's id in the client's own system: 1–255 characters, not blank, no control characters. Any other text
    /// is allowed, such as `gid://app/Customer/1`. Unique among the published customers of an environment.
    personal ExternalId, ExternalIdError, "external id", max 255, not_blank true
}

text_newtype! {
    /// The full name of a person or company: 1–255 characters, not blank, no control characters.
    personal CustomerName, CustomerNameError, "name", max 255, not_blank true
}

text_newtype! {
    /// A contact number, such as a telephone: 1–20 characters, no control characters.
    personal Contact, ContactError, "contact", max 20
}

text_newtype! {
    /// The name of an onboarding workflow: 1–255 characters, not blank, no control characters, no bidirectional
    /// formatting characters.
    public WorkflowName, WorkflowNameError, "workflow name", max 255, not_blank true, no_bidi true
}

#[cfg(test)]
mod tests {
    use super::{Contact, CustomerName, ExternalId, WorkflowName};
    use crate::violation::Rule;

    #[test]
    fn an_external_id_is_any_text_except_blanks_and_controls() {
        for good in ["gid://app/Customer/1", "ünï-🦀", " padded "] {
            assert_eq!(ExternalId::new(good).unwrap().as_str(), good);
        }
        for bad in ["", "  ", "a\nb", "a\u{85}b", "a\0b"] {
            assert!(ExternalId::new(bad).is_err(), "{bad:?}");
        }
        assert!(ExternalId::new("é".repeat(255)).is_ok());
        assert_eq!(
            ExternalId::new("é".repeat(256)).unwrap_err().to_string(),
            "external id must have at most 255 characters, it has 256"
        );
    }

    #[test]
    fn a_name_is_visible_and_has_no_terminal_controls() {
        let rule = |name: &str| CustomerName::new(name).map_err(|refused| refused.rule()).err();
        assert_eq!(rule("\u{200B}\u{FEFF}"), Some("not_blank"));
        assert_eq!(rule("Ada\u{1b}[31m"), Some("no_control"));
        assert_eq!(rule("Ada\nLovelace"), Some("no_control"));
        // Names of people may contain bidirectional formatting; names in lists to choose from may not.
        assert_eq!(rule("\u{202B}עדה\u{202C}"), None);
        assert_eq!(WorkflowName::new("emoclew\u{202E}").map_err(|refused| refused.rule()), Err("no_bidi"));
    }

    #[test]
    fn personal_values_stay_out_of_debug() {
        assert_eq!(format!("{:?}", CustomerName::new("Ada Lovelace").unwrap()), "CustomerName(redacted)");
        assert_eq!(format!("{:?}", Contact::new("+49 30 1234").unwrap()), "Contact(redacted)");
    }
}
