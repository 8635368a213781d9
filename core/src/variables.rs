//! Every environment variable that something of Faultlayer reads, in one table: `docs/environment.md` is made of it, and a
//! test holds it against the sources.

/// Who reads a variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reader {
    /// A function's layer; the first few are what attaching sets.
    Layer,
    /// A library in a test, which wants to know who the function is.
    Library,
    /// The `faultlayer` command and its lab.
    Command,
    /// Tests and tools of this repository.
    Tests,
}

/// One variable.
#[derive(Debug)]
pub struct Variable {
    /// Its name.
    pub name: &'static str,
    /// Who reads it.
    pub readers: &'static [Reader],
    /// What it says, in one sentence.
    pub doc: &'static str,
}

/// The plan itself, or where it is.
pub const PLAN: &str = "FAULTLAYER_PLAN";
/// How old a plan from a source may get, in seconds.
pub const REFRESH: &str = "FAULTLAYER_PLAN_REFRESH_S";
/// Where AWS's AppConfig agent listens.
pub const APPCONFIG_PORT: &str = "AWS_APPCONFIG_EXTENSION_HTTP_PORT";
/// Where AWS's extension for parameters does.
pub const PARAMETERS_PORT: &str = "PARAMETERS_SECRETS_EXTENSION_HTTP_PORT";
/// What that extension is asked with.
pub const SESSION_TOKEN: &str = "AWS_SESSION_TOKEN";
/// The kill switch.
pub const DISABLED: &str = "FAULTLAYER_DISABLED";
/// The function's own handler, where attaching replaced the setting.
pub const HANDLER: &str = "FAULTLAYER_HANDLER";
/// What rolling back needs.
pub const RESTORE: &str = "FAULTLAYER_RESTORE";
/// The function's name.
pub const FUNCTION_NAME: &str = "AWS_LAMBDA_FUNCTION_NAME";
/// The version that runs.
pub const FUNCTION_VERSION: &str = "AWS_LAMBDA_FUNCTION_VERSION";
/// The function's memory in MB.
pub const MEMORY_SIZE: &str = "AWS_LAMBDA_FUNCTION_MEMORY_SIZE";
/// As in `AWS_Lambda_python3.12`.
pub const EXECUTION_ENV: &str = "AWS_EXECUTION_ENV";

/// Where the Runtime API is, which no fault reaches.
pub const RUNTIME_API: &str = "AWS_LAMBDA_RUNTIME_API";
/// How many invocations an environment serves at once.
pub const MAX_CONCURRENCY: &str = "AWS_LAMBDA_MAX_CONCURRENCY";

/// The invocation's trace header.
pub const TRACE_ID: &str = "_X_AMZN_TRACE_ID";
/// Where the X-Ray daemon is.
pub const XRAY_DAEMON: &str = "AWS_XRAY_DAEMON_ADDRESS";

/// All of them, in the order of the page.
pub static VARIABLES: &[Variable] = &[
    layer(
        PLAN,
        "The plan: JSON, or where it is: `file:PATH`, `appconfig:APPLICATION/ENVIRONMENT/PROFILE`, `parameter:/NAME`. Attaching sets it.",
    ),
    layer(
        REFRESH,
        "A plan from such a place is read again once it is so many seconds old: a whole number to 86400; 10 otherwise.",
    ),
    layer(HANDLER, "The function's own handler, where attaching put the layer's in its place (Python, Node)."),
    layer(DISABLED, "Any value but empty, `0` and `false` switches Faultlayer off."),
    layer(RESTORE, "What a roll-back needs to know; attaching sets it, and nothing in the function reads it."),
    layer(APPCONFIG_PORT, "AWS's: the port of its AppConfig agent; 2772 otherwise."),
    layer(PARAMETERS_PORT, "AWS's: the port of its Parameters and Secrets extension; 2773 otherwise."),
    layer(SESSION_TOKEN, "Lambda's: that extension is asked with it, and nobody else gets to see it."),
    layer("_HANDLER", "Lambda's: the handler; the layer shows the function its own."),
    layer("LAMBDA_TASK_ROOT", "Lambda's: where the function's code is (Node)."),
    layer("NODE_OPTIONS", "Node's: what a script has added to it behind the layer's own part is loaded before that (Node)."),
    layer("AWS_LAMBDA_INITIALIZATION_TYPE", "Lambda's: `snap-start` starts the plan's counts anew after a restore (Java)."),
    both(RUNTIME_API, "Lambda's: the address that no `network` fault reaches."),
    layer(MAX_CONCURRENCY, "Lambda's: above 1, connections are told apart by the threads that open them."),
    both(FUNCTION_NAME, "Lambda's: `function_name` of a plan's context patterns."),
    both(FUNCTION_VERSION, "Lambda's: `function_version` of a plan's context patterns."),
    both(MEMORY_SIZE, "Lambda's: `memory_mb` of a plan's context patterns, and the bound of `memory` faults."),
    both(EXECUTION_ENV, "Lambda's: `runtime` of a plan's context patterns, as in `AWS_Lambda_python3.12`."),
    both(TRACE_ID, "Lambda's: an invocation's trace header, where a plan has `traces` (Java's is a system property)."),
    both(XRAY_DAEMON, "Lambda's: the X-Ray daemon that `traces` go to, as in `169.254.79.129:2000`."),
    command("AWS_REGION", "The region of the lab's accounts, and of the account that is attached in."),
    command("AWS_DEFAULT_REGION", "The same, where `AWS_REGION` is not set."),
    command(
        "FAULTLAYER_LAB_PYTHON",
        "A Python with boto3 for the documents' scripts in the lab; one is looked for, or made, otherwise.",
    ),
    command("XDG_CACHE_HOME", "Where the lab keeps runtime clients and environments; `~/.cache` otherwise."),
    command("HOME", "Where caches and version managers are looked for."),
    command("PATH", "Where interpreters and tools are looked for."),
    command("VIRTUAL_ENV", "A Python that is looked at first."),
    command("PYENV_ROOT", "Where pyenv has its versions of Python; `~/.pyenv` otherwise."),
    command("NVM_DIR", "Where nvm has its versions of Node; `~/.nvm` otherwise."),
    command("FNM_DIR", "Where fnm has its versions of Node; `~/.local/share/fnm` otherwise."),
    command("JAVA_HOME", "A JDK that is looked at first."),
    command("NO_COLOR", "Any value: tables without colours, and an experiment that is watched as lines alone."),
    command("TERM", "`dumb`: an experiment that is watched as lines alone."),
    command(
        "FAULTLAYER_LAB_OPT",
        "The lab's own, for its Python client: where layers are, where the kernel does not allow `/opt`.",
    ),
    command("LAMBDA_RUNTIME_DIR", "Lambda's, which the lab sets for its functions and its clients read."),
    command("PYTHONPATH", "Lambda's, which the lab sets as the managed runtimes do."),
    command(
        "FAULTLAYER_FUNCTIONS",
        "What `experiment start --load` tells its command: the functions' names, with spaces between.",
    ),
    tests("FAULTLAYER", "The command under test; what a build left in `target` otherwise."),
    tests("FAULTLAYER_COMMAND", "The same, in `tests/run`."),
    tests("FAULTLAYER_BLESS", "Any value: the core's tests write what they would compare (vectors, schema, pages)."),
    tests("FAULTLAYER_LAYER_ZIP", "The Python layer under test; the one in `dist/layers` otherwise."),
    tests("FAULTLAYER_LAYER_ZIP_JAVA", "Java's, in `tests/aws`."),
    tests("FAULTLAYER_LAB_ROUNDS", "How many rounds of losses the lab has to live through."),
    tests(
        "FAULTLAYER_EVERY_RIGHT",
        "Any value: everything is taken from the stack's roles, one by one, where a few parts are otherwise.",
    ),
    tests(
        "FAULTLAYER_EVERY_RUNTIME",
        "Any value: Python's, Node's and Java's tests run on every interpreter and client, where each runs on some otherwise.",
    ),
    tests("FAULTLAYER_STACK_ROUNDS", "How many experiments of the stack are interrupted in each way."),
    tests("FAULTLAYER_TESTS_NOBODY", "Any value: plans of Python's, Node's and Java's tests name a host too that nobody calls."),
    tests("FAULTLAYER_XRAY_DAEMON", "AWS's X-Ray daemon, which `tests/run` sends traces through; `xray` on the path otherwise."),
    tests("BROKEN_CLOCK_AT", "At which readings of the clock the engine of a layer under test panics."),
];

const fn layer(name: &'static str, doc: &'static str) -> Variable {
    Variable { name, readers: &[Reader::Layer], doc }
}

const fn both(name: &'static str, doc: &'static str) -> Variable {
    Variable { name, readers: &[Reader::Layer, Reader::Library], doc }
}

const fn command(name: &'static str, doc: &'static str) -> Variable {
    Variable { name, readers: &[Reader::Command], doc }
}

const fn tests(name: &'static str, doc: &'static str) -> Variable {
    Variable { name, readers: &[Reader::Tests], doc }
}
