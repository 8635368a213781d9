//! Java: a JDK of the wanted version, and the runtime interface client with its libraries from Maven Central.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command as Process;

use super::{Client, Command, Place, Workshop};
use crate::runtime::error::LabError;
use crate::runtime::spec::FunctionSpec;

const VERSION: &str = "2.9.0";
const MAIN: &str = "com.amazonaws.services.lambda.runtime.api.client.AWSLambda";
/// The client copies this out of its jar to one fixed path unless it is told where it is: two starts at once would race.
const LIBRARY: &str = "libaws-lambda-jni.so";
const LIBRARY_OPTION: &str = "-Dcom.amazonaws.services.lambda.runtime.api.client.runtimeapi.NativeClient.JNI=";
/// The Java versions of managed runtimes that Faultlayer supports, the newest first.
const VERSIONS: [u32; 4] = [25, 21, 17, 11];
/// Copies the client and what it needs to a folder. The function brings the rest.
const PROJECT: &str = r#"<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>local</groupId><artifactId>client</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies>
    <dependency>
      <groupId>com.amazonaws</groupId><artifactId>aws-lambda-java-runtime-interface-client</artifactId><version>VERSION</version>
    </dependency>
  </dependencies>
</project>
"#;
const COPY: &str = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies";

/// A JDK and where the client is.
pub struct Java {
    home: PathBuf,
    runtime_dir: PathBuf,
}

impl Java {
    /// Finds a JDK for `runtime` (as in `java17`, `java17.al2023`), and the client in the cache or by Maven.
    pub fn prepare(runtime: &str, workshop: &Workshop) -> Result<Java, LabError> {
        let version = runtime.trim_start_matches("java").trim_end_matches(".al2023");
        let wanted = version.parse().ok().filter(|version| VERSIONS.contains(version)).ok_or_else(|| {
            LabError::new(format!("runtime: expected `java11`, `java17`, `java21` or `java25`, got `{runtime}`"))
        })?;
        let Some((home, _)) = homes(workshop).into_iter().find(|(_, version)| *version == wanted) else {
            return Err(LabError::new(format!(
                "no Java {wanted} on this machine (looked at JAVA_HOME, the path and /usr/lib/jvm): install it, for example with \
                 `apt install openjdk-{wanted}-jre-headless`, or choose a version that is there with --runtime"
            )));
        };
        Ok(Java { home, runtime_dir: client(workshop)? })
    }
}

impl Client for Java {
    fn runtime_dir(&self) -> &Path {
        &self.runtime_dir
    }

    fn kept(&self) -> Vec<PathBuf> {
        vec![self.home.clone()]
    }

    fn command(&self, spec: &FunctionSpec, place: &Place) -> Command {
        let runtime = place.runtime.display();
        Command {
            program: self.home.join("bin/java"),
            arguments: vec![
                // As the managed runtimes start it: a small collector, the first compiler alone, most of the memory for the heap.
                "-XX:+UseSerialGC".to_owned(),
                "-XX:TieredStopAtLevel=1".to_owned(),
                "-Xshare:auto".to_owned(),
                format!("-Xmx{}k", u64::from(spec.memory_mb) * 1024 * 85 / 100),
                format!("{LIBRARY_OPTION}{runtime}/{LIBRARY}"),
                "-cp".to_owned(),
                format!("{runtime}/lib/*"),
                MAIN.to_owned(),
                spec.handler.clone(),
            ],
            variables: Vec::new(),
        }
    }
}

/// The Java on the path (or of JAVA_HOME) if Faultlayer supports it, else the newest that there is, as a runtime's name.
pub fn newest(workshop: &Workshop) -> Result<String, LabError> {
    let homes = homes(workshop);
    let supported = |version: &u32| VERSIONS.contains(version);
    let first = homes.first().map(|(_, version)| *version).filter(supported);
    first
        .or_else(|| homes.iter().map(|(_, version)| *version).filter(supported).max())
        .map(|version| format!("java{version}"))
        .ok_or_else(|| {
            LabError::new(
                "no Java 11, 17, 21 or 25 on this machine (looked at JAVA_HOME, the path and /usr/lib/jvm): install one",
            )
        })
}

/// The homes of the JDKs there are, the likeliest first, each with its version.
fn homes(workshop: &Workshop) -> Vec<(PathBuf, u32)> {
    let mut candidates = Vec::new();
    if let Some(only) = &workshop.interpreter {
        candidates.push(only.clone());
    } else {
        candidates.extend(std::env::var_os("JAVA_HOME").map(|home| Path::new(&home).join("bin/java")));
        let path = std::env::var_os("PATH").unwrap_or_default();
        candidates.extend(std::env::split_paths(&path).map(|folder| folder.join("java")));
        let mut installed: Vec<PathBuf> =
            fs::read_dir("/usr/lib/jvm").into_iter().flatten().flatten().map(|entry| entry.path().join("bin/java")).collect();
        installed.sort();
        candidates.extend(installed);
    }
    let mut homes: Vec<(PathBuf, u32)> = Vec::new();
    for candidate in candidates {
        // The path has links, on Debian two of them; a JDK is where they end, in `bin` of its home.
        let Some(home) = fs::canonicalize(candidate).ok().and_then(|java| Some(java.parent()?.parent()?.to_owned())) else {
            continue;
        };
        if !homes.iter().any(|(known, _)| *known == home)
            && let Some(version) = version(&home)
        {
            homes.push((home, version));
        }
    }
    homes
}

/// `17` for a JDK whose `release` says `JAVA_VERSION="17.0.15"`.
fn version(home: &Path) -> Option<u32> {
    let release = fs::read_to_string(home.join("release")).ok()?;
    let value = release.lines().find_map(|line| line.strip_prefix("JAVA_VERSION="))?;
    value.trim_matches('"').split(['.', '-', '+']).next()?.parse().ok()
}

/// The folder with the client, installed once.
fn client(workshop: &Workshop) -> Result<PathBuf, LabError> {
    let clients = workshop.cache.join("clients");
    let folder = clients.join(format!("java-{VERSION}"));
    if folder.join(LIBRARY).is_file() {
        return Ok(folder);
    }
    // Beside its place and then moved there: a run that is cut off, or one at the same time, leaves nothing half done.
    let half = clients.join(format!(".java-{VERSION}-{}", std::process::id()));
    let installed = install(&half, &folder);
    if installed.is_ok() && fs::rename(&half, &folder).is_ok() {
        return Ok(folder);
    }
    let _ = fs::remove_dir_all(&half);
    installed.map(|()| folder)
}

fn install(half: &Path, folder: &Path) -> Result<(), LabError> {
    fs::create_dir_all(half.join("lib")).map_err(|error| LabError::file("make", half, &error))?;
    let project = half.join("pom.xml");
    fs::write(&project, PROJECT.replace("VERSION", VERSION)).map_err(|error| LabError::file("write to", &project, &error))?;
    let missing = |why: &str| {
        LabError::new(format!(
            "the runtime interface client for Java is not there: expected aws-lambda-java-runtime-interface-client-{VERSION}.jar with its \
             dependencies in `{}/lib` and its {LIBRARY} beside; {why}",
            folder.display()
        ))
    };
    let output = Process::new("mvn")
        .args(["-B", "-q", "-f"])
        .arg(&project)
        .arg(COPY)
        .arg("-DincludeScope=runtime")
        .arg(format!("-DoutputDirectory={}", half.join("lib").display()))
        .output()
        .map_err(|error| missing(&format!("cannot run `mvn` to get it from Maven Central: {error}")))?;
    if !output.status.success() {
        return Err(missing(&format!("`mvn` said:\n{}", String::from_utf8_lossy(&output.stdout).trim_end())));
    }
    let jar = half.join(format!("lib/aws-lambda-java-runtime-interface-client-{VERSION}.jar"));
    let architecture = if cfg!(target_arch = "aarch64") { "aarch_64" } else { "x86_64" };
    let entry = format!("jni/libaws-lambda-jni.linux-{architecture}.so");
    unpack(&jar, &entry, &half.join(LIBRARY))
        .map_err(|error| missing(&format!("cannot unpack `{entry}` of `{}`: {error}", jar.display())))
}

fn unpack(jar: &Path, entry: &str, to: &Path) -> std::io::Result<()> {
    let mut archive = zip::ZipArchive::new(fs::File::open(jar)?)?;
    let mut file = fs::File::create(to)?;
    std::io::copy(&mut archive.by_name(entry)?, &mut file)?;
    file.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_jdk_says_its_version_in_its_release_file() {
        let home = std::env::temp_dir().join(format!("faultlayer-jdk-{}", std::process::id()));
        fs::create_dir_all(&home).unwrap();
        for (line, expected) in [("\"17.0.15\"", Some(17)), ("\"25\"", Some(25)), ("\"21-ea\"", Some(21)), ("\"x\"", None)] {
            fs::write(home.join("release"), format!("IMPLEMENTOR=\"x\"\nJAVA_VERSION={line}\n")).unwrap();
            assert_eq!(version(&home), expected, "{line}");
        }
        fs::remove_dir_all(&home).unwrap();
    }
}
