#!/usr/bin/env node
'use strict';
// The command, from the package of this platform that npm has installed beside this one.

const { spawn } = require('node:child_process');
const { constants } = require('node:os');

const PACKAGE = `@faultlayer/cli-${process.platform}-${process.arch}`;

function command() {
  try {
    return require.resolve(`${PACKAGE}/bin/faultlayer`);
  } catch {
    process.stderr.write(`faultlayer: ${PACKAGE} is not installed: it is an optional dependency, for Linux alone\n`);
    process.exit(2);
  }
}

const child = spawn(command(), process.argv.slice(2), { stdio: 'inherit' });
// A terminal tells both; whoever tells this process alone means the command.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
child.on('error', (error) => {
  process.stderr.write(`faultlayer: ${error.message}\n`);
  process.exitCode = 2;
});
child.on('exit', (code, signal) => {
  process.exitCode = code ?? 128 + constants.signals[signal];
});
