//! TLS connections to PostgreSQL, with real servers.

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::OnceLock,
};

use base64::{Engine, prelude::BASE64_STANDARD};
use patron_adapters::persistence::{Database, DatabaseUrl, OpenOptions};
use patron_tests::{
    postgres::{Cluster, Options, Tls},
    wait::TIMEOUT,
};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair, PublicKeyData,
};
use rstest::rstest;
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

/// The name in the server's certificate.
const HOST: &str = "db.patron.test";

/// A server that accepts only TLS connections, and its certificates.
struct Secured {
    folder: TempDir,
    cluster: Cluster,
}

impl Secured {
    fn start(host_access: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        // PostgreSQL runs as another user when the tests run as root.
        fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
        let path = |name: &str| folder.path().join(name);
        let root = authority("root");
        fs::write(path("root.pem"), root.pem()).unwrap();
        fs::write(path("other.pem"), authority("other").pem()).unwrap();
        issue(&root, HOST, "server", folder.path());
        issue(&root, "patron", "client", folder.path());
        let options = Options {
            tls: Some(Tls { certificate: path("server.pem"), key: path("server.key") }),
            configuration: vec![format!("ssl_ca_file = '{}'", path("root.pem").display())],
            host_access: vec![host_access.to_owned()],
            ..Options::default()
        };
        let cluster = Cluster::start(&options).unwrap();
        Self { folder, cluster }
    }

    fn shared() -> &'static Self {
        static SHARED: OnceLock<Secured> = OnceLock::new();
        SHARED.get_or_init(|| Self::start("hostssl all all 127.0.0.1/32 scram-sha-256"))
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The URL of a fresh database on a named host. In the options `@` stands for the folder of certificates.
    async fn url(&self, host: &str, options: &str) -> String {
        let url = self.cluster.fresh_database().await.replace("127.0.0.1", host);
        let options = options.replace('@', self.folder.path().to_str().unwrap());
        format!("{url}?hostaddr=127.0.0.1&{options}")
    }
}

fn authority(name: &str) -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

fn issue(root: &CertifiedIssuer<'static, KeyPair>, name: &str, file: &str, folder: &Path) {
    let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
    let key = KeyPair::generate().unwrap();
    let certificate = params.signed_by(&key, root).unwrap();
    fs::write(folder.join(format!("{file}.pem")), certificate.pem()).unwrap();
    fs::write(folder.join(format!("{file}.key")), key.serialize_pem()).unwrap();
}

/// Opens a database and sends it a query.
async fn open(url: &str) -> Result<(), String> {
    // A busy machine may connect slowly.
    let options = OpenOptions { timeout: TIMEOUT, ..OpenOptions::default() };
    let database = Database::open(&DatabaseUrl::parse(url).unwrap(), options).await;
    let database = database.map_err(|error| error.to_string())?;
    database.ping().await.map_err(|error| error.to_string())?;
    database.close().await;
    Ok(())
}

#[rstest]
#[case(HOST, "sslmode=require")]
#[case(HOST, "sslmode=require&channel_binding=require")]
#[case("elsewhere.test", "sslmode=require&sslrootcert=@/root.pem")]
#[case(HOST, "sslmode=prefer")]
#[case("elsewhere.test", "sslmode=verify-ca&sslrootcert=@/root.pem")]
#[case(HOST, "sslmode=verify-full&sslrootcert=@/root.pem")]
#[case(HOST, "sslrootcert=@/root.pem")]
#[case("127.0.0.1", "application_name=x")]
#[tokio::test]
async fn a_server_that_satisfies_sslmode_is_accepted(#[case] host: &str, #[case] options: &str) {
    // The server accepts only TLS, so an open connection uses it.
    let url = Secured::shared().url(host, options).await;
    assert_eq!(open(&url).await, Ok(()), "{host} {options}");
}

#[rstest]
#[case(HOST, "sslmode=verify-full&sslrootcert=@/other.pem", "invalid peer certificate")]
#[case(HOST, "sslmode=verify-ca&sslrootcert=@/other.pem", "(sslmode=verify-ca)")]
#[case(HOST, "sslmode=require&sslrootcert=@/other.pem", "invalid peer certificate")]
#[case(HOST, "sslmode=prefer&sslrootcert=@/other.pem", "invalid peer certificate")]
#[case("elsewhere.test", "sslmode=verify-full&sslrootcert=@/root.pem", "not valid for name \"elsewhere.test\"")]
// Without sslmode, a remote server must prove its identity.
#[case("elsewhere.test", "sslrootcert=@/root.pem", "not valid for name")]
#[case(HOST, "sslrootcert=@/other.pem", "(sslmode=verify-full)")]
#[case(HOST, "sslmode=disable", "no encryption")]
#[case(HOST, "sslmode=allow", "sslmode must be")]
#[case(HOST, "sslmode=require&sslrootcert=@/missing.pem", "missing.pem cannot be read")]
#[tokio::test]
async fn a_server_that_does_not_satisfy_sslmode_is_refused(
    #[case] host: &str,
    #[case] options: &str,
    #[case] reason: &str,
) {
    let url = Secured::shared().url(host, options).await;
    let refused = open(&url).await.unwrap_err();
    assert!(refused.contains(reason), "{host} {options}: {refused}");
    let password = url.split([':', '@']).nth(2).unwrap();
    assert!(!refused.contains(password), "the password is in {refused}");
}

#[tokio::test]
async fn a_client_certificate_is_presented() {
    let secured = Secured::start("hostssl all all 127.0.0.1/32 cert");
    let refused = open(&secured.url(HOST, "sslmode=require").await).await.unwrap_err();
    assert!(refused.contains("certificate"), "{refused}");
    let shown = secured.url(HOST, "sslmode=require&sslcert=@/client.pem&sslkey=@/client.key").await;
    assert_eq!(open(&shown).await, Ok(()));
}

/// An ASN.1 value.
fn asn1(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let length = u8::try_from(content.len()).unwrap();
    let head = if length < 0x80 { vec![tag, length] } else { vec![tag, 0x81, length] };
    [head, content].concat()
}

/// A self-signed certificate of X.509 version 1, which has no extensions. Its signature is not checked.
fn version_1(key: &KeyPair) -> String {
    const ECDSA_WITH_SHA256: [u8; 8] = [0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x04, 0x03, 0x02];
    let algorithm = asn1(0x30, &[&asn1(0x06, &[&ECDSA_WITH_SHA256])]);
    let (name, number) = (asn1(0x30, &[]), asn1(0x02, &[&[1]]));
    let time = |year: &str| asn1(0x17, &[format!("{year}0101000000Z").as_bytes()]);
    let dates = asn1(0x30, &[&time("20"), &time("49")]);
    let signed = asn1(0x30, &[&number, &algorithm, &name, &dates, &name, &key.subject_public_key_info()]);
    let signature = asn1(0x03, &[&[0], &asn1(0x30, &[&number, &number])]);
    let text = BASE64_STANDARD.encode(asn1(0x30, &[&signed, &algorithm, &signature]));
    let lines: Vec<_> = text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n"))
}

/// Citus creates such certificates for its servers.
#[tokio::test]
async fn a_certificate_of_version_1_can_encrypt_but_not_prove_an_identity() {
    let folder = tempfile::tempdir().unwrap();
    let key = KeyPair::generate().unwrap();
    let [certificate, secret] = ["server.pem", "server.key"].map(|name| folder.path().join(name));
    fs::write(&certificate, version_1(&key)).unwrap();
    fs::write(&secret, key.serialize_pem()).unwrap();
    let options = Options {
        tls: Some(Tls { certificate: certificate.clone(), key: secret }),
        host_access: vec!["hostssl all all 127.0.0.1/32 scram-sha-256".to_owned()],
        ..Options::default()
    };
    let cluster = Cluster::start(&options).unwrap();
    let url = cluster.fresh_database().await;
    // SCRAM's channel binding proves that the server has both the certificate's key and the password.
    for options in ["", "sslmode=require", "sslmode=require&channel_binding=require"] {
        assert_eq!(open(&format!("{url}?{options}")).await, Ok(()), "{options}");
    }
    let refused = open(&format!("{url}?sslmode=verify-ca&sslrootcert={}", certificate.display())).await.unwrap_err();
    assert!(refused.contains("invalid peer certificate"), "{refused}");
}

#[rstest]
#[tokio::test]
async fn a_server_without_tls_is_used_only_if_sslmode_allows_it(
    #[values("require", "verify-ca", "verify-full", "prefer", "disable")] mode: &str,
) {
    let url = Cluster::shared().fresh_database().await;
    let roots = Secured::shared().file("root.pem");
    let opened = open(&format!("{url}?sslmode={mode}&sslrootcert={}", roots.display())).await;
    match mode {
        "prefer" | "disable" => assert_eq!(opened, Ok(())),
        _ => {
            let refused = opened.unwrap_err();
            assert!(refused.contains(&format!("the server offers no TLS, which sslmode={mode} requires")), "{refused}");
        }
    }
    // Without sslmode, connections to this machine need no TLS.
    assert_eq!(open(&url).await, Ok(()));
}

#[rstest]
#[tokio::test]
async fn nothing_is_sent_in_plain_text_when_tls_is_required(
    #[values("require", "verify-ca", "verify-full")] mode: &str,
) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        let mut heard = vec![0; 8];
        socket.read_exact(&mut heard).await.unwrap();
        socket.write_all(b"N").await.unwrap();
        socket.read_to_end(&mut heard).await.unwrap();
        heard
    });
    let roots = Secured::shared().file("root.pem");
    let url = format!("postgres://u:secret@127.0.0.1:{port}/d?sslmode={mode}&sslrootcert={}", roots.display());
    assert!(open(&url).await.is_err());
    assert_eq!(server.await.unwrap(), [0, 0, 0, 8, 4, 210, 22, 47], "only the TLS request must be sent");
}
