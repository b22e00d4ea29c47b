//! A page of the documentation: its fenced blocks, and the marks above them.
//!
//! A mark is an HTML comment on its own line directly above a fence, which readers do not see:
//!
//! | mark | meaning |
//! | --- | --- |
//! | `not run: REASON` | the block is skipped |
//! | `terminal: NAME` | the block runs in another terminal and keeps running; Ctrl+C ends the previous block there |
//! | `until: TEXT` | the reader waits until that terminal has printed the text |
//! | `expect: 409 404` | the refusals (400 and above) of the block's `curl` commands, in order; none by default |
//! | `exit: 1` | the block's exit code; 0 by default |
//! | `prints: TEXT` | the block prints the text |
//! | `NAME prints: TEXT` | the terminal of that name prints the text soon |
//! | `file: NAME` | the block, in any language, is saved as a file of this name |

use std::collections::HashSet;

/// The permitted languages of a fence. A fence without a language could hide commands.
const LANGUAGES: [&str; 15] = [
    "sh", "json", "http", "text", "rust", "toml", "python", "js", "sql", "ini", "nginx", "caddy", "yaml", "csv", "html",
];

/// A fenced block.
#[derive(Debug, Default)]
pub(super) struct Block {
    /// Its first line in the page.
    pub(super) line: usize,
    pub(super) language: String,
    pub(super) text: String,
    pub(super) marks: Marks,
}

/// The marks above a block.
#[derive(Debug, Default)]
pub(super) struct Marks {
    pub(super) not_run: Option<String>,
    pub(super) terminal: Option<String>,
    pub(super) until: Option<String>,
    pub(super) refusals: Vec<u16>,
    pub(super) exit: i32,
    pub(super) prints: Vec<String>,
    /// Terminals and their expected output.
    pub(super) elsewhere: Vec<(String, String)>,
    pub(super) file: Option<String>,
}

impl Marks {
    fn add(&mut self, mark: &str) -> Result<(), String> {
        let (key, value) = mark.split_once(": ").ok_or_else(|| format!("unknown mark: {mark}"))?;
        let value = value.trim().to_owned();
        match key {
            "not run" => self.not_run = Some(value),
            "terminal" => self.terminal = Some(value),
            "until" => self.until = Some(value),
            "expect" => {
                let statuses = value
                    .split_whitespace()
                    .map(|status| status.parse().map_err(|_| format!("not a status: {status}")));
                self.refusals = statuses.collect::<Result<_, _>>()?;
            }
            "exit" => self.exit = value.parse().map_err(|_| format!("not an exit code: {value}"))?,
            "prints" => self.prints.push(value),
            "file" => self.file = Some(value),
            _ => match key.strip_suffix(" prints") {
                Some(terminal) => self.elsewhere.push((terminal.to_owned(), value)),
                None => return Err(format!("unknown mark: {mark}")),
            },
        }
        Ok(())
    }
}

/// The blocks of a page that are run or saved, in order.
pub(super) fn blocks(page: &str) -> Result<Vec<Block>, String> {
    let known: HashSet<_> = LANGUAGES.into();
    let mut blocks = Vec::new();
    let mut block: Option<Block> = None;
    let mut marks = Marks::default();
    let mut marked = None;
    for (number, line) in page.lines().enumerate() {
        let at = |error: String| format!("line {}: {error}", number + 1);
        match (&mut block, line.strip_prefix("```")) {
            (Some(_), Some("")) => blocks.extend(block.take()),
            (Some(block), _) => {
                block.text.push_str(line);
                block.text.push('\n');
            }
            (None, Some(language)) => {
                if !known.contains(language) {
                    return Err(at(format!("a fence must name its language, one of {LANGUAGES:?}")));
                }
                let marks = std::mem::take(&mut marks);
                block = Some(Block { line: number + 1, language: language.to_owned(), text: String::new(), marks });
                marked = None;
            }
            (None, None) => {
                if let Some(mark) = line.strip_prefix("<!-- ").and_then(|rest| rest.strip_suffix(" -->")) {
                    marks.add(mark).map_err(at)?;
                    marked = Some(number);
                } else if let Some(mark) = marked {
                    return Err(format!("line {}: a mark must be directly above a fence", mark + 1));
                }
            }
        }
    }
    if block.is_some() || marked.is_some() {
        return Err("the page ends inside a block, or after a mark".to_owned());
    }
    blocks.retain(|block| block.language == "sh" || block.marks.file.is_some());
    Ok(blocks)
}

#[test]
fn marks_are_read_and_mistakes_are_reported() {
    let page = "text\n<!-- terminal: server -->\n<!-- until: listens on -->\n```sh\na\nb\n```\n\n<!-- expect: 409 404 -->\n```sh\nc\n```\n\
                ```json\n{}\n```\n<!-- file: crm.py -->\n```python\nd\n```\n";
    let read = blocks(page).unwrap();
    let texts: Vec<_> = read.iter().map(|block| (block.line, block.text.as_str())).collect();
    assert_eq!(texts, [(4, "a\nb\n"), (10, "c\n"), (17, "d\n")]);
    assert_eq!(
        (read[0].marks.terminal.as_deref(), read[0].marks.until.as_deref()),
        (Some("server"), Some("listens on"))
    );
    assert_eq!(read[1].marks.refusals, [409, 404]);
    assert_eq!(read[2].marks.file.as_deref(), Some("crm.py"));
    for mistake in
        ["```\na\n```\n", "<!-- wait: 1 -->\n", "<!-- exit: 1 -->\n\n```sh\n```\n", "```sh\na\n", "<!-- exit: 1 -->\n"]
    {
        assert!(blocks(mistake).is_err(), "{mistake:?}");
    }
}
