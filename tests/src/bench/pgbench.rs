//! pgbench over the same tables: the same rows, one transaction for each customer, prepared statements, over TCP.

use std::{fs, path::Path, process::Command, time::Duration};

use rusqlite::types::Value;

use crate::{
    rows::{ID_LENGTH, Row, Sample, Varying},
    rows_postgres::Span,
    turns::Turn,
};

/// What stands for the varying ends of ids, 17 digits, and for the 16 digits in the client's own ids.
struct Names {
    key: &'static str,
    digits: &'static str,
}

/// In a script of pgbench.
const VARIABLES: Names = Names { key: ":k", digits: ":e" };
/// In a query that fills tables.
const SERIES: Names = Names { key: "series.k", digits: "series.e" };
/// Where the keys of filled rows begin; those of scripts are below.
const FILLED: u64 = 90_000_000_000_000_000;

/// A script that creates one customer with all its rows, after a look-up of the tax rate when it has one.
pub(crate) fn create_script(sample: &Sample) -> String {
    // The clients go forward together, so keys grow with time; each run begins past the last.
    let mut script = "\\set n :n + 1\n\\set k 10000000000000000 + (:base + :n) * 1000 + :client_id\n\
                      \\set e random(1000000000000000, 9999999999999999)\nBEGIN;\n"
        .to_owned();
    let customer = sample.rows.iter().find(|row| row.table == "customers");
    if let (Some(customer), true) = (customer, sample.rows.iter().any(|row| row.table == "tax_associations")) {
        script +=
            &format!("SELECT * FROM tax_rates WHERE {} AND code = 'VAT' AND status = 'published';\n", scope(customer));
    }
    for row in &sample.rows {
        script += &format!("{} VALUES ({});\n", insert_into(row), values(sample, row, &VARIABLES));
    }
    script + "COMMIT;\n"
}

/// A script that reads one of the customers of [`fill`] by its key.
pub(crate) fn get_script(sample: &Sample, customers: u64) -> String {
    let customer = sample.rows.iter().find(|row| row.table == "customers").expect("a customer");
    let id = expression(sample, &Value::Text(customer.text("id").unwrap_or_default().to_owned()), "text", &VARIABLES);
    format!(
        "\\set k {FILLED} + random(1, {customers})\nSELECT * FROM customers WHERE {} AND id = {id};\n",
        scope(customer)
    )
}

/// A script that reads a page of 50 customers from anywhere in their list, by keyset.
pub(crate) fn page_script(span: &Span) -> String {
    let Span { tenant, environment, created: (first, last) } = span;
    format!(
        "\\set t random({first}, {last})\nSELECT * FROM customers WHERE tenant_id = '{tenant}' AND \
         environment_id = '{environment}' AND status = 'published' AND (created_at, id) < (:t, 'cust_') \
         ORDER BY created_at DESC, id DESC LIMIT 50;\n"
    )
}

/// Statements that add so many customers, with all their rows.
pub(crate) fn fill(sample: &Sample, customers: u64) -> String {
    // Digits in an order of their own, each once: a multiplication modulo a prime.
    let series = format!(
        "(SELECT {FILLED} + g AS k, 1000000000000000 + (g * 1000003 * 7919) % 8999999999999989 AS e \
         FROM generate_series(1::bigint, {customers}) g) series"
    );
    let insert = |row| format!("{} SELECT {} FROM {series};\n", insert_into(row), values(sample, row, &SERIES));
    sample.rows.iter().map(insert).collect()
}

/// Lets pgbench run a script for some time. Runs over one database need bases that are 10⁸ apart.
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

fn scope(customer: &Row) -> String {
    let column = |name: &str| format!("{name} = '{}'", customer.text(name).unwrap_or_default());
    format!("{} AND {}", column("tenant_id"), column("environment_id"))
}

fn insert_into(row: &Row) -> String {
    let names = row.columns.iter().map(|(name, _)| format!("\"{name}\"")).collect::<Vec<_>>().join(", ");
    format!("INSERT INTO \"{}\" ({names})", row.table)
}

fn values(sample: &Sample, row: &Row, names: &Names) -> String {
    let columns = row.values.iter().zip(&row.columns);
    columns.map(|(value, (_, kind))| expression(sample, value, kind, names)).collect::<Vec<_>>().join(", ")
}

/// A value as SQL, with names where it differs from create to create.
fn expression(sample: &Sample, value: &Value, kind: &str, names: &Names) -> String {
    let Value::Text(text) = value else { return "NULL".to_owned() };
    let mut parts = Vec::new();
    let mut rest = 0;
    for mark in sample.marks(text) {
        let end = mark.start + mark.what.length();
        match mark.what {
            // The time stays as it was in the sample, one character tells ids of one create apart, 17 digits follow.
            Varying::Id(number) => {
                let time = &text[rest..mark.start + ID_LENGTH - 18];
                parts.push(format!("{}::text || {}", literal(&format!("{time}{}", number % 10)), names.key));
            }
            Varying::Digits => parts.push(format!("{}::text || {}", literal(&text[rest..mark.start]), names.digits)),
        }
        rest = end;
    }
    if parts.is_empty() || rest < text.len() {
        parts.push(format!("{}::text", literal(&text[rest..])));
    }
    let all = parts.join(" || ");
    if kind == "text" { all } else { format!("({all})::{kind}") }
}

/// A literal. pgbench takes a colon before a letter for a variable even within quotes.
fn literal(text: &str) -> String {
    let text = text.replace('\\', "\\\\").replace('\'', "''").replace(':', "\\x3A").replace('\n', "\\n");
    format!("E'{text}'")
}

#[cfg(test)]
mod tests {
    use rusqlite::types::Value;

    use super::{VARIABLES, expression};
    use crate::rows::{Sample, Table};

    #[test]
    fn values_become_sql_that_differs_where_it_must() {
        let id = format!("cust_01KBABCDEF{}", "G".repeat(16));
        let text = format!(r#"{{"id":"{id}","n":true,"it's":"bench-1234567890123456"}}"#);
        let table = |rows| Table { name: "t".to_owned(), columns: vec![("a".into(), "text".into())], rows };
        let row = vec![Value::Text(text.clone())];
        let sample = Sample::between(&[table(Vec::new())], &[table(vec![row])], "1234567890123456");
        let sql = expression(&sample, &Value::Text(text), "jsonb", &VARIABLES);
        let expected = r#"(E'{"id"\x3A"cust_01KBABCD0'::text || :k || E'","n"\x3Atrue,"it''s"\x3A"bench-'::text || :e || E'"}'::text)::jsonb"#;
        assert_eq!(sql, expected);
        assert_eq!(expression(&sample, &Value::Null, "text", &VARIABLES), "NULL");
    }
}
