//! Hashing of values. The hash of a value does not depend on the database.

use sha2::{Digest, Sha256};

use crate::persistence::value::{Document, Key};

/// A value of a column.
pub(crate) trait Digested {
    /// Adds the value. No other sequence of values adds the same bytes.
    fn add_to(&self, sum: &mut Sha256);
}

fn add_bytes(bytes: &[u8], sum: &mut Sha256) {
    sum.update((bytes.len() as u64).to_be_bytes());
    sum.update(bytes);
}

macro_rules! numbers {
    ($($number:ty),+) => {
        $(impl Digested for $number {
            fn add_to(&self, sum: &mut Sha256) {
                sum.update(self.to_be_bytes());
            }
        })+
    };
}

numbers!(i16, i32, i64);

impl Digested for String {
    fn add_to(&self, sum: &mut Sha256) {
        add_bytes(self.as_bytes(), sum);
    }
}

impl Digested for Vec<u8> {
    fn add_to(&self, sum: &mut Sha256) {
        add_bytes(self, sum);
    }
}

impl Digested for Document {
    fn add_to(&self, sum: &mut Sha256) {
        add_bytes(self.0.as_bytes(), sum);
    }
}

impl Digested for Key {
    fn add_to(&self, sum: &mut Sha256) {
        sum.update(self.as_bytes());
    }
}

impl<T: Digested> Digested for Option<T> {
    fn add_to(&self, sum: &mut Sha256) {
        match self {
            None => sum.update([0]),
            Some(value) => {
                sum.update([1]);
                value.add_to(sum);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use sha2::{Digest, Sha256};

    use super::Digested;

    fn sum(values: &[&dyn Digested]) -> Vec<u8> {
        let mut sum = Sha256::new();
        values.iter().for_each(|value| value.add_to(&mut sum));
        sum.finalize().to_vec()
    }

    #[test]
    fn different_values_have_different_hashes() {
        let text = |text: &str| text.to_owned();
        assert_ne!(sum(&[&text("ab"), &text("c")]), sum(&[&text("a"), &text("bc")]));
        assert_ne!(sum(&[&None::<i64>]), sum(&[&Some(0_i64)]));
        assert_eq!(sum(&[&Some(text("a"))]), sum(&[&Some(text("a"))]));
    }
}
