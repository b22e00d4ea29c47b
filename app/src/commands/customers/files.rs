//! `patron customers import` and `export`

use std::{io::Write, path::Path, time::Duration};

use indicatif::{ProgressBar, ProgressStyle};
use patron_adapters::{
    http::{ExportFile, ExportOptions},
    imports::{FileSource, ImportEngine, PIECE_BYTES, UploadError, upload},
};
use patron_domain::{
    customer::ExportService,
    ids::ImportId,
    import::{FailedRow, ImportAmendment, ImportJob, ImportOptions, ImportService, ImportState},
    tax::TaxService,
    tenancy::{Caller, TenancyService},
};
use rocket::futures::StreamExt;
use tokio::io::{AsyncRead, AsyncReadExt};

use super::super::{caller, output};
use crate::{
    cli::{Export, Import},
    failure::Failure,
};

/// The time between two looks at an import.
const LOOK: Duration = Duration::from_millis(200);
/// The rows that failed that are shown.
const SHOWN: u16 = 20;

/// The service and the engine of imports.
pub(super) struct Imports {
    pub(super) service: ImportService,
    pub(super) engine: ImportEngine,
}

/// Imports a file, and shows the progress. The work is done here, or by a running server, whichever is first.
pub(super) async fn import(tenancy: &TenancyService, imports: &Imports, asked: Import) -> Result<(), Failure> {
    let caller = caller(tenancy, asked.environment).await?;
    let service = &imports.service;
    let import = match (&asked.resume, &asked.file) {
        (Some(id), _) => resumed(service, &caller, *id).await?,
        (None, Some(file)) => uploaded(service, &caller, &asked, file).await?,
        // The parser requires one of the two.
        (None, None) => return Err(Failure::configuration("name a file, or - for standard input")),
    };
    let ended = worked(imports, &caller, import.id).await?;
    report(service, &caller, &ended).await
}

/// An import that was begun earlier. One that is ready is started.
async fn resumed(service: &ImportService, caller: &Caller, id: ImportId) -> Result<ImportJob, Failure> {
    let import = service.import(caller, id).await.map_err(Failure::failed)?;
    if import.state == ImportState::Ready {
        return service.amend(caller, id, ImportAmendment::Start).await.map_err(Failure::failed);
    }
    Ok(import)
}

async fn uploaded(service: &ImportService, caller: &Caller, asked: &Import, file: &Path) -> Result<ImportJob, Failure> {
    let options = options(asked)?;
    let mut source = Source(if file == Path::new("-") {
        Box::new(tokio::io::stdin())
    } else {
        let opened = tokio::fs::File::open(file).await;
        Box::new(opened.map_err(|error| Failure::failed(format!("{} cannot be read: {error}", file.display())))?)
    });
    upload(service, caller, options, asked.again, &mut source).await.map_err(|error: UploadError<std::io::Error>| {
        match error {
            UploadError::Source(error) => Failure::failed(format!("{} cannot be read: {error}", file.display())),
            other => Failure::failed(other),
        }
    })
}

/// A file or standard input.
struct Source(Box<dyn AsyncRead + Send + Unpin>);

#[rocket::async_trait]
impl FileSource for Source {
    type Error = std::io::Error;

    async fn piece(&mut self) -> std::io::Result<Option<Vec<u8>>> {
        let mut piece = Vec::with_capacity(PIECE_BYTES);
        (&mut self.0).take(PIECE_BYTES as u64).read_to_end(&mut piece).await?;
        Ok((!piece.is_empty()).then_some(piece))
    }
}

fn options(asked: &Import) -> Result<ImportOptions, Failure> {
    let columns = asked.columns.as_deref().map(serde_json::from_str).transpose();
    let columns = columns.map_err(|_| {
        Failure::configuration("--columns: must be a JSON object from the names of columns to the names of fields")
    })?;
    Ok(ImportOptions {
        dry_run: asked.dry_run,
        confirm: asked.confirm,
        columns: columns.unwrap_or_default(),
        unmapped: asked.unmapped.unwrap_or_default(),
        blank: asked.blank.unwrap_or_default(),
        encoding: asked.encoding.unwrap_or_default(),
        skip_onboarding: !asked.onboard,
        unchecked_tax_ids: asked.unchecked_tax_ids,
        ..ImportOptions::new(asked.format(), asked.preset, asked.mode)
    })
}

/// Works on an import, or watches a server do so, until it has no work.
async fn worked(imports: &Imports, caller: &Caller, id: ImportId) -> Result<ImportJob, Failure> {
    let Imports { service, engine } = imports;
    let engine = engine.clone();
    let work = tokio::spawn(async move {
        loop {
            match engine.claim(Vec::new()).await {
                Ok(Some((holder, import))) => {
                    if let Err(error) = engine.work(&holder, import).await {
                        tracing::warn!(%error, "an import failed for now and will be retried");
                    }
                }
                Ok(None) => tokio::time::sleep(LOOK).await,
                Err(error) => {
                    tracing::warn!(%error, "claiming imports failed and will be retried");
                    tokio::time::sleep(LOOK).await;
                }
            }
        }
    });
    let bar = bar();
    let ended = loop {
        let import = service.import(caller, id).await.map_err(Failure::failed)?;
        bar.set_length(import.rows);
        bar.set_position(import.rows_done);
        bar.set_message(import.state.as_str());
        if import.work().is_none() {
            break import;
        }
        tokio::time::sleep(LOOK).await;
    };
    bar.finish_and_clear();
    work.abort();
    Ok(ended)
}

fn bar() -> ProgressBar {
    let style = ProgressStyle::with_template("{msg} {bar:40} {human_pos} of {human_len} rows, {eta} left");
    let bar = ProgressBar::new(0);
    match style {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

/// Prints the counts, the changes of a check, and the first rows that failed.
async fn report(service: &ImportService, caller: &Caller, import: &ImportJob) -> Result<(), Failure> {
    let counts = import.counts;
    let mut lines = vec![format!(
        "{} {}: {} created, {} updated, {} unchanged, {} failed",
        import.id, import.state, counts.created, counts.updated, counts.unchanged, counts.failed
    )];
    if !import.ignored.is_empty() {
        lines.push(format!("ignored: {}", import.ignored.join(", ")));
    }
    lines.extend(import.diffs.iter().map(|diff| {
        let changed = if diff.changed.is_empty() { String::new() } else { format!(" ({})", diff.changed.join(", ")) };
        format!("row {}: {} {}{changed}", diff.row, diff.outcome, diff.external_id)
    }));
    let failed = service.failed_rows(caller, import.id, 0, SHOWN).await.map_err(Failure::failed)?;
    lines.extend(failed.iter().map(failed_line));
    if counts.failed > u64::from(SHOWN) {
        lines.push(format!("… GET /v1/imports/{}/errors.csv has all {} rows that failed", import.id, counts.failed));
    }
    if import.state == ImportState::Ready && !import.options.dry_run {
        lines.push(format!("start it with: patron customers import --resume {}", import.id));
    }
    output::lines(lines)?;
    match (&import.failure, counts.failed) {
        (Some(reason), _) => Err(Failure::failed(reason)),
        (None, 0) => Ok(()),
        (None, failed) => Err(Failure::failed(format!(
            "{failed} of {} rows failed; correct them and import the file again with --mode upsert",
            import.rows
        ))),
    }
}

/// The line of a row that failed.
fn failed_line(row: &FailedRow) -> String {
    let faults: Vec<_> = row
        .faults
        .iter()
        .map(|fault| match fault.path.as_str() {
            "" => fault.message.clone(),
            path => format!("{path}: {}", fault.message),
        })
        .collect();
    format!("line {}: {}", row.line, faults.join("; "))
}

/// Writes all customers to a file or standard output.
pub(super) async fn export(
    tenancy: &TenancyService,
    exports: ExportService,
    taxes: TaxService,
    asked: Export,
) -> Result<(), Failure> {
    let caller = caller(tenancy, asked.environment).await?;
    let options = ExportOptions {
        format: asked.format(),
        columns: asked.columns.clone(),
        filters: asked.filters.clone(),
        csv_safe: asked.csv_safe,
    };
    let file = ExportFile::open(exports, Some(&taxes), caller, &options).await.map_err(Failure::failed)?;
    let mut parts = file.parts();
    let mut target: Box<dyn Write + Send> = match &asked.output {
        Some(path) => {
            let created = std::fs::File::create_new(path);
            Box::new(
                created.map_err(|error| Failure::failed(format!("{} cannot be created: {error}", path.display())))?,
            )
        }
        None => Box::new(std::io::stdout()),
    };
    while let Some(part) = parts.next().await {
        let part = part.map_err(|_| Failure::failed("the export was cut off; repeat it"))?;
        target.write_all(&part).map_err(|error| Failure::failed(format!("the export cannot be written: {error}")))?;
    }
    target.flush().map_err(|error| Failure::failed(format!("the export cannot be written: {error}")))
}
