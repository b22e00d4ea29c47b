//! H: a bare Rocket handler that reads the same body and returns the same bytes, configured like `patron serve`.

use std::{fs, io::Cursor, net::SocketAddr, path::PathBuf, process::Command, sync::Arc};

use clap::Args;
use rocket::{
    Config, Data, Request, Response, Route, State,
    config::{Ident, LogLevel},
    data::ToByteUnit,
    http::{Header, Status},
    response::Responder,
    routes,
};

use crate::server::{Server, free_address, this_folder};

/// The headers that Rocket sets itself.
const ROCKETS_OWN: [&str; 6] =
    ["content-length", "date", "server", "x-content-type-options", "x-frame-options", "permissions-policy"];

/// The arguments of the process.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The address to listen on.
    address: SocketAddr,
    /// A file with the answer to repeat, as received over the network.
    answer: PathBuf,
}

/// Starts it in its own process, with an answer of Patron to repeat.
pub(crate) fn start(folder: &std::path::Path, answer: &[u8]) -> Server {
    let (address, file) = (free_address(), folder.join("answer"));
    fs::write(&file, answer).expect("a file");
    let mut command = Command::new(this_folder().join("patron-bench"));
    command.arg("bare").arg(address.to_string()).arg(file);
    Server::spawn(command, address)
}

/// The parsed answer.
struct Canned {
    status: Status,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

/// Serves until it is killed.
pub(crate) fn serve(arguments: &Arguments) {
    let canned = Arc::new(read(&fs::read(&arguments.answer).expect("the file with the answer")));
    // The same as in app/src/serve.rs.
    let config = Config {
        profile: Config::RELEASE_PROFILE,
        address: arguments.address.ip(),
        port: arguments.address.port(),
        ident: Ident::none(),
        ip_header: None,
        keep_alive: 60,
        log_level: LogLevel::Off,
        cli_colors: false,
        ..Config::release_default()
    };
    let routes: Vec<Route> = routes![post, get];
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = runtime.enable_all().worker_threads(config.workers).build().expect("a runtime");
    let rocket = rocket::custom(config).manage(canned).mount("/v1", routes);
    let _ = runtime.block_on(rocket.launch());
}

/// Reads the body and returns the answer.
#[rocket::post("/customers", data = "<data>")]
async fn post(data: Data<'_>, canned: &State<Arc<Canned>>) -> Result<Repeated, Status> {
    let body = data.open(1.mebibytes()).into_bytes().await.map_err(|_| Status::BadRequest)?;
    std::hint::black_box(body.into_inner());
    Ok(Repeated(Arc::clone(canned)))
}

/// Returns the answer.
#[rocket::get("/customers/<id>")]
async fn get(id: &str, canned: &State<Arc<Canned>>) -> Repeated {
    std::hint::black_box(id);
    Repeated(Arc::clone(canned))
}

struct Repeated(Arc<Canned>);

impl<'r> Responder<'r, 'static> for Repeated {
    fn respond_to(self, _: &'r Request<'_>) -> rocket::response::Result<'static> {
        let mut response = Response::new();
        response.set_status(self.0.status);
        for (name, value) in &self.0.headers {
            response.set_header(Header::new(name.clone(), value.clone()));
        }
        // A copy each time: a rendered answer is allocated for each request too.
        let body = self.0.body.clone();
        response.set_sized_body(body.len(), Cursor::new(body));
        Ok(response)
    }
}

fn read(answer: &[u8]) -> Canned {
    let mut headers = [httparse::EMPTY_HEADER; 32];
    let mut response = httparse::Response::new(&mut headers);
    let Ok(httparse::Status::Complete(head)) = response.parse(answer) else { panic!("no whole answer in the file") };
    let theirs =
        response.headers.iter().filter(|header| !ROCKETS_OWN.iter().any(|own| header.name.eq_ignore_ascii_case(own)));
    let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
    Canned {
        status: Status::new(response.code.unwrap_or(200)),
        headers: theirs.map(|header| (header.name.to_owned(), text(header.value))).collect(),
        body: answer[head..].to_vec(),
    }
}
