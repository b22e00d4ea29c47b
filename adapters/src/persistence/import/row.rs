//! Rows of the tables `imports`, `import_pieces` and `import_rows`.

use patron_domain::{
    ids::ImportKind,
    import::{FailedRow, ImportJob},
    lifecycle::Owner,
    store::StoreError,
    time::Timestamp,
};

use crate::persistence::{
    customer::row::text_hash,
    rows::rows,
    value::{Document, Key},
    word::Word,
};

rows! {
    /// One row of `imports`.
    ImportRow: imports {
        environment: i32, id: Key;
        state: i16,
        digest: String,
        due_at: Option<i64>,
        holder: Option<String>,
        document: Document,
    }
}

rows! {
    /// One row of `import_pieces`: a part of a file.
    PieceRow: import_pieces {
        environment: i32, import: Key, number: i32;
        bytes: Vec<u8>,
    }
}

rows! {
    /// The key of a piece, for deleting it.
    PiecePlaceRow: import_pieces {
        environment: i32, import: Key, number: i32;
    }
}

rows! {
    /// One row of `import_rows`: a row of a file that failed. `person` is the hash of its external id.
    FailedRowRow: import_rows {
        environment: i32, import: Key, number: i64;
        person: Option<Vec<u8>>,
        document: Document,
    }
}

rows! {
    /// The key of such a row, for deleting it.
    FailedRowPlaceRow: import_rows {
        environment: i32, import: Key, number: i64;
    }
}

impl ImportRow {
    /// An import without a holder.
    pub(crate) fn new(environment: i32, import: &ImportJob) -> Self {
        Self {
            environment,
            id: import.id.into(),
            state: import.state.code(),
            digest: import.digest.clone(),
            due_at: import.due_at.map(Timestamp::micros),
            holder: None,
            document: Document::of(import),
        }
    }

    /// The import, with its owner.
    pub(crate) fn import(&self, owner: Owner) -> Result<ImportJob, StoreError> {
        self.document.read(owner, self.id.id::<ImportKind>())
    }
}

impl FailedRowRow {
    pub(crate) fn new(environment: i32, import: Key, row: &FailedRow) -> Self {
        // A file has at most two million rows.
        let number = i64::try_from(row.row).unwrap_or(i64::MAX);
        let person = (!row.external_id.is_empty()).then(|| text_hash(row.external_id.as_bytes()));
        Self { environment, import, number, person, document: Document::of(row) }
    }

    pub(crate) fn failed(&self, owner: Owner) -> Result<FailedRow, StoreError> {
        self.document.read(owner, format_args!("{} {}", self.import.id::<ImportKind>(), self.number))
    }
}
