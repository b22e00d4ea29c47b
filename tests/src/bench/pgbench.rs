//! pgbench on the same tables: the same rows, one transaction per customer, prepared statements, over TCP.

use std::{fs, path::Path, process::Command, time::Duration};

use rusqlite::types::Value;

use crate::{
    fill::{FIRST_KEY, KEY_DIGITS},
    rows::{Cell, ID_LENGTH, Pattern, Row, Sample, Varying},
    stage::Span,
    turns::Turn,
};

/// A script that creates one customer with all its rows, after looking up its tax rate if it has one.
pub(crate) fn create_script(sample: &Sample) -> String {
    // All clients advance together, so keys grow with time. Each run begins after the keys of the last one.
    let mut script = "\\set n :n + 1\n\\set k 10000000000000 + (:base + :n) * 1000 + :client_id\n\
                      \\set e random(1000000000000000, 9999999999999999)\nBEGIN;\n"
        .to_owned();
    if sample.has_tax {
        let environment = sample.environment;
        script +=
            &format!("SELECT * FROM tax_rates WHERE environment = {environment} AND code = 'VAT' AND status = 0;\n");
    }
    for row in &sample.rows {
        let names = row.columns.iter().map(|(name, _)| format!("\"{name}\"")).collect::<Vec<_>>().join(", ");
        script += &format!("INSERT INTO \"{}\" ({names}) VALUES ({});\n", row.table, values(sample, row));
    }
    script + "COMMIT;\n"
}

/// A script that reads a random customer of a fill of this size by its key.
pub(crate) fn get_script(sample: &Sample, customers: u64) -> String {
    let customer = sample.rows.iter().find(|row| row.table == "customers").expect("a customer");
    let id = customer.columns.iter().position(|(name, _)| name == "id").expect("the column `id`");
    format!(
        "\\set k {FIRST_KEY} + random(1, {customers})\nSELECT document FROM customers WHERE environment = {} AND id = {};\n",
        sample.environment,
        expression(sample, &customer.cells[id], "uuid")
    )
}

/// A script that reads a page of 50 customers from a random place in the list, by keyset.
pub(crate) fn page_script(span: &Span) -> String {
    let Span { environment, created: (first, last) } = span;
    format!(
        "\\set t random({first}, {last})\nSELECT document FROM customers WHERE environment = {environment} AND status = 0 \
         AND (created_at, id) < (:t, 'ffffffff-ffff-ffff-ffff-ffffffffffff') ORDER BY created_at DESC, id DESC LIMIT 50;\n"
    )
}

/// Runs a script with pgbench for some time. Runs on one database need bases that are 10⁸ apart.
pub(crate) fn turn(url: &str, folder: &Path, script: &str, clients: usize, base: u64, time: Duration) -> Turn {
    let file = folder.join("pgbench.sql");
    fs::write(&file, script).expect("a file");
    let seconds = time.as_secs_f64().ceil().max(1.0).to_string();
    let threads = clients.min(2).to_string();
    let base = format!("base={base}");
    let mut command = Command::new("pgbench");
    command.args(["-n", "-M", "prepared", "-c", &clients.to_string(), "-j", &threads, "-T", &seconds]);
    command.args(["-D", "n=0", "-D", &base, "-f"]).arg(&file).arg(url);
    let output = command.output().expect("pgbench starts");
    let text = String::from_utf8_lossy(&output.stdout);
    let rate = text.lines().find_map(|line| line.strip_prefix("tps = ")?.split(' ').next()?.parse().ok());
    let complaints = String::from_utf8_lossy(&output.stderr);
    let complaints = complaints.lines().find(|line| line.contains("error") || line.contains("fatal"));
    Turn { per_second: rate.unwrap_or_default(), latency: None, faults: complaints.unwrap_or_default().to_owned() }
}

fn values(sample: &Sample, row: &Row) -> String {
    let columns = row.cells.iter().zip(&row.columns);
    columns.map(|(cell, (_, kind))| expression(sample, cell, kind)).collect::<Vec<_>>().join(", ")
}

/// A value as SQL, with script variables where it differs from create to create: ids end in `:k`, the client's own digits
/// are `:e`. The time stays that of the sample, and ids in documents differ from those in columns: these rows are never read.
fn expression(sample: &Sample, cell: &Cell, kind: &str) -> String {
    match cell {
        Cell::Fixed(Value::Null) => "NULL".to_owned(),
        Cell::Fixed(Value::Integer(number)) | Cell::Time(number) => number.to_string(),
        // Any unique, growing number.
        Cell::Counted(_) => ":k::bigint".to_owned(),
        Cell::Fixed(Value::Text(text)) => format!("{}::{kind}", literal(text)),
        Cell::Fixed(Value::Blob(bytes)) => {
            format!("'{}{}'::{kind}", if kind == "bytea" { "\\x" } else { "" }, hex(bytes))
        }
        Cell::Fixed(Value::Real(number)) => panic!("no column holds {number}"),
        Cell::Text(pattern) => format!("({})::{kind}", text(pattern)),
        Cell::Bytes(pattern) if kind == "uuid" => format!("({})::uuid", digits(sample, pattern)),
        Cell::Bytes(pattern) => format!("decode({}, 'hex')", digits(sample, pattern)),
        Cell::Hash(pattern, _) => format!("substr(sha256({}), 1, 16)", bytes(pattern)),
    }
}

/// The parts of a pattern between its marks, and the marks.
fn parts<'p>(
    pattern: &'p Pattern,
    mut part: impl FnMut(&'p [u8]) -> String,
    mut mark: impl FnMut(&'p [u8], Varying) -> Option<String>,
) -> String {
    let (mut parts, mut rest) = (Vec::new(), 0);
    for one in &pattern.marks {
        let end = one.start + one.what.length();
        let Some(varying) = mark(&pattern.bytes[one.start..end], one.what) else { continue };
        parts.extend((rest < one.start).then(|| part(&pattern.bytes[rest..one.start])));
        parts.push(varying);
        rest = end;
    }
    parts.extend((rest < pattern.bytes.len()).then(|| part(&pattern.bytes[rest..])));
    parts.join(" || ")
}

/// A text as SQL.
fn text(pattern: &Pattern) -> String {
    let part = |bytes: &[u8]| format!("{}::text", literal(str::from_utf8(bytes).expect("UTF-8")));
    parts(pattern, part, |bytes, what| match what {
        // One character distinguishes the ids of one create.
        Varying::IdText(number) => {
            let begin = &bytes[..ID_LENGTH - 1 - KEY_DIGITS];
            Some(format!("{} || :k", part(&[begin, (number % 10).to_string().as_bytes()].concat())))
        }
        Varying::Digits => Some(":e".to_owned()),
        Varying::TimeText | Varying::IdBytes(_) | Varying::TimeBytes => None,
    })
}

/// Bytes as SQL, in hexadecimal digits.
fn digits(sample: &Sample, pattern: &Pattern) -> String {
    parts(
        pattern,
        |bytes| format!("'{}'::text", hex(bytes)),
        |_, what| match what {
            Varying::IdBytes(number) => {
                let id = format!("{:032x}", sample.ids[number]);
                Some(format!("'{}{}'::text || :k", &id[..32 - 1 - KEY_DIGITS], number % 10))
            }
            _ => None,
        },
    )
}

/// Bytes as SQL, with the client's own digits in them.
fn bytes(pattern: &Pattern) -> String {
    parts(
        pattern,
        |bytes| format!("'\\x{}'::bytea", hex(bytes)),
        |_, what| (what == Varying::Digits).then(|| "convert_to(:e::text, 'UTF8')".to_owned()),
    )
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A string literal. pgbench treats a colon before a letter as a variable even within quotes.
fn literal(text: &str) -> String {
    let text = text.replace('\\', "\\\\").replace('\'', "''").replace(':', "\\x3A").replace('\n', "\\n");
    format!("E'{text}'")
}

#[cfg(test)]
mod tests {
    use rusqlite::types::Value;

    use super::{expression, get_script};
    use crate::fill::{FIRST_KEY, KEY_DIGITS, filled};
    use crate::rows::{Cell, Mark, Pattern, Varying, tests::sample};

    fn pattern(bytes: &[u8], marks: &[(usize, Varying)]) -> Pattern {
        let marks = marks.iter().map(|(start, what)| Mark { start: *start, what: *what }).collect();
        Pattern { bytes: bytes.to_vec(), marks }
    }

    #[test]
    fn values_become_sql_that_differs_where_it_must() {
        let mut sample = sample();
        sample.ids = vec![0x0190_abcd_ef12_7abc_9fff_0000_0000_0001];
        let id = "01KBABCDEF0123456789012345";
        let document = format!(r#"{{"id":"cust_{id}","n":true,"it's":"bench-1234567890123456"}}"#);
        let digits = document.find("1234567890123456").unwrap();
        let marks = [(document.find(id).unwrap(), Varying::IdText(0)), (digits, Varying::Digits)];
        let cases = [
            (
                Cell::Text(pattern(document.as_bytes(), &marks)),
                "json",
                r#"(E'{"id"\x3A"cust_'::text || E'01KBABCDEF00'::text || :k || E'","n"\x3Atrue,"it''s"\x3A"bench-'::text || :e || E'"}'::text)::json"#,
            ),
            (
                Cell::Bytes(pattern(&sample.ids[0].to_be_bytes(), &[(0, Varying::IdBytes(0))])),
                "uuid",
                "('0190abcdef127abc90'::text || :k)::uuid",
            ),
            (
                Cell::Hash(pattern(b"\x00\x10cus_1234567890123456", &[(6, Varying::Digits)]), [0; 16]),
                "bytea",
                r"substr(sha256('\x00106375735f'::bytea || convert_to(:e::text, 'UTF8')), 1, 16)",
            ),
            (Cell::Fixed(Value::Blob(vec![1, 255])), "bytea", r"'\x01ff'::bytea"),
            (Cell::Counted(7), "bigint", ":k::bigint"),
            (Cell::Fixed(Value::Null), "text", "NULL"),
        ];
        for (cell, kind, expected) in cases {
            assert_eq!(expression(&sample, &cell, kind), expected);
        }
    }

    #[test]
    fn a_script_finds_the_customers_of_a_fill() {
        let sample = sample();
        let script = get_script(&sample, 10);
        let written = format!("{:032x}", filled(&sample, 7, 10).ids[0]);
        let (beginning, key) = written.split_at(32 - KEY_DIGITS);
        assert_eq!(key, (FIRST_KEY + 7).to_string());
        assert!(script.contains(&format!("id = ('{beginning}'::text || :k)::uuid")), "{script}");
    }
}
