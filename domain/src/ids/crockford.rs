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

/// Encodes 160 bits as 32 characters: 128 bits and the 32 after them.
pub(crate) fn encode_160(high: u128, low: u32) -> [u8; 32] {
    let mut text = [0; 32];
    for (index, place) in text.iter_mut().enumerate() {
        // 125 bits make the first 25 characters; the last 3 of the 128 bits and the 32 after them make the others.
        let value = match index {
            0..25 => high >> (123 - 5 * index),
            _ => ((high & 7) << 32 | u128::from(low)) >> (30 - 5 * (index - 25)),
        };
        *place = ALPHABET[value as usize & 31];
    }
    text
}

/// Decodes the text of [`encode_160`]; `None` for another length or character.
pub(crate) fn decode_160(text: &[u8]) -> Option<(u128, u32)> {
    if text.len() != 32 {
        return None;
    }
    let values = |text: &[u8]| {
        text.iter().try_fold(0u128, |bits, character| match VALUES[usize::from(*character)] {
            NONE => None,
            value => Some(bits << 5 | u128::from(value)),
        })
    };
    let (front, back) = (values(&text[..25])?, values(&text[25..])?);
    #[expect(clippy::cast_possible_truncation, reason = "the low 32 bits are meant")]
    let low = back as u32;
    Some((front << 3 | back >> 32, low))
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
