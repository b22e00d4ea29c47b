//! A reader with a shell, who pastes the blocks of pages one after the other, in an empty folder.

use std::{
    collections::HashMap,
    env, fs,
    fs::File,
    io::{BufRead, BufReader, Write},
    os::unix::{fs::PermissionsExt, process::CommandExt},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::mpsc,
    thread::sleep,
    time::{Duration, Instant},
};

use patron_tests::{
    patron::{Backend, Place},
    ports,
    wait::TIMEOUT,
};
use rustix::process::{Pid, Signal, kill_process_group};

use super::page::{self, Block};

/// The ports in the pages. Tests run in parallel, so each reader replaces them by its own.
const PORTS: [&str; 4] = ["8080", "4000", "4001", "9090"];

/// Runs blocks in one shell. Each line of its input names the expected exit code and the file of a block. A block that
/// must fail has its own subshell.
const SHELL: &str = r#"
set -eu
while read -r expected block; do
  export PAGE_STATUSES="$block.statuses"
  if [ "$expected" = 0 ]; then
    source "$block" </dev/null >"$block.out" 2>&1
    echo 0
  else
    set +e; (set -eu; source "$block") </dev/null >"$block.out" 2>&1; echo $?; set -e
  fi
done
"#;

/// `curl`, which also records the status of each answer.
const CURL: &str = r#"#!/bin/sh
head="$(mktemp)"
REAL --dump-header "$head" "$@"
code=$?
[ -z "${PAGE_STATUSES:-}" ] || sed -n 's|^HTTP/[0-9.]* \([0-9]*\).*|\1|p' "$head" | tail -n 1 >>"$PAGE_STATUSES"
rm -f "$head"
exit $code
"#;

/// A stand-in for the `cargo` commands of the pages: the program is built already. `tests/bare` runs the real one.
const CARGO: &str = r#"#!/bin/sh
case "$*" in
  'run --release -- '*) shift 3; exec patron "$@" ;;
  'install --locked --path app') ;;
  *) echo "the test of the pages does not know this: cargo $*" >&2; exit 1 ;;
esac
"#;

/// The reader with all running programs, which are stopped on drop.
pub(super) struct Reader {
    place: Place,
    /// The blocks, their output, and a home; not the reader's folder, which is empty at first.
    desk: tempfile::TempDir,
    database: Option<String>,
    ports: Vec<(&'static str, String)>,
    shell: Shell,
    terminals: HashMap<String, Terminal>,
    pasted: usize,
}

/// The shell of blocks without a terminal.
struct Shell {
    process: Child,
    ended: mpsc::Receiver<String>,
}

/// Another terminal, and its output since the last start there.
struct Terminal {
    process: Child,
    log: PathBuf,
}

impl Reader {
    pub(super) async fn new(backend: Backend) -> Self {
        let place = Place::fresh(backend).await;
        let desk = tempfile::tempdir().unwrap();
        for folder in ["bin", "home"] {
            fs::create_dir(desk.path().join(folder)).unwrap();
        }
        let bin = desk.path().join("bin");
        std::os::unix::fs::symlink(place.command(&[]).get_program(), bin.join("patron")).unwrap();
        let curl = env::split_paths(&env::var_os("PATH").unwrap())
            .map(|folder| folder.join("curl"))
            .find(|curl| curl.is_file());
        let curl = curl.expect("curl is installed: tests/run does it");
        for (name, script) in [("curl", CURL.replace("REAL", curl.to_str().unwrap())), ("cargo", CARGO.to_owned())] {
            fs::write(bin.join(name), script).unwrap();
            fs::set_permissions(bin.join(name), fs::Permissions::from_mode(0o755)).unwrap();
        }
        let ports: Vec<_> = PORTS.into_iter().map(|port| (port, ports::free().to_string())).collect();
        // Without a setting the program uses SQLite.
        let database = (backend == Backend::Postgres).then(|| place.database_url().to_owned());
        let mut shell = bash(&place, &desk, database.as_deref(), &ports, SHELL);
        let mut process = shell.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("bash starts");
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let (sender, ended) = mpsc::channel();
        std::thread::spawn(move || lines.map_while(Result::ok).for_each(|line| drop(sender.send(line))));
        let shell = Shell { process, ended };
        Self { place, desk, database, ports, shell, terminals: HashMap::new(), pasted: 0 }
    }

    /// Runs all blocks of a page. `name` is for messages.
    pub(super) fn follow(&mut self, name: &str, page: &str) {
        for block in page::blocks(page).unwrap_or_else(|error| panic!("{name}, {error}")) {
            let there = format!("{name}, line {}", block.line);
            if block.marks.not_run.is_none() {
                self.paste(&block, &there);
            }
        }
    }

    fn paste(&mut self, block: &Block, there: &str) {
        let text = self.ported(&block.text);
        if let Some(file) = &block.marks.file {
            return fs::write(self.place.path().join(file), text).unwrap();
        }
        match &block.marks.terminal {
            Some(terminal) => self.start(terminal, &text),
            None => self.run(block, &text, there),
        }
        let until = block.marks.until.iter().map(|text| (block.marks.terminal.as_ref().expect("a terminal"), text));
        for (terminal, text) in until.chain(block.marks.elsewhere.iter().map(|(terminal, text)| (terminal, text))) {
            let text = self.ported(text);
            let terminal =
                self.terminals.get_mut(terminal).unwrap_or_else(|| panic!("{there}: no terminal {terminal}"));
            terminal.wait_for(&text, there);
        }
    }

    fn run(&mut self, block: &Block, text: &str, there: &str) {
        self.pasted += 1;
        let file = self.desk.path().join(format!("block-{}", self.pasted));
        fs::write(&file, text).unwrap();
        let printed = |extension: &str| fs::read_to_string(file.with_extension(extension)).unwrap_or_default();
        let expected = block.marks.exit;
        writeln!(self.shell.process.stdin.as_mut().unwrap(), "{expected} {}", file.display()).unwrap();
        let code = self.shell.ended.recv_timeout(TIMEOUT);
        let told = format!("{there}\n{text}\n{}\n{}", printed("out"), self.logs());
        match code {
            Ok(code) => assert_eq!(code, expected.to_string(), "{told}"),
            Err(error) => panic!("a command failed, or is still running ({error}): {told}"),
        }
        let refusals = printed("statuses");
        let refusals = refusals.lines().filter_map(|status| status.parse().ok()).filter(|status: &u16| *status >= 400);
        assert_eq!(refusals.collect::<Vec<_>>(), block.marks.refusals, "{told}");
        for text in &block.marks.prints {
            assert!(printed("out").contains(&self.ported(text)), "not printed: {text}: {told}");
        }
    }

    /// Ends the program in a terminal, and starts another one there.
    fn start(&mut self, name: &str, text: &str) {
        // It must end before the next one begins.
        drop(self.terminals.remove(name));
        let log = self.desk.path().join(format!("{name}.log"));
        let output = File::create(&log).unwrap();
        let mut command = bash(&self.place, &self.desk, self.database.as_deref(), &self.ports, text);
        command.stdin(Stdio::null()).stdout(output.try_clone().unwrap()).stderr(output);
        let process = command.spawn().expect("bash starts");
        self.terminals.insert(name.to_owned(), Terminal { process, log });
    }

    fn ported(&self, text: &str) -> String {
        self.ports.iter().fold(text.to_owned(), |text, (port, ours)| {
            text.replace(&format!(":{port}"), &format!(":{ours}")).replace(&format!(" {port}"), &format!(" {ours}"))
        })
    }

    fn logs(&self) -> String {
        let log = |(name, terminal): (&String, &Terminal)| format!("terminal {name}:\n{}", terminal.printed());
        self.terminals.iter().map(log).collect()
    }
}

impl Terminal {
    fn printed(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    fn wait_for(&mut self, text: &str, there: &str) {
        let begun = Instant::now();
        while !self.printed().contains(text) {
            let ended = self.process.try_wait().unwrap();
            assert!(ended.is_none() && begun.elapsed() < TIMEOUT, "{there}: not printed: {text}: {}", self.printed());
            sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Terminal {
    /// Sends Ctrl+C, then kills.
    fn drop(&mut self) {
        let group = Pid::from_child(&self.process);
        let _ = kill_process_group(group, Signal::INT);
        let begun = Instant::now();
        while self.process.try_wait().is_ok_and(|ended| ended.is_none()) && begun.elapsed() < TIMEOUT {
            sleep(Duration::from_millis(20));
        }
        let _ = kill_process_group(group, Signal::KILL);
        let _ = self.process.wait();
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        let _ = kill_process_group(Pid::from_child(&self.process), Signal::KILL);
        let _ = self.process.wait();
    }
}

/// A shell in the reader's folder, in its own process group and with a clean environment.
fn bash(
    place: &Place,
    desk: &tempfile::TempDir,
    database: Option<&str>,
    ports: &[(&str, String)],
    script: &str,
) -> Command {
    let mut command = Command::new("bash");
    command.args(["-euc", script]).current_dir(place.path()).env_clear().process_group(0);
    command.env("PATH", path(desk.path())).env("HOME", desk.path().join("home")).env("LANG", "C.UTF-8");
    command.env("PATRON_PORT", &ports[0].1);
    if let Some(database) = database {
        command.env("PATRON_DATABASE_URL", database);
    }
    command
}

fn path(desk: &Path) -> String {
    format!("{}:{}", desk.join("bin").display(), env::var("PATH").expect("a path"))
}
