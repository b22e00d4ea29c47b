//! Crockford's base 32 (<https://www.crockford.com/base32.html>): 128 bits as 26 upper-case characters.

const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const NONE: u8 = 0xFF;
const VALUES: [u8; 256] = {
    let mut values = [NONE; 256];
    let mut index = 0;
    while index < 32 {
        values[ALPHABET[index] as usize] = index as u8;
        index += 1;
    }
    values
};

pub(crate) fn encode(bits: u128) -> [u8; 26] {
    let mut text = [0; 26];
    for (index, place) in text.iter_mut().enumerate() {
        let shift = 5 * (25 - index);
        *place = ALPHABET[(bits >> shift) as usize & 31];
    }
    text
}

pub(crate) fn as_str(text: &[u8]) -> &str {
    // The alphabet is ASCII, so this is always valid UTF-8.
    std::str::from_utf8(text).unwrap_or_default()
}

/// `None` for another length, another character, lower case, or more than 128 bits (a first character above 7).
pub(crate) fn decode(text: &[u8]) -> Option<u128> {
    if text.len() != 26 || text[0] > b'7' {
        return None;
    }
    text.iter().try_fold(0u128, |bits, character| match VALUES[usize::from(*character)] {
        NONE => None,
        value => Some(bits << 5 | u128::from(value)),
    })
}
