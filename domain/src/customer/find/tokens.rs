//! Tokens: the pieces of texts by which an index finds customers.

use super::{
    filters,
    fold::FoldedWords,
    texts::{Role, each_text},
};
use crate::{
    customer::{
        CustomerAggregate,
        query::{Folded, TextField},
    },
    lifecycle::Status,
};

/// A piece of a folded text as a number of 24 bits. Different pieces rarely share a number. If they do, an index names a
/// customer too many, and the comparison with the texts leaves it out.
///
/// ```
/// use patron_domain::{customer::find::{Token, Tokens}, testkit::a_customer};
///
/// let tokens: Tokens = a_customer("acme").existing().find_tokens();
/// assert!(tokens.as_slice().iter().all(|token: &Token| token.get() < 1 << Token::BITS));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Token(u32);

/// The kinds of pieces, which keep equal letters apart.
#[derive(Clone, Copy)]
enum Piece {
    /// Three characters of a word, or two ideographs or kana.
    Gram = 1,
    /// The first two characters of a word.
    Start = 2,
    /// The first three characters of a whole text.
    Beginning = 3,
    /// A whole identifier without its separators.
    Whole = 4,
    /// A short word, or such a word without one of its characters.
    Near = 5,
    /// The same as a gram, but of one field. Only filters use it.
    FieldGram = 6,
    /// The whole text of one field. Only filters use it.
    FieldValue = 7,
}

impl Token {
    /// The number of bits.
    pub const BITS: u32 = 24;

    /// The number.
    #[must_use]
    pub fn get(self) -> u32 {
        self.0
    }

    /// FNV-1a over the characters, mixed.
    fn of(piece: Piece, characters: impl IntoIterator<Item = char>) -> Self {
        let start = 0x811c_9dc5 ^ piece as u32;
        let hash = characters.into_iter().fold(start.wrapping_mul(0x0100_0193), |hash, character| {
            (hash ^ u32::from(character)).wrapping_mul(0x0100_0193)
        });
        let hash = (hash ^ (hash >> 15)).wrapping_mul(0x2c1b_3c6d);
        Self((hash ^ (hash >> 13)) & ((1 << Self::BITS) - 1))
    }

    /// The token of a piece of a field's text.
    fn of_field(piece: Piece, field: TextField, characters: impl IntoIterator<Item = char>) -> Self {
        Self::of(piece, field.as_str().chars().chain(['.']).chain(characters))
    }

    /// The token of a field with this text.
    pub(super) fn value(field: TextField, text: &Folded) -> Self {
        Self::of_field(Piece::FieldValue, field, text.as_str().chars())
    }

    /// The token of a whole identifier.
    pub(super) fn whole(words: &FoldedWords) -> Self {
        Self::of(Piece::Whole, words.chars.iter().copied().filter(|character| *character != ' '))
    }

    /// The token of the beginning of a text, if its first word is long enough.
    pub(super) fn beginning(words: &FoldedWords) -> Option<Self> {
        let first = words.words().next()?.get(..3)?;
        Some(Self::of(Piece::Beginning, first.iter().copied()))
    }
}

/// The tokens of a customer: distinct, and in order. Rows of an index change only if these do.
///
/// ```
/// use patron_domain::testkit::a_customer;
///
/// assert_eq!(a_customer("acme").existing().find_tokens(), a_customer("ACME").existing().find_tokens());
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tokens(Vec<Token>);

impl Tokens {
    /// The tokens.
    #[must_use]
    pub fn as_slice(&self) -> &[Token] {
        &self.0
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a token is one of these.
    #[must_use]
    pub fn contain(&self, token: Token) -> bool {
        self.0.binary_search(&token).is_ok()
    }
}

impl FromIterator<Token> for Tokens {
    fn from_iter<I: IntoIterator<Item = Token>>(tokens: I) -> Self {
        let mut tokens: Vec<_> = tokens.into_iter().collect();
        tokens.sort_unstable();
        tokens.dedup();
        Self(tokens)
    }
}

/// Ideographs and kana, whose texts are short and have no spaces: they are found by two characters.
fn is_dense(character: char) -> bool {
    matches!(character,
        '\u{3041}'..='\u{30FF}'
        | '\u{3400}'..='\u{4DBF}'
        | '\u{4E00}'..='\u{9FFF}'
        | '\u{20000}'..='\u{3FFFF}')
}

/// Passes the grams of a part of a word to `take`. Those of a part are among those of the whole.
pub(super) fn grams(word: &[char], mut take: impl FnMut(Token)) {
    pieces(word, |piece| take(Token::of(Piece::Gram, piece.iter().copied())));
}

/// Passes the grams of a part of a word in one field to `take`.
pub(super) fn field_grams(field: TextField, word: &[char], mut take: impl FnMut(Token)) {
    pieces(word, |piece| take(Token::of_field(Piece::FieldGram, field, piece.iter().copied())));
}

/// Passes the parts of a word that are indexed to `take`: three characters, or two ideographs or kana.
fn pieces(word: &[char], mut take: impl FnMut(&[char])) {
    for at in 0..word.len() {
        match word[at..] {
            [one, two, ..] if is_dense(one) && is_dense(two) => take(&word[at..at + 2]),
            [_, two, three, ..] if is_dense(two) && is_dense(three) => {}
            [_, _, _, ..] => take(&word[at..at + 3]),
            _ => {}
        }
    }
}

/// The token of the first two characters of a word.
pub(super) fn start(word: &[char]) -> Option<Token> {
    word.get(..2).map(|start| Token::of(Piece::Start, start.iter().copied()))
}

/// The lengths of words that are found with a typing error by their own tokens. Longer words are found by their grams, shorter
/// ones not at all.
pub(super) const SHORT: std::ops::RangeInclusive<usize> = 4..=6;

/// Passes a word to `take`, and the word without each of its characters. Two words that differ by one typing error share one of them.
pub(super) fn near(word: &[char], mut take: impl FnMut(Token)) {
    take(Token::of(Piece::Near, word.iter().copied()));
    for left_out in 0..word.len() {
        // Without either of two equal neighbours it is the same.
        if left_out == 0 || word[left_out] != word[left_out - 1] {
            let rest = word[..left_out].iter().chain(&word[left_out + 1..]);
            take(Token::of(Piece::Near, rest.copied()));
        }
    }
}

impl CustomerAggregate {
    /// The tokens by which this customer is found. A pure function of its texts; a deleted customer has none.
    #[must_use]
    pub fn find_tokens(&self) -> Tokens {
        if self.customer.status == Status::Deleted {
            return Tokens::default();
        }
        let mut tokens = Vec::with_capacity(256);
        each_text(self, |role, text, _| of_text(role, &FoldedWords::new(&text), &mut tokens));
        filters::of_customer(&self.customer, &mut tokens);
        tokens.into_iter().collect()
    }
}

fn of_text(role: Role, words: &FoldedWords, tokens: &mut Vec<Token>) {
    if words.is_empty() {
        return;
    }
    if role.is_exact() {
        tokens.push(Token::whole(words));
    }
    if role.is_prefix() {
        tokens.extend(Token::beginning(words));
    }
    for word in words.words() {
        tokens.extend(start(word));
        grams(word, |token| tokens.push(token));
        if role.is_similar() && SHORT.contains(&word.len()) {
            near(word, |token| tokens.push(token));
        }
    }
}
