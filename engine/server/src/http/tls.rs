//! TLS: the certificate and key of the configuration, read at the start and again when somebody asks. What is being
//! read stays out of errors and the log.

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tributary_engine_core::{Error, Fault, Result};

use crate::config::TlsSection;

/// How connections are encrypted. Whoever accepts one takes what is in force then.
#[derive(Clone)]
pub(super) struct Tls {
    certificate_file: PathBuf,
    key_file: PathBuf,
    acceptor: Arc<RwLock<TlsAcceptor>>,
}

impl Tls {
    /// As the configuration says; nothing where it says nothing.
    pub(super) fn of(section: &TlsSection) -> Result<Option<Self>> {
        let (Some(certificate_file), Some(key_file)) =
            (&section.certificate_file, &section.key_file)
        else {
            return Ok(None);
        };
        Ok(Some(Self {
            acceptor: Arc::new(RwLock::new(read(certificate_file, key_file)?)),
            certificate_file: certificate_file.clone(),
            key_file: key_file.clone(),
        }))
    }

    /// What the next connection is accepted with.
    pub(super) fn acceptor(&self) -> TlsAcceptor {
        let acceptor = self.acceptor.read();
        acceptor.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Reads both files again. Where they are no good, what was in force stays so.
    pub(super) fn reload(&self) -> Result<()> {
        let read = read(&self.certificate_file, &self.key_file)?;
        let mut acceptor = self
            .acceptor
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        *acceptor = read;
        Ok(())
    }
}

fn read(certificate_file: &Path, key_file: &Path) -> Result<TlsAcceptor> {
    let cannot = |file: &Path, what: &str, why: &dyn std::fmt::Display| {
        let file = file.display();
        Error::new(Fault::Invalid, format!("read {what} \"{file}\": {why}")).with_hint(
            "TLS needs PEM files: the certificate with those that vouch for it, and its key.",
        )
    };
    let certificates: Vec<CertificateDer<'static>> =
        CertificateDer::pem_file_iter(certificate_file)
            .and_then(|found| found.collect())
            .map_err(|error| cannot(certificate_file, "certificate", &error))?;
    if certificates.is_empty() {
        return Err(cannot(
            certificate_file,
            "certificate",
            &"there is none in it",
        ));
    }
    let key = PrivateKeyDer::from_pem_file(key_file)
        .map_err(|error| cannot(key_file, "private key", &error))?;
    let provider = Arc::new(aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::internal("set up TLS", error))?
        .with_no_client_auth()
        .with_single_cert(certificates, key)
        .map_err(|error| cannot(certificate_file, "certificate", &error))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}
