//! The trust of TLS connections: the checks of the server's certificate for each `sslmode`.

use std::{path::Path, sync::Arc};

use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
    client::{
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
        verify_server_cert_signed_by_trust_anchor, verify_server_name,
    },
    crypto::{
        WebPkiSupportedAlgorithms, ring, verify_tls12_signature, verify_tls13_signature,
        verify_tls13_signature_with_raw_key,
    },
    server::ParsedCertificate,
};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName, SubjectPublicKeyInfoDer, UnixTime, pem::PemObject};

/// The checks of the server's certificate. The server must always prove that it has the private key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Check {
    /// No check, unless root certificates are given: then a chain to one of them, as in libpq.
    Nothing,
    /// A chain to a root certificate.
    Chain,
    /// A chain to a root certificate, and the host's name.
    ChainAndName,
}

/// Files named in the URL.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Files {
    /// `sslrootcert`: root certificates in PEM. `None` for the system's.
    pub(super) roots: Option<String>,
    /// `sslcert`: our own certificate in PEM, followed by its intermediate certificates.
    pub(super) certificate: Option<String>,
    /// `sslkey`: its private key in PEM, not encrypted.
    pub(super) key: Option<String>,
}

/// Sets TLS up, with ring as the cryptography provider.
///
/// # Errors
/// A message that names the file that cannot be read or used.
pub(super) fn client_config(check: Check, files: &Files) -> Result<ClientConfig, String> {
    let provider = Arc::new(ring::default_provider());
    let roots = match (check, &files.roots) {
        (Check::Nothing, None) => None,
        (_, roots) => Some(Roots::read(roots.as_deref())?),
    };
    let verifier =
        Verifier { roots, name: check == Check::ChainAndName, algorithms: provider.signature_verification_algorithms };
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config = config.map_err(|error| error.to_string())?;
    let config = config.dangerous().with_custom_certificate_verifier(Arc::new(verifier));
    match (&files.certificate, &files.key) {
        (None, None) => Ok(config.with_no_client_auth()),
        (Some(certificate), Some(key)) => {
            let chain = certificates("sslcert", Path::new(certificate))?;
            let secret = PrivateKeyDer::from_pem_file(key);
            let secret = secret.map_err(|error| format!("sslkey={key} cannot be read: {error}"))?;
            let refused = |error| format!("sslcert={certificate} and sslkey={key} cannot be used: {error}");
            config.with_client_auth_cert(chain, secret).map_err(refused)
        }
        _ => Err("sslcert and sslkey belong together: give both or neither".to_owned()),
    }
}

fn certificates(option: &str, path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let failed = |reason: &dyn std::fmt::Display| format!("{option}={} cannot be read: {reason}", path.display());
    let found = CertificateDer::pem_file_iter(path).map_err(|error| failed(&error))?;
    let found = found.collect::<Result<Vec<_>, _>>().map_err(|error| failed(&error))?;
    if found.is_empty() { Err(failed(&"it contains no certificate in PEM")) } else { Ok(found) }
}

#[derive(Debug)]
struct Roots {
    store: RootCertStore,
    /// The certificates of the named file, for comparing whole certificates.
    named: Vec<CertificateDer<'static>>,
}

impl Roots {
    fn read(file: Option<&str>) -> Result<Self, String> {
        let mut store = RootCertStore::empty();
        // libpq's word for the system's root certificates.
        let named = match file.filter(|file| *file != "system") {
            Some(file) => {
                let named = certificates("sslrootcert", Path::new(file))?;
                for root in &named {
                    let refused = |error| format!("sslrootcert={file} cannot be used: {error}");
                    store.add(root.clone()).map_err(refused)?;
                }
                named
            }
            None => {
                // A single unreadable file of the system is not an error.
                store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
                Vec::new()
            }
        };
        if store.is_empty() {
            return Err("the system has no root certificates: install ca-certificates, or name the server's root \
                        certificate with sslrootcert"
                .to_owned());
        }
        Ok(Self { store, named })
    }

    fn check(
        &self,
        server: &CertificateDer<'_>,
        parsed: &ParsedCertificate<'_>,
        between: &[CertificateDer<'_>],
        now: UnixTime,
        algorithms: &WebPkiSupportedAlgorithms,
    ) -> Result<(), Error> {
        match verify_server_cert_signed_by_trust_anchor(parsed, &self.store, between, now, algorithms.all) {
            // A server's self-signed certificate, made as in PostgreSQL's manual, is marked as an authority. It is
            // trusted if sslrootcert names it itself. Its dates were checked before this error.
            Err(Error::InvalidCertificate(CertificateError::Other(other)))
                if other.to_string() == "CaUsedAsEndEntity" && self.named.iter().any(|root| root == server) =>
            {
                Ok(())
            }
            checked => checked,
        }
    }
}

/// Makes the requested checks of the server's certificate, and always checks its signature.
#[derive(Debug)]
struct Verifier {
    roots: Option<Roots>,
    name: bool,
    algorithms: WebPkiSupportedAlgorithms,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        server: &CertificateDer<'_>,
        between: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        _ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if let Some(roots) = &self.roots {
            let parsed = ParsedCertificate::try_from(server)?;
            roots.check(server, &parsed, between, now, &self.algorithms)?;
            if self.name {
                verify_server_name(&parsed, name)?;
            }
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signature, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        match verify_tls13_signature(message, certificate, signature, &self.algorithms) {
            // Citus creates certificates of X.509 version 1, which can only be used without checks of the chain.
            Err(Error::InvalidCertificate(CertificateError::Other(other)))
                if other.to_string() == "UnsupportedCertVersion" =>
            {
                let key = key_of_version_1(certificate)?;
                verify_tls13_signature_with_raw_key(message, &key, signature, &self.algorithms)
            }
            checked => checked,
        }
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

/// The public key of an X.509 certificate of version 1. Such a certificate can be read only like a root certificate.
fn key_of_version_1(certificate: &CertificateDer<'_>) -> Result<SubjectPublicKeyInfoDer<'static>, Error> {
    let mut store = RootCertStore::empty();
    store.add(certificate.clone().into_owned())?;
    let key = store.roots.first().map(|root| root.subject_public_key_info.as_ref()).unwrap_or_default();
    // The content of an ASN.1 sequence. Its head is missing: a tag, and the length in as few bytes as possible.
    let head = match u16::try_from(key.len()).map_err(|_| CertificateError::BadEncoding)?.to_be_bytes() {
        [0, length @ ..0x80] => vec![0x30, length],
        [0, length] => vec![0x30, 0x81, length],
        [high, low] => vec![0x30, 0x82, high, low],
    };
    Ok(SubjectPublicKeyInfoDer::from([head.as_slice(), key].concat()))
}

#[cfg(test)]
mod tests {
    use std::{path::Path, time::Duration};

    use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
    use rustls::crypto::ring;
    use rustls_pki_types::{CertificateDer, ServerName, UnixTime};

    use super::{Check, Files, Roots, ServerCertVerifier, Verifier, client_config};

    type Authority = CertifiedIssuer<'static, KeyPair>;

    /// A self-signed authority for `db.example`, valid in the year 2026.
    fn authority() -> Authority {
        let mut params = CertificateParams::new(vec!["db.example".to_owned()]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        (params.not_before, params.not_after) = (date_time_ymd(2026, 1, 1), date_time_ymd(2026, 12, 31));
        CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
    }

    fn server(authority: &Authority) -> CertificateDer<'static> {
        let params = CertificateParams::new(vec!["db.example".to_owned()]).unwrap();
        params.signed_by(&KeyPair::generate().unwrap(), authority).unwrap().der().clone()
    }

    fn verifier(folder: &Path, roots: &[&Authority], name: bool) -> Verifier {
        let file = folder.join("roots.pem");
        std::fs::write(&file, roots.iter().map(|root| root.pem()).collect::<String>()).unwrap();
        let roots = Some(Roots::read(file.to_str()).unwrap());
        Verifier { roots, name, algorithms: ring::default_provider().signature_verification_algorithms }
    }

    fn verify(verifier: &Verifier, certificate: &CertificateDer<'_>, name: &str, year: u64) -> Result<(), String> {
        let middle_of = Duration::from_secs((year - 1970) * 31_557_600 + 15_000_000);
        let (name, now) = (ServerName::try_from(name).unwrap(), UnixTime::since_unix_epoch(middle_of));
        verifier.verify_server_cert(certificate, &[], &name, &[], now).map(drop).map_err(|error| error.to_string())
    }

    #[test]
    fn chain_and_name_are_checked_as_requested() {
        let folder = tempfile::tempdir().unwrap();
        let (ours, other) = (authority(), authority());
        let server = server(&ours);
        let (chain, name) = (verifier(folder.path(), &[&ours], false), verifier(folder.path(), &[&ours], true));
        assert_eq!(verify(&name, &server, "db.example", 2026), Ok(()));
        assert_eq!(verify(&chain, &server, "elsewhere.example", 2026), Ok(()));
        assert!(verify(&name, &server, "elsewhere.example", 2026).unwrap_err().contains("not valid for name"));
        let wrong = verifier(folder.path(), &[&other], false);
        assert!(verify(&wrong, &server, "db.example", 2026).is_err());
        let several = verifier(folder.path(), &[&other, &ours], true);
        assert_eq!(verify(&several, &server, "db.example", 2026), Ok(()));
    }

    #[test]
    fn a_self_signed_authority_is_accepted_only_if_it_is_named_itself() {
        let folder = tempfile::tempdir().unwrap();
        let (ours, other) = (authority(), authority());
        let named = verifier(folder.path(), &[&ours], true);
        assert_eq!(verify(&named, ours.der(), "db.example", 2026), Ok(()));
        assert!(verify(&named, ours.der(), "elsewhere.example", 2026).is_err());
        assert!(verify(&named, ours.der(), "db.example", 2027).unwrap_err().contains("expired"));
        assert!(verify(&named, other.der(), "db.example", 2026).is_err());
        // An authority that another one signed is not the named one.
        let mut params = CertificateParams::new(vec!["db.example".to_owned()]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let below = params.signed_by(&KeyPair::generate().unwrap(), &ours).unwrap();
        assert!(verify(&named, below.der(), "db.example", 2026).unwrap_err().contains("CaUsedAsEndEntity"));
    }

    fn files(roots: Option<&str>, certificate: Option<&str>, key: Option<&str>) -> Files {
        let owned = |text: Option<&str>| text.map(str::to_owned);
        Files { roots: owned(roots), certificate: owned(certificate), key: owned(key) }
    }

    #[test]
    fn errors_name_the_unusable_file() {
        let folder = tempfile::tempdir().unwrap();
        let missing = folder.path().join("missing.pem");
        let empty = folder.path().join("empty.pem");
        std::fs::write(&empty, "no certificate").unwrap();
        for file in [missing, empty] {
            let file = file.to_str().unwrap();
            let refused = client_config(Check::ChainAndName, &files(Some(file), None, None)).unwrap_err();
            assert!(refused.starts_with(&format!("sslrootcert={file} cannot be read: ")), "{refused}");
            // Named roots are checked even if the mode requires no check.
            assert!(client_config(Check::Nothing, &files(Some(file), None, None)).is_err());
            let refused = client_config(Check::Nothing, &files(None, Some(file), Some(file))).unwrap_err();
            assert!(refused.starts_with("sslcert="), "{refused}");
        }
        let refused = client_config(Check::Nothing, &files(None, Some("c.pem"), None)).unwrap_err();
        assert!(refused.contains("belong together"), "{refused}");
        assert!(client_config(Check::Nothing, &Files::default()).is_ok());
    }
}
