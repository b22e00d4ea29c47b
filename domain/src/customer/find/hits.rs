//! The customers that are found, in order.

use std::{borrow::Cow, cmp::Reverse, collections::BTreeMap};

use super::{
    FindQuery, TextPath,
    fold::{FoldedWords, plain},
    matching::{Fit, fit, near_fit},
    texts::{Role, each_text},
};
use crate::{
    customer::{CustomerAggregate, CustomerRecord},
    ids::CustomerId,
    lifecycle::Status,
    words::words,
};

/// How well a customer fits. The best class comes first.
///
/// ```
/// use patron_domain::customer::find::HitClass;
///
/// assert!(HitClass::Exact < HitClass::Similar);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HitClass {
    /// An id, external id, e-mail address, tax id or id in another system is exactly the text.
    Exact,
    /// A name or an e-mail address begins with it.
    Prefix,
    /// Something contains it.
    Contains,
    /// One of the words has a typing error.
    Similar,
}

words!(
    HitClass,
    "exact, prefix, contains, similar",
    Exact => "exact",
    Prefix => "prefix",
    Contains => "contains",
    Similar => "similar",
);

/// A text that matches, and the parts of it.
///
/// ```
/// use patron_domain::customer::find::{MatchedText, TextPath};
///
/// let name = MatchedText { path: TextPath::Member("name"), ranges: vec![[0, 6]] };
/// assert_eq!(name.path.to_string(), "name");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MatchedText {
    /// The place of the text.
    pub path: TextPath,
    /// The matching parts as code points of the stored text, the end exclusive.
    pub ranges: Vec<[usize; 2]>,
}

/// A customer that is found.
///
/// ```
/// use patron_domain::{
///     customer::find::{FindQuery, FindStatus, Hit, HitClass, Hits},
///     lifecycle::Status,
///     testkit::a_customer,
/// };
///
/// let query = FindQuery::new("mull", None, FindStatus::Published).unwrap();
/// let mut hits = Hits::of(&query, Status::Published);
/// hits.add([a_customer("acme").named("Müller & Co").existing()], false);
/// let found: Vec<Hit> = hits.in_order();
/// assert_eq!((found[0].class, found[0].matched[0].ranges[0]), (HitClass::Prefix, [0, 4]));
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Hit {
    /// The customer with its published mappings.
    pub record: CustomerRecord,
    /// How well it fits.
    pub class: HitClass,
    /// How similar it is, compared with others of its class.
    pub similarity: u32,
    /// What matches.
    pub matched: Vec<MatchedText>,
}

/// The customers of one status that a query finds, among those that an index names.
///
/// ```
/// use patron_domain::{customer::find::{FindQuery, FindStatus, Hits}, lifecycle::Status, testkit::a_customer};
///
/// let query = FindQuery::new("acme", None, FindStatus::Published).unwrap();
/// let mut hits = Hits::of(&query, Status::Published);
/// hits.add([a_customer("acme").existing(), a_customer("umbrella").existing()], false);
/// assert_eq!(hits.len(), 1);
/// ```
#[derive(Debug)]
pub struct Hits<'q> {
    query: &'q FindQuery,
    status: Status,
    found: BTreeMap<CustomerId, Hit>,
}

impl<'q> Hits<'q> {
    /// No customers yet.
    #[must_use]
    pub fn of(query: &'q FindQuery, status: Status) -> Self {
        Self { query, status, found: BTreeMap::new() }
    }

    /// The number of customers.
    #[must_use]
    pub fn len(&self) -> usize {
        self.found.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// Adds those of some customers that fit; `similar` allows for a typing error.
    pub fn add(&mut self, candidates: impl IntoIterator<Item = CustomerAggregate>, similar: bool) {
        for candidate in candidates {
            let id = candidate.customer.id;
            if candidate.customer.status != self.status || self.found.contains_key(&id) {
                continue;
            }
            if let Some((class, similarity, matched)) = self.query.matches(&candidate, similar) {
                self.found.insert(id, Hit { record: candidate.into_record(), class, similarity, matched });
            }
        }
    }

    /// The customers in order: by class, then similarity, then the newest first.
    #[must_use]
    pub fn in_order(self) -> Vec<Hit> {
        let mut hits: Vec<_> = self.found.into_values().collect();
        hits.sort_by_key(|hit| {
            let customer = &hit.record.customer;
            (hit.class, Reverse((hit.similarity, customer.audit.created_at, customer.id)))
        });
        hits
    }
}

/// A text of the customer, folded.
struct Text<'a> {
    role: Role,
    text: Cow<'a, str>,
    words: FoldedWords,
    path: TextPath,
}

type Match = (HitClass, u32, Vec<MatchedText>);

impl FindQuery {
    /// How a customer fits, if it does.
    fn matches(&self, aggregate: &CustomerAggregate, similar: bool) -> Option<Match> {
        if self.names(aggregate.customer.id) {
            let length = aggregate.customer.id.to_string().chars().count();
            let id = MatchedText { path: TextPath::Member("id"), ranges: vec![[0, length]] };
            return Some((HitClass::Exact, 2_000, vec![id]));
        }
        let mut texts = Vec::new();
        each_text(aggregate, |role, text, path| {
            let words = FoldedWords::new(&text);
            texts.push(Text { role, text, words, path: path() });
        });
        let whole = best(&texts, &self.whole.chars, &self.plain);
        if self.words.len() < 2 {
            return whole.or_else(|| self.with_an_error(&texts, similar));
        }
        let word = |word: &Vec<char>| best(&texts, word, &String::from_iter(word));
        let words = self.words.iter().map(word).collect::<Option<Vec<_>>>().and_then(together);
        let better = whole.into_iter().chain(words).min_by_key(|(class, similarity, _)| (*class, Reverse(*similarity)));
        better.or_else(|| self.with_an_error(&texts, similar))
    }

    /// How texts have every word, one of them with a typing error.
    fn with_an_error(&self, texts: &[Text<'_>], similar: bool) -> Option<Match> {
        if !similar {
            return None;
        }
        let mistyped = (0..self.words.len()).filter_map(|mistyped| {
            let one = |(place, word): (usize, &Vec<char>)| match place == mistyped {
                true => nearest(texts, word),
                false => best(texts, word, &String::from_iter(word)),
            };
            self.words.iter().enumerate().map(one).collect::<Option<Vec<_>>>().and_then(together)
        });
        mistyped.max_by_key(|(_, similarity, _)| *similarity)
    }
}

/// The texts that have some words, with the best class among them.
fn best(texts: &[Text<'_>], sought: &[char], plainly: &str) -> Option<Match> {
    if sought.is_empty() {
        return None;
    }
    let fits = |text: &Text<'_>| fit(text.role, &text.words, || plain(&text.text) == plainly, sought);
    of_fits(texts, fits)
}

/// The texts that have a word with a typing error.
fn nearest(texts: &[Text<'_>], sought: &[char]) -> Option<Match> {
    of_fits(texts, |text| near_fit(text.role, &text.words, sought))
}

fn of_fits(texts: &[Text<'_>], fits: impl Fn(&Text<'_>) -> Option<Fit>) -> Option<Match> {
    let fitting: Vec<_> = texts.iter().filter_map(|text| Some((text, fits(text)?))).collect();
    let best = fitting.iter().map(|(_, fit)| (fit.class, Reverse(fit.similarity))).min()?;
    let matched = fitting.into_iter().map(|(text, fit)| {
        let ranges = fit.places.iter().map(|(from, to)| text.words.range(*from, *to, &text.text)).collect();
        MatchedText { path: text.path.clone(), ranges }
    });
    let (class, Reverse(similarity)) = best;
    Some((class, similarity, matched.collect()))
}

/// Several words together have the class of the worst one.
fn together(words: Vec<Match>) -> Option<Match> {
    let class = words.iter().map(|(class, ..)| *class).max()?;
    // There are at most 200 words.
    let count = u32::try_from(words.len()).unwrap_or(u32::MAX);
    let similarity = words.iter().map(|(_, similarity, _)| similarity / count).sum();
    let mut matched: Vec<MatchedText> = Vec::new();
    for text in words.into_iter().flat_map(|(_, _, texts)| texts) {
        match matched.iter_mut().find(|known| known.path == text.path) {
            Some(known) => {
                known.ranges.extend(text.ranges);
                known.ranges.sort_unstable();
                known.ranges.dedup();
            }
            None => matched.push(text),
        }
    }
    Some((class, similarity, matched))
}
