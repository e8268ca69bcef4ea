//! Signatures and encryption of pushes, as WeChat's "消息加解密说明" has them.

use std::fmt;

use aes::Aes256;
use aes::cipher::block_padding::NoPadding;
use aes::cipher::{BlockModeDecrypt as _, BlockModeEncrypt as _, KeyIvInit as _};
use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use sha1::{Digest as _, Sha1};

/// The last of the 43 characters carries bits beyond the 32 bytes, which need not be 0.
const KEY_ENCODING: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::RequireNone),
);

/// Padding goes up to multiples of this, twice the cipher's own block.
const PADDED: usize = 32;

/// Random bytes before the message, then its length.
const SALT: usize = 16;
const LENGTH: usize = 4;

/// The key that pushes are encrypted with.
#[derive(Clone)]
pub(crate) struct AesKey([u8; 32]);

/// The hexadecimal SHA-1 of the sorted parts.
pub(crate) fn sign(parts: &[&str]) -> String {
    let mut parts = parts.to_vec();
    parts.sort_unstable();
    hex::encode(Sha1::digest(parts.concat()))
}

impl AesKey {
    /// Reads an `EncodingAESKey`.
    pub(crate) fn decode(text: &str) -> Option<Self> {
        let bytes = KEY_ENCODING.decode(text).ok()?;
        bytes.try_into().ok().map(Self)
    }

    /// The message inside, if it is for that mini-program.
    pub(crate) fn open(&self, sealed: &[u8], appid: &str) -> Option<Vec<u8>> {
        let mut plain = cbc::Decryptor::<Aes256>::new(&self.0.into(), &self.iv().into())
            .decrypt_padded_vec::<NoPadding>(sealed)
            .ok()?;
        let padding = usize::from(*plain.last()?);
        if !(1..=PADDED).contains(&padding) {
            return None;
        }
        plain.truncate(plain.len().checked_sub(padding)?);
        let (_, rest) = plain.split_at_checked(SALT)?;
        let (length, rest) = rest.split_first_chunk::<LENGTH>()?;
        let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
        let (message, meant_for) = rest.split_at_checked(length)?;
        (meant_for == appid.as_bytes()).then(|| message.to_vec())
    }

    /// Encrypts a message to that mini-program.
    pub(crate) fn seal(&self, message: &[u8], appid: &str, salt: [u8; SALT]) -> Vec<u8> {
        let length = u32::try_from(message.len()).unwrap_or(u32::MAX).to_be_bytes();
        let mut plain = [&salt[..], &length, message, appid.as_bytes()].concat();
        let padding = PADDED - plain.len() % PADDED;
        // 1 to 32 always fits.
        plain.resize(plain.len() + padding, padding as u8);
        cbc::Encryptor::<Aes256>::new(&self.0.into(), &self.iv().into())
            .encrypt_padded_vec::<NoPadding>(&plain)
    }

    fn iv(&self) -> [u8; 16] {
        let mut iv = [0; 16];
        iv.copy_from_slice(&self.0[..16]);
        iv
    }
}

impl fmt::Debug for AesKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}
