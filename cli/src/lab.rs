//! `faultlayer lab`: the local cloud on one loopback port, until it is interrupted.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use faultlayer_lab::cloud::{Place, Server};
use tokio::signal::unix::{SignalKind, signal};

use crate::Outcome;

/// The arguments of `faultlayer lab`.
#[derive(clap::Args)]
pub struct Args {
    /// The port on 127.0.0.1; any free one by default
    #[arg(long, default_value_t = 0, value_name = "N")]
    port: u16,
    /// The folder of functions, layers, parameters, documents and executions; they are there again at the next start
    #[arg(long, default_value = ".faultlayer/lab", value_name = "DIR")]
    state: PathBuf,
    /// Let Automation's holds (`aws:sleep`) pass X times as fast
    #[arg(long, value_name = "X", value_parser = speed)]
    speed: Option<f64>,
    /// Say the endpoint, account, region and state folder as one line of JSON
    #[arg(long)]
    json: bool,
}

fn speed(text: &str) -> Result<f64, String> {
    let speed: f64 = text.parse().map_err(|_| format!("expected a number, got `{text}`"))?;
    if speed.is_finite() && speed > 0.0 {
        return Ok(speed);
    }
    Err(format!("expected a number above 0, got `{text}`"))
}

/// Carries the subcommand out.
pub fn run(args: Args) -> Outcome {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let outcome = runtime.block_on(serve(args));
    // What still hangs on the wire does not keep the process.
    runtime.shutdown_background();
    outcome
}

async fn serve(args: Args) -> Outcome {
    let place = Place { account: "123456789012".to_owned(), region: region() };
    let server = Server::open(&args.state, place.clone(), args.port, args.speed)
        .await
        .map_err(|error| format!("cannot open the lab: {error}"))?;
    let endpoint = server.endpoint();
    let mut output = io::stdout().lock();
    if args.json {
        let state = args.state.display().to_string();
        let line = serde_json::json!({"endpoint": endpoint, "account": place.account, "region": place.region, "state": state});
        writeln!(output, "{line}")?;
    } else {
        writeln!(output, "{endpoint}")?;
        writeln!(
            output,
            "export AWS_ENDPOINT_URL={endpoint} AWS_DEFAULT_REGION={} AWS_ACCESS_KEY_ID=lab AWS_SECRET_ACCESS_KEY=lab",
            place.region
        )?;
    }
    output.flush()?;
    drop(output);
    let lab = server.lab();
    let (mut interrupted, mut ended) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    tokio::select! {
        served = server.serve() => served?,
        _ = interrupted.recv() => {}
        _ = ended.recv() => {}
    }
    lab.stop().await;
    Ok(ExitCode::SUCCESS)
}

/// The region that AWS clients on this machine would take, so that both name the same ARNs.
fn region() -> String {
    let named = ["AWS_REGION", "AWS_DEFAULT_REGION"].iter().find_map(|name| std::env::var(name).ok());
    named.filter(|region| !region.is_empty()).unwrap_or_else(|| "us-east-1".to_owned())
}
