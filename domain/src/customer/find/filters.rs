//! Filters that use the tokens: what an index can say about a condition of a list.

use std::borrow::Cow;

use unicode_normalization::char::is_combining_mark;

use super::{
    FoldedWords, Token, Tokens,
    tokens::{field_grams, grams, start},
};
use crate::customer::{
    Customer,
    query::{Condition, CustomerQuery, Folded, TextField, text},
};

impl TextField {
    /// Whether `find` searches this text, so that filters use the same grams.
    fn is_found(self) -> bool {
        matches!(self, Self::ExternalId | Self::Name | Self::Email | Self::LegalName | Self::AddressCity)
    }

    /// Whether a whole text of this field has a token. The others have an index of their own.
    fn has_value_token(self) -> bool {
        !matches!(self, Self::Id | Self::ExternalId | Self::Name | Self::Email)
    }

    /// Passes the grams of a word in this field to `take`.
    fn grams(self, word: &[char], take: impl FnMut(Token)) {
        if self.is_found() { grams(word, take) } else { field_grams(self, word, take) }
    }
}

/// Adds the tokens that only filters use.
pub(super) fn of_customer(customer: &Customer, tokens: &mut Vec<Token>) {
    for field in TextField::ALL.iter().copied().filter(|field| field.has_value_token()) {
        let text = text(customer, field);
        if text.is_empty() {
            continue;
        }
        tokens.push(Token::value(field, &Folded::new(&text)));
        if !field.is_found() {
            FoldedWords::new(&text).words().for_each(|word| field_grams(field, word, |token| tokens.push(token)));
        }
    }
}

/// The most texts of one condition that are looked up by tokens.
const MAX_TEXTS: usize = 50;

impl Condition {
    /// Tokens of every customer for which the condition holds. Others may have them, too. Empty if the tokens say nothing about
    /// it: for other fields and comparisons, and for parts of less than three letters.
    #[must_use]
    pub fn tokens(&self) -> Tokens {
        match self {
            Self::Contains(field, text) | Self::StartsWith(field, text) if *field != TextField::Id => {
                of_part(*field, text, false)
            }
            Self::Same(field, text) if field.has_value_token() && !text.as_str().is_empty() => {
                [Token::value(*field, text)].into_iter().collect()
            }
            // It has an index of its own.
            Self::Same(TextField::Email, _) => Tokens::default(),
            Self::Same(field, text) => of_part(*field, text, true),
            Self::OneOf(_, texts) if texts.as_slice().len() == 1 => self.any_of_tokens(),
            _ => Tokens::default(),
        }
    }

    /// Whether the tokens say something about it.
    pub(in crate::customer) fn has_tokens(&self) -> bool {
        !self.tokens().is_empty() || !self.any_of_tokens().is_empty()
    }

    /// Every customer for which the condition holds has one of these tokens. Others may have them, too. Empty if the tokens say
    /// nothing about it.
    #[must_use]
    pub fn any_of_tokens(&self) -> Tokens {
        match self {
            Self::OneOf(field, texts)
                if field.has_value_token() && texts.as_slice().len() <= MAX_TEXTS && !texts.contain("") =>
            {
                texts.as_slice().iter().map(|text| Token::value(*field, &Folded::new(text))).collect()
            }
            _ => Tokens::default(),
        }
    }
}

/// The tokens of a part of a text, or of a whole one.
fn of_part(field: TextField, text: &Folded, is_whole: bool) -> Tokens {
    let text = text.as_str();
    // Marks at an end may belong to a character that is not there.
    let is_mark = |character: Option<char>| character.is_some_and(is_combining_mark);
    if is_mark(text.chars().next()) || is_mark(text.chars().next_back()) {
        return Tokens::default();
    }
    let mut tokens: Vec<Token> = Vec::new();
    for word in FoldedWords::new(text).words() {
        field.grams(word, |token| tokens.push(token));
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

    /// Every customer that the query finds has one of these tokens, beside those of [`CustomerQuery::tokens`]. Empty if the tokens
    /// say nothing about it.
    #[must_use]
    pub fn any_of_tokens(&self) -> Tokens {
        let lists = self.conditions().iter().map(Condition::any_of_tokens);
        lists
            .filter(|tokens| tokens.as_slice().len() > 1)
            .min_by_key(|tokens| tokens.as_slice().len())
            .unwrap_or_default()
    }

    /// The filter, or the field of the order, that makes the query expensive: the first one without an index. `None` if there
    /// is none.
    #[must_use]
    pub fn costly(&self) -> Option<Cow<'static, str>> {
        let unindexed = self.conditions().iter().find(|condition| !condition.is_indexed());
        let ordered = || self.order().keys().iter().map(|(field, _)| field).find(|field| !field.is_indexed());
        // Tokens do not help with a part that most customers have.
        let common = || self.conditions().iter().find(|condition| condition.has_tokens());
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
        customer::{
            AddressLine, CustomerName,
            query::{Condition, CustomerQuery, CustomerQueryParts, Folded, SortField, TextField},
        },
        testkit::a_customer,
    };

    proptest! {
        /// Tokens hide no customer from a filter.
        #[test]
        fn a_customer_for_which_a_condition_holds_has_its_tokens(
            text in "[a-cA-CäÖßéİı田中テﾃø'\\.\u{301}\u{3099}ｶ -]{1,16}",
            from in 0_usize..12,
            length in 1_usize..8,
            kind in 0..5,
        ) {
            prop_assume!(CustomerName::new(text.as_str()).is_ok() && AddressLine::new(text.as_str()).is_ok());
            let mut customer = a_customer("x").named(&text).existing();
            customer.customer.profile.address.line1 = Some(AddressLine::new(text.as_str()).unwrap());
            let part: String = match kind {
                0 => text.chars().skip(from).take(length).collect(),
                1 => text.chars().take(length).collect(),
                _ => text.clone(),
            };
            for field in [TextField::Name, TextField::AddressLine1] {
                let folded = Folded::new(&part);
                let condition = match kind {
                    0 => Condition::Contains(field, folded),
                    1 => Condition::StartsWith(field, folded),
                    2 => Condition::Same(field, folded),
                    3 => Condition::OneOf(field, [part.clone()].into_iter().collect()),
                    _ => Condition::OneOf(field, [part.clone(), "other".to_owned()].into_iter().collect()),
                };
                if !condition.holds(&customer.customer) {
                    continue;
                }
                let known = customer.find_tokens();
                for token in condition.tokens().as_slice() {
                    prop_assert!(known.contain(*token), "{:?} of {:?}", part, text);
                }
                let any = condition.any_of_tokens();
                prop_assert!(any.is_empty() || any.as_slice().iter().any(|token| known.contain(*token)), "{:?}", part);
            }
        }
    }

    #[test]
    fn each_field_has_tokens_of_its_own() {
        let mut customer = a_customer("x").existing();
        customer.customer.profile.address.line1 = Some(AddressLine::new("Berliner Straße 7").unwrap());
        let known = customer.find_tokens();
        let has = |field, text| {
            let tokens = Condition::Contains(field, Folded::new(text)).tokens();
            !tokens.is_empty() && tokens.as_slice().iter().all(|token| known.contain(*token))
        };
        assert!(has(TextField::AddressLine1, "erliner"));
        assert!(!has(TextField::AddressLine2, "erliner") && !has(TextField::Name, "erliner"));
        let one_of = |texts: &[&str]| {
            Condition::OneOf(TextField::AddressCountry, texts.iter().map(|&text| text.to_owned()).collect())
        };
        assert_eq!(one_of(&["DE"]).tokens(), one_of(&["de"]).tokens());
        assert!(one_of(&["DE", "FR"]).tokens().is_empty() && one_of(&["DE", "FR"]).has_tokens());
        // The empty text also matches customers without a token.
        assert!(!one_of(&["DE", ""]).has_tokens() && !one_of(&[]).has_tokens());
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
        let short = Condition::Contains(TextField::AddressLine1, Folded::new("7"));
        assert_eq!(costly(vec![contains(TextField::Name), short], vec![contact]), Some("address_line1".into()));
        assert_eq!(costly(vec![contains(TextField::Name)], vec![contact]), Some("contact".into()));
    }
}
