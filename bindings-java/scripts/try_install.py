"""Installs the library as `make install-java` does, into a Maven repository of its own, and uses it from there: in an empty
project, with the dependencies that the README names, a handler and a plan; and in the tests of `examples/java-dynamodb`.

    python3 try_install.py [--machine aarch64 --java COMMAND] [REPOSITORY]

With REPOSITORY it takes what a release has put there instead of what the checkout has; with another machine that one's jar, in
the Java that the command starts.
What Maven itself needs comes from this user's repository, where the build has put most of it, and else from where it comes from.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).resolve().parents[1]
EXAMPLE = HERE.parent / "examples" / "java-dynamodb"
# As the tests of `tests/aws` have it.
MOTO = HERE.parent / ".cache" / "aws" / "venv" / "bin" / "python"
SERVE = """
import sys
import boto3
from moto.server import ThreadedMotoServer
server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
server.start()
url = "http://127.0.0.1:%d" % server.get_host_and_port()[1]
key = {"AttributeName": "id"}
boto3.client("dynamodb", endpoint_url=url).create_table(
    TableName="orders", KeySchema=[{**key, "KeyType": "HASH"}], AttributeDefinitions=[{**key, "AttributeType": "S"}],
    BillingMode="PAY_PER_REQUEST",
)
print(url, flush=True)
sys.stdin.read()
"""
AWS = {"AWS_ACCESS_KEY_ID": "none", "AWS_SECRET_ACCESS_KEY": "none", "AWS_DEFAULT_REGION": "eu-west-1", "AWS_REGION": "eu-west-1"}
# As the Makefile has it: its JVM lives for seconds.
os.environ["MAVEN_OPTS"] = f"-XX:TieredStopAtLevel=1 -XX:+UseSerialGC {os.environ.get('MAVEN_OPTS', '')}"
MVN = ["mvn", "--batch-mode", "--quiet", "--no-transfer-progress"]
SETTINGS = """<settings>
  <profiles><profile>
    <id>shelf</id>
    <repositories><repository><id>shelf</id><url>file://{shelf}</url></repository></repositories>
    <pluginRepositories><pluginRepository><id>shelf</id><url>file://{shelf}</url></pluginRepository></pluginRepositories>
  </profile></profiles>
  <activeProfiles><activeProfile>shelf</activeProfile></activeProfiles>
</settings>
"""
POM = """<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>shop</groupId>
  <artifactId>shop</artifactId>
  <version>1</version>
  <properties>
    <maven.compiler.release>11</maven.compiler.release>
    <project.build.sourceEncoding>UTF-8</project.build.sourceEncoding>
  </properties>
  <dependencies>
{dependencies}
  </dependencies>
  <build><plugins>
{plugins}
  </plugins></build>
</project>
"""
PLUGIN = "<plugin><artifactId>maven-{}-plugin</artifactId><version>{}</version></plugin>"
PLUGINS = {"compiler": "3.14.1", "resources": "3.3.1", "dependency": "3.8.1"}
USER = """import com.amazonaws.services.lambda.runtime.RequestHandler;
import dev.faultlayer.*;
public class User {
    public static void main(String[] arguments) {
        RequestHandler<String, Object> own = (event, context) -> event;
        Plan plan = Plan.experiment("shop").neverExpires().fault(Fault.payload("odd", 1, "from the plan"));
        System.out.println(Faultlayer.wrap(own, plan).handleRequest("e", null));
    }
}
"""


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--machine", default=platform.machine())
    parser.add_argument("--java", default="java")
    parser.add_argument("repository", nargs="?")
    options = parser.parse_args()
    readme = (HERE / "README.md").read_text(encoding="utf-8").replace("x86_64", options.machine)
    dependencies = re.findall(r"<dependency>.*?</dependency>", readme, re.DOTALL)
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        settings = work / "settings.xml"
        settings.write_text(SETTINGS.format(shelf=Path.home() / ".m2" / "repository"))
        # Beside the user's own settings, which may name a mirror.
        maven = [*MVN, "--global-settings", str(settings), f"-Dmaven.repo.local={work / 'repository'}"]
        if options.repository:
            shutil.copytree(options.repository, work / "repository")
        else:
            subprocess.run([*maven, "-f", str(HERE / "pom.xml"), "install", "-pl", ".,runtime,library", "-DskipTests"], check=True)
        user = work / "shop" / "src" / "test" / "java" / "User.java"
        user.parent.mkdir(parents=True)
        user.write_text(USER)
        plugins = "\n".join(PLUGIN.format(*plugin) for plugin in PLUGINS.items())
        (work / "shop" / "pom.xml").write_text(POM.format(dependencies="\n".join(dependencies), plugins=plugins))
        goals = ["test-compile", "dependency:build-classpath", "-Dmdep.outputFile=path", "-Dmdep.includeScope=test"]
        subprocess.run([*maven, *goals], cwd=work / "shop", check=True)
        path = f"target/test-classes:{(work / 'shop' / 'path').read_text()}"
        said = subprocess.run([*shlex.split(options.java), "-cp", path, "User"], check=False, cwd=work / "shop", capture_output=True, text=True)
        of_example = example(maven, work) if options.machine == platform.machine() else "another machine's"
    if said.stdout != "from the plan\n":
        print(f"the installed library: expected `from the plan`, got `{said.stdout}{said.stderr}`", file=sys.stderr)
        return 1
    print(f"1 passed, 0 failed; the example's tests: {of_example}")
    return 0


def example(maven: list[str], work: Path) -> str:
    """Runs the example's own tests with a DynamoDB on this machine; what came of them."""
    if not MOTO.exists():
        return "skipped, moto is not installed (`make prepare-aws`)"
    shutil.copytree(EXAMPLE, work / "orders", ignore=shutil.ignore_patterns("target"))
    with dynamodb() as url:
        variables = {**os.environ, **AWS, "AWS_ENDPOINT_URL": url}
        jvm = "-DargLine=-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
        command = [*maven, "test", f"-Dfaultlayer.platform=linux-{platform.machine()}", jvm]
        subprocess.run(command, cwd=work / "orders", env=variables, check=True)
    [report] = (work / "orders" / "target" / "surefire-reports").glob("*.txt")
    return re.findall(r"Tests run: .*", report.read_text(encoding="utf-8"))[0]


@contextmanager
def dynamodb() -> Iterator[str]:
    """Where it is. It ends with its standard input."""
    environment = {**os.environ, **AWS}
    with subprocess.Popen(
        [MOTO, "-c", SERVE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment
    ) as server:
        assert server.stdin is not None and server.stdout is not None
        try:
            yield server.stdout.readline().strip()
        finally:
            server.stdin.close()


if __name__ == "__main__":
    sys.exit(main())
