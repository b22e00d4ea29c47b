//! Filters that use the tokens: what an index can say about a condition of a list.

use std::borrow::Cow;

use unicode_normalization::char::is_combining_mark;

use super::{
    FoldedWords, Token, Tokens,
    tokens::{grams, start},
};
use crate::customer::query::{Condition, CustomerQuery, Folded, TextField};

impl TextField {
    /// Whether the tokens of a customer include those of this text.
    fn has_tokens(self) -> bool {
        matches!(self, Self::ExternalId | Self::Name | Self::Email | Self::LegalName | Self::AddressCity)
    }
}

impl Condition {
    /// Tokens of every customer for which the condition holds. Others may have them, too. Empty if the tokens say nothing about
    /// it: for other fields and comparisons, and for parts of less than three letters.
    #[must_use]
    pub fn tokens(&self) -> Tokens {
        match self {
            Self::Contains(field, text) | Self::StartsWith(field, text) if field.has_tokens() => of_part(text, false),
            Self::Same(field, text) if field.has_tokens() => of_part(text, true),
            _ => Tokens::default(),
        }
    }
}

/// The tokens of a part of a text, or of a whole one.
fn of_part(text: &Folded, is_whole: bool) -> Tokens {
    let text = text.as_str();
    // Marks at an end may belong to a character that is not there.
    let is_mark = |character: Option<char>| character.is_some_and(is_combining_mark);
    if is_mark(text.chars().next()) || is_mark(text.chars().next_back()) {
        return Tokens::default();
    }
    let mut tokens: Vec<Token> = Vec::new();
    for word in FoldedWords::new(text).words() {
        grams(word, |token| tokens.push(token));
        tokens.extend(start(word).filter(|_| is_whole));
    }
    tokens.into_iter().collect()
}

impl CustomerQuery {
    /// Tokens of every customer that the query finds. Others may have them, too. Empty if the tokens say nothing about it.
    ///
    /// A store with an index of tokens can look up the customers that have them, and compare only those.
    ///
    /// ```
    /// use patron_domain::customer::query::{Condition, CustomerQuery, CustomerQueryParts, Folded, TextField};
    ///
    /// let filters = vec![Condition::Contains(TextField::Name, Folded::new("Acme"))];
    /// let query = CustomerQuery::new(CustomerQueryParts { filters, ..CustomerQueryParts::default() }).unwrap();
    /// assert!(!query.tokens().is_empty());
    /// ```
    #[must_use]
    pub fn tokens(&self) -> Tokens {
        self.conditions().iter().flat_map(|condition| condition.tokens().as_slice().to_vec()).collect()
    }

    /// The filter, or the field of the order, that makes the query expensive: the first one without an index. `None` if there
    /// is none.
    #[must_use]
    pub fn costly(&self) -> Option<Cow<'static, str>> {
        let unindexed = self.conditions().iter().find(|condition| !condition.is_indexed());
        let ordered = || self.order().keys().iter().map(|(field, _)| field).find(|field| !field.is_indexed());
        // Tokens do not help with a part that most customers have.
        let common = || self.conditions().iter().find(|condition| !condition.tokens().is_empty());
        unindexed
            .map(Condition::field)
            .or_else(|| ordered().map(|field| field.name()))
            .or_else(|| common().map(Condition::field))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use crate::{
        customer::query::{Condition, CustomerQuery, CustomerQueryParts, Folded, SortField, TextField},
        testkit::a_customer,
    };

    proptest! {
        /// Tokens hide no customer from a filter.
        #[test]
        fn a_customer_for_which_a_condition_holds_has_its_tokens(
            name in "[a-cA-CäÖßéİı田中テﾃø'\\.\u{301}\u{3099}ｶ -]{1,16}",
            from in 0_usize..12,
            length in 1_usize..8,
            kind in 0..3,
        ) {
            prop_assume!(crate::customer::CustomerName::new(name.as_str()).is_ok());
            let customer = a_customer("x").named(&name).existing();
            let part: String = match kind {
                0 => name.chars().skip(from).take(length).collect(),
                1 => name.chars().take(length).collect(),
                _ => name.clone(),
            };
            let folded = Folded::new(&part);
            let condition = match kind {
                0 => Condition::Contains(TextField::Name, folded),
                1 => Condition::StartsWith(TextField::Name, folded),
                _ => Condition::Same(TextField::Name, folded),
            };
            if condition.holds(&customer.customer) {
                let known = customer.find_tokens();
                for token in condition.tokens().as_slice() {
                    prop_assert!(known.contain(*token), "{:?} of {:?}", part, name);
                }
            }
        }
    }

    #[test]
    fn the_costly_filter_is_the_one_without_an_index() {
        let costly = |filters: Vec<Condition>, sort: Vec<SortField>| {
            let sort = sort.into_iter().map(|field| (field, None)).collect();
            CustomerQuery::new(CustomerQueryParts { filters, sort, ..CustomerQueryParts::default() }).unwrap().costly()
        };
        let contains = |field| Condition::Contains(field, Folded::new("gmbh"));
        let contact = SortField::Text(TextField::Contact);
        assert_eq!(costly(vec![], vec![]), None);
        assert_eq!(costly(vec![contains(TextField::Name)], vec![]), Some("name".into()));
        let both = vec![contains(TextField::Name), contains(TextField::AddressLine1)];
        assert_eq!(costly(both, vec![contact]), Some("address_line1".into()));
        assert_eq!(costly(vec![contains(TextField::Name)], vec![contact]), Some("contact".into()));
    }
}
