//! Logs, on standard error: for people on a terminal, one JSON object per line otherwise.
//!
//! Only our own crates log. Rocket logs paths and queries and the database drivers log values; both can be personal
//! data.

use std::io::{IsTerminal, stderr};

use tracing::level_filters::LevelFilter;
use tracing_subscriber::{Layer, filter::Targets, fmt, layer::SubscriberExt};

use crate::config::{LogFormat, LogLevel};

/// Starts logging. A second call has no effect.
pub(crate) fn start(format: LogFormat, level: LogLevel) {
    let level = match level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
    };
    let ours = Targets::new().with_target("patron", level).with_target("patron_adapters", level);
    let is_terminal = stderr().is_terminal();
    let human = match format {
        LogFormat::Auto => is_terminal,
        LogFormat::Human => true,
        LogFormat::Json => false,
    };
    let layer = fmt::layer().with_writer(stderr).with_ansi(is_terminal);
    let layer = if human { layer.boxed() } else { layer.json().flatten_event(true).boxed() };
    let subscriber = tracing_subscriber::registry().with(layer.with_filter(ours));
    let _ = tracing::subscriber::set_global_default(subscriber);
    std::panic::set_hook(Box::new(|panic| {
        // Log the place but not the message: the message of a panic can quote a value.
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(place, "a bug stopped a task; please report the place");
    }));
}
