#!/bin/sh
# Lays the Node layer out below DEST as Lambda unpacks it under /opt: assemble.sh DEST [ADDON]
set -eu
here=$(cd "$(dirname "$0")/.." && pwd)
folder=$1/faultlayer/node
rm -rf "$folder"
mkdir -p "$folder"
cp "$here"/layer/* "$here"/lib/*.cjs "$folder"/
[ $# -lt 2 ] || cp "$2" "$folder/faultlayer.node"
