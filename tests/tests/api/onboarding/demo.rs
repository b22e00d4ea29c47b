//! The demo of `docs/onboarding.md`, run as a reader would: from nothing to a mapping.

use std::{
    env, fs,
    net::TcpListener,
    os::unix::fs::symlink,
    process::{Command, Stdio},
};

use patron_tests::patron::{Backend, Place};
use rstest::rstest;

/// Ends what the commands have left running.
const END: &str = "trap 'kill $(jobs -p)' EXIT";

fn free_port() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("an address").port().to_string()
}

/// The blocks of code of a language in the section about the demo.
fn blocks(language: &str) -> Vec<&'static str> {
    let guide = include_str!("../../../../docs/onboarding.md");
    let demo = guide.split("\n## ").find(|part| part.starts_with("From nothing")).expect("the demo");
    let fence = format!("```{language}\n");
    demo.split(&*fence).skip(1).filter_map(|rest| rest.split("```").next()).collect()
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn the_demo_ends_with_a_mapping(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let place = Place::fresh(backend).await;
    let [patron, crm] = [free_port(), free_port()];
    let ported = |text: &str| text.replace("8080", &patron).replace("4000", &crm);
    let [program] = blocks("python")[..] else { panic!("one CRM") };
    assert_eq!(program.lines().count(), 10, "a CRM of ten lines");
    fs::write(place.path().join("crm.py"), ported(program)).unwrap();

    // The commands find the program under its name, as it is when the tests are built.
    let bin = place.path().join("bin");
    fs::create_dir(&bin).unwrap();
    symlink(place.command(&[]).get_program(), bin.join("patron")).unwrap();
    let path = format!("{}:{}", bin.display(), env::var("PATH").expect("a path"));
    let mut shell = Command::new("bash");
    shell.args(["-euc", &format!("{END}\n{}", ported(&blocks("sh").join("\n")))]).stdin(Stdio::null());
    shell.current_dir(place.path()).env("PATH", path).env("PATRON_PORT", &patron);
    shell.env("PATRON_DATABASE_URL", place.database_url());
    let output = tokio::task::spawn_blocking(move || shell.output().expect("bash starts")).await.unwrap();
    let (answers, told) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{told}\n{answers}");
    let mapping = answers.lines().last().expect("an answer");
    assert!(mapping.contains(r#""provider_entity_id":"crm-1""#), "{told}\n{answers}");
    assert!(mapping.contains(r#""total":1"#), "{mapping}");
}
