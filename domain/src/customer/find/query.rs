//! A query: a piece of text, and the customers that an index has to name for it.

use std::fmt;

use super::{
    fold::{FoldedWords, plain},
    tokens::{SHORT, Token, Tokens, grams, near, start},
};
use crate::{
    customer::CustomerAggregate,
    ids::CustomerId,
    lifecycle::Status,
    violation::{Rule, Violations},
    words::words,
};

/// Which customers are found.
///
/// ```
/// use patron_domain::customer::find::FindStatus;
///
/// assert_eq!(FindStatus::parse("all"), Ok(FindStatus::All));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FindStatus {
    /// Published ones.
    #[default]
    Published,
    /// Archived ones, too. They come last.
    All,
}

words!(FindStatus, "published, all", Published => "published", All => "all");

/// Why a query is refused.
///
/// ```
/// use patron_domain::customer::find::{FindQuery, FindQueryError};
///
/// assert_eq!(FindQueryError::Limit.to_string(), "limit must be a whole number from 1 to 50");
/// assert!(FindQuery::new("a", None, Default::default()).is_err());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FindQueryError {
    /// The text has too few or too many characters.
    #[error("q must have {min} to {max} characters, not counting blanks around them", min = FindQuery::MIN_CHARS, max = FindQuery::MAX_CHARS)]
    Length,
    /// The limit is out of range.
    #[error("limit must be a whole number from 1 to {max}", max = FindQuery::MAX_LIMIT)]
    Limit,
}

impl Rule for FindQueryError {
    fn rule(&self) -> &'static str {
        match self {
            Self::Length => "length",
            Self::Limit => "range",
        }
    }
}

/// A piece of text to find customers by. It may be personal data, so `Debug` does not show it.
///
/// ```
/// use patron_domain::customer::find::{FindQuery, FindStatus};
///
/// let query = FindQuery::new("muller berlin", Some(10), FindStatus::Published).unwrap();
/// assert_eq!(query.limit(), 10);
/// ```
#[derive(Clone)]
pub struct FindQuery {
    /// All of it.
    pub(super) whole: FoldedWords,
    /// With its punctuation.
    pub(super) plain: String,
    /// Its distinct words.
    pub(super) words: Vec<Vec<char>>,
    id: Option<CustomerId>,
    limit: u16,
    status: FindStatus,
}

impl fmt::Debug for FindQuery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FindQuery")
            .field("words", &self.words.len())
            .field("limit", &self.limit)
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}

impl FindQuery {
    /// The least characters of the text.
    pub const MIN_CHARS: usize = 2;
    /// The most characters of the text.
    pub const MAX_CHARS: usize = 200;
    /// The most customers.
    pub const MAX_LIMIT: u16 = 50;
    /// The default number of customers.
    pub const DEFAULT_LIMIT: u16 = 20;

    /// A query for at most `limit` customers, by a text of 2 to 200 characters.
    ///
    /// # Errors
    /// The violations, at `q` and `limit`.
    pub fn new(text: &str, limit: Option<u64>, status: FindStatus) -> Result<Self, Violations> {
        let mut broken = Violations::new();
        let text = text.trim();
        if !(Self::MIN_CHARS..=Self::MAX_CHARS).contains(&text.chars().count()) {
            broken.add("q", &FindQueryError::Length);
        }
        let limit = limit.map_or(Some(Self::DEFAULT_LIMIT), |limit| u16::try_from(limit).ok());
        let limit = limit.filter(|limit| (1..=Self::MAX_LIMIT).contains(limit));
        let limit = broken.check(|| "limit".to_owned(), limit.ok_or(FindQueryError::Limit)).unwrap_or_default();
        broken.into_result()?;
        let whole = FoldedWords::new(text);
        let mut words: Vec<Vec<char>> = Vec::new();
        for word in whole.words() {
            if !words.iter().any(|known| known == word) {
                words.push(word.to_vec());
            }
        }
        Ok(Self { plain: plain(text), id: CustomerId::parse(text).ok(), whole, words, limit, status })
    }

    /// The most customers to show.
    #[must_use]
    pub fn limit(&self) -> usize {
        self.limit.into()
    }

    /// The statuses to look in, in this order.
    #[must_use]
    pub fn statuses(&self) -> &'static [Status] {
        match self.status {
            FindStatus::Published => &[Status::Published],
            FindStatus::All => &[Status::Published, Status::Archived],
        }
    }

    /// Whether the text is the id of a customer.
    pub(super) fn names(&self, id: CustomerId) -> bool {
        self.id == Some(id)
    }

    /// The look-ups to begin with: the customer whose id the text is, and those that have every word.
    #[must_use]
    pub fn first(&self, status: Status) -> Vec<LookUp> {
        let by_id = self.id.map(|id| LookUp { status, sought: Sought::Id(id), most: 1 });
        let every_word = self.words.iter().flat_map(|word| of_word(word));
        by_id.into_iter().chain(LookUp::all(status, every_word)).collect()
    }

    /// The look-ups besides, if too many customers have every word, or no word is long enough: those with an identifier that is
    /// exactly the text, and those with a text that begins with it.
    #[must_use]
    pub fn better(&self, status: Status) -> Vec<LookUp> {
        let exact = Some(Token::whole(&self.whole)).filter(|_| !self.whole.is_empty());
        let words = self.words.iter().flat_map(|word| of_word(word));
        let beginning = Token::beginning(&self.whole).map(|token| words.chain([token]).collect::<Vec<_>>());
        let exact = LookUp::all(status, exact);
        exact.into_iter().chain(LookUp::all(status, beginning.into_iter().flatten())).collect()
    }

    /// The look-ups for typing errors, if the others do not fill the page: customers that have every word but one, and parts of
    /// that one.
    #[must_use]
    pub fn similar(&self, status: Status) -> Vec<LookUp> {
        let mistyped = self.words.iter().enumerate().filter(|(_, word)| is_mistypable(word)).take(MAX_MISTYPED);
        let mut look_ups = Vec::new();
        for (place, word) in mistyped {
            let others = self.words.iter().enumerate().filter(|(other, _)| *other != place);
            let others: Vec<Token> = others.flat_map(|(_, word)| of_word(word)).collect();
            let mut look_up = |all: Vec<Token>, any: Vec<Token>| {
                let all = others.iter().copied().chain(all).collect();
                let sought = Sought::Tokens { all, any: any.into_iter().collect() };
                look_ups.push(LookUp { status, sought, most: LookUp::MOST_SIMILAR });
            };
            if word.len() <= SHORT.end() + 1 {
                let mut any = Vec::new();
                near(word, |token| any.push(token));
                look_up(Vec::new(), any);
            }
            without_a_part(word).for_each(|tokens| look_up(tokens, Vec::new()));
        }
        look_ups
    }
}

/// The tokens of every text with a word that has this in it. A word of two letters is found at the beginning of words, and one
/// of a single letter narrows only what the other words find.
fn of_word(word: &[char]) -> Vec<Token> {
    let mut tokens = Vec::new();
    grams(word, |token| tokens.push(token));
    if tokens.is_empty() {
        tokens.extend(start(word));
    }
    tokens
}

/// Whether typing errors are looked for in a word.
pub(super) fn is_mistypable(word: &[char]) -> bool {
    (*SHORT.start()..=24).contains(&word.len())
}

/// The most words in which a typing error is looked for.
const MAX_MISTYPED: usize = 4;
/// The most alternatives for one word.
const MAX_ALTERNATIVES: usize = 8;

/// For each place of a typing error in a long word, the grams that it leaves whole.
fn without_a_part(word: &[char]) -> impl Iterator<Item = Vec<Token>> + '_ {
    let length = if word.len() < *SHORT.end() { 0 } else { word.len() };
    let step = length.div_ceil(MAX_ALTERNATIVES).max(1);
    let alternatives = (0..length).step_by(step).map(move |from| {
        let mut tokens = Vec::new();
        grams(&word[..from], |token| tokens.push(token));
        // A longer word differs from this one by a character that this one lacks, which touches nothing after it.
        let until = if word.len() == *SHORT.end() { from } else { from + step + 1 };
        grams(word.get(until..).unwrap_or_default(), |token| tokens.push(token));
        tokens
    });
    alternatives.filter(|tokens| !tokens.is_empty())
}

/// A query to an index.
///
/// ```
/// use patron_domain::{customer::find::{FindQuery, FindStatus}, lifecycle::Status, testkit::a_customer};
///
/// let query = FindQuery::new("acme", None, FindStatus::Published).unwrap();
/// assert!(query.first(Status::Published)[0].names(&a_customer("acme-1").existing()));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LookUp {
    /// The status of the customers.
    pub status: Status,
    /// What is looked up.
    pub sought: Sought,
    /// The most customers that are wanted: the newest ones, by their ids.
    pub most: usize,
}

/// The property by which a look-up selects customers.
///
/// ```
/// use patron_domain::{customer::find::Sought, testkit::a_customer};
///
/// let acme = a_customer("acme").existing();
/// assert!(Sought::Id(acme.customer.id).names(&acme));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sought {
    /// This id.
    Id(CustomerId),
    /// Tokens. At least one of the lists is not empty.
    Tokens {
        /// All of these.
        all: Tokens,
        /// One of these, unless there are none.
        any: Tokens,
    },
}

impl Sought {
    /// Whether a customer has it.
    #[must_use]
    pub fn names(&self, aggregate: &CustomerAggregate) -> bool {
        match self {
            Self::Id(id) => aggregate.customer.id == *id,
            Self::Tokens { all, any } => {
                let known = aggregate.find_tokens();
                let is_known = |token: &Token| known.contain(*token);
                all.as_slice().iter().all(is_known) && (any.is_empty() || any.as_slice().iter().any(is_known))
            }
        }
    }
}

impl LookUp {
    /// The most customers with every word that are compared with the text.
    pub const MOST: usize = 100;
    /// The most customers that are compared for one place of a typing error.
    pub const MOST_SIMILAR: usize = 50;

    /// The look-up of all these tokens; `None` if there are none.
    fn all(status: Status, tokens: impl IntoIterator<Item = Token>) -> Option<Self> {
        let all: Tokens = tokens.into_iter().collect();
        let sought = |all| Sought::Tokens { all, any: Tokens::default() };
        (!all.is_empty()).then(|| Self { status, sought: sought(all), most: Self::MOST })
    }

    /// Whether a customer is sought: the reference for every store.
    #[must_use]
    pub fn names(&self, aggregate: &CustomerAggregate) -> bool {
        aggregate.customer.status == self.status && self.sought.names(aggregate)
    }

    /// The customers that this names among all customers of a scope: for stores without an index.
    #[must_use]
    pub fn among<'a>(&self, all: impl IntoIterator<Item = &'a CustomerAggregate>) -> Vec<&'a CustomerAggregate> {
        let mut named: Vec<_> = all.into_iter().filter(|one| self.names(one)).collect();
        named.sort_unstable_by_key(|one| std::cmp::Reverse(one.customer.id));
        named.truncate(self.most);
        named
    }
}
