// Starts the real aws-lambda-ric on a real Node over a fixture folder, with or without the layer, and ends what it started.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { runtimeApi } from './runtime-api.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
const tools = path.join(process.env.XDG_CACHE_HOME || path.join(os.homedir(), '.cache'), 'faultlayer');
/** The layer as Lambda would unpack it. */
export const LAYER = path.resolve(here, '../../build/opt/faultlayer/node');
export const FIXTURES = path.resolve(here, '../fixtures');

const VERSIONS = { 20: '20.20.2', 22: '22.23.3', 24: '24.21.0' };
const CLIENTS = { 3: '3.3.0', 4: '4.0.2' };
// What Lambda's own bootstrap passes, by Node version.
const FLAGS = {
  20: ['--no-experimental-require-module'],
  22: ['--no-experimental-require-module', '--no-experimental-detect-module'],
  24: ['--no-experimental-require-module', '--no-experimental-detect-module'],
};

const ALL = [
  { node: 20, client: 3 },
  { node: 22, client: 3 },
  { node: 22, client: 4 },
  { node: 24, client: 4 },
].map((pair) => ({ ...pair, name: `node ${pair.node}, client ${pair.client}.x` }));
/** The pairs of Node and client that the tests run: both generations, and the managed runtimes' own pairings. */
export const PAIRS = ALL.filter((pair) => existsSync(clientModule(pair.client)));
/** Those whose client this machine could not build. */
export const LACKING = ALL.filter((pair) => !PAIRS.includes(pair));

/** Those of each generation of the client by themselves. */
export const generations = (pairs) => [3, 4].map((client) => pairs.filter((pair) => pair.client === client));

/**
 * Deals a file's tests to runtimes: each to one of each list, in turn, or with FAULTLAYER_EVERY_RUNTIME to all of them. What
 * it gives for a runtime is `test`, for tests that have the same name on all of them but for what comes before it.
 */
export function dealer(lists = generations(PAIRS)) {
  const positions = new Map();
  return (runtime, before = '') => {
    const alike = lists.find((list) => list.includes(runtime));
    return (name, ...rest) => {
      const position = positions.get(name) ?? positions.set(name, positions.size).get(name);
      // One further each round, so that cases that alternate meet all of them.
      const turn = (position + Math.floor(position / alike.length)) % alike.length;
      if (process.env.FAULTLAYER_EVERY_RUNTIME || alike[turn] === runtime) test(`${before}${name}`, ...rest);
    };
  };
}

export function nodeBinary(major) {
  const binary = path.join(tools, 'node', `node-${VERSIONS[major]}`, 'bin', 'node');
  if (!existsSync(binary)) throw new Error(`Node ${VERSIONS[major]} is missing: run \`make tools-node\``);
  return binary;
}

function clientModule(generation, managed = false) {
  const root = path.join(tools, 'clients', `aws-lambda-ric-${CLIENTS[generation]}`, 'node_modules', 'aws-lambda-ric');
  return path.join(root, generation === 3 ? (managed ? 'dist/index.mjs' : 'bin/index.mjs') : 'index.mjs');
}

/** A host that nobody calls: with FAULTLAYER_TESTS_NOBODY set, every plan names it, and all of the tests must hold. */
const NOBODY = { id: 'nobody', kind: 'network', rate: 1e-15, target: { host: ['nobody.example'] }, effect: 'refuse' };

function asText(plan) {
  if (typeof plan === 'string') return plan;
  const { faults } = plan;
  return JSON.stringify(process.env.FAULTLAYER_TESTS_NOBODY && faults ? { ...plan, faults: [...faults, NOBODY] } : plan);
}

/** What follows `node` and its options: a program, and what it reads. */
function program(generation, managed, asked) {
  const starter = managed && generation === 3 ? [path.join(here, 'managed.mjs')] : [];
  return [...starter, clientModule(generation, managed), asked];
}

/** What starts the client of a pair; a handler's name follows. */
export const clientCommand = ({ node, client }) => [nodeBinary(node), ...FLAGS[node], clientModule(client)];

/**
 * Starts one environment. `handler` is the function's own; with `plan` or `layer` it runs behind the layer.
 * `managed` starts the client as the managed runtimes do, `wrapper` by a script as they do by AWS_LAMBDA_EXEC_WRAPPER.
 * Close it with `close()`: that waits for the process.
 */
export async function environment({
  node,
  client,
  code,
  handler,
  plan,
  layer = plan !== undefined,
  at = LAYER,
  env = {},
  args = [],
  descriptors,
  managed,
  wrapper,
}) {
  const api = await runtimeApi();
  const root = path.isAbsolute(code) ? code : path.join(FIXTURES, code);
  const started = performance.now();
  const asked = layer ? `${at}/handler.handler` : handler;
  const variables = {
    PATH: process.env.PATH,
    HOME: os.tmpdir(),
    AWS_LAMBDA_RUNTIME_API: api.address,
    AWS_LAMBDA_FUNCTION_NAME: 'test',
    AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '256',
    AWS_LAMBDA_LOG_GROUP_NAME: '/aws/lambda/test',
    AWS_LAMBDA_LOG_STREAM_NAME: 'test',
    AWS_EXECUTION_ENV: `AWS_Lambda_nodejs${node}.x`,
    AWS_REGION: 'us-east-1',
    LAMBDA_TASK_ROOT: root,
    _HANDLER: asked,
    ...(layer ? { FAULTLAYER_HANDLER: handler } : {}),
    ...(plan === undefined ? {} : { FAULTLAYER_PLAN: asText(plan) }),
    ...env,
  };
  const command = [nodeBinary(node), ...FLAGS[node], ...args, ...program(client, managed, asked)];
  if (wrapper) command.unshift(path.join(root, wrapper));
  // With `descriptors`, no more files than so many can be open at once.
  if (descriptors) command.unshift('/bin/sh', '-c', `ulimit -n ${descriptors}; exec "$@"`, 'sh');
  const child = spawn(command[0], command.slice(1), {
    cwd: root,
    env: variables,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  let errors = '';
  child.stdout.on('data', (chunk) => (output += chunk));
  child.stderr.on('data', (chunk) => (errors += chunk));
  const exited = once(child, 'close').then(([status, signal]) => {
    api.crash({
      status,
      signal,
      get log() {
        return output;
      },
    });
    return { status, signal, log: output, errors };
  });
  await Promise.race([api.ready, exited, api.initError]);
  return {
    started,
    cold: performance.now() - started,
    pid: child.pid,
    api,
    exited,
    invoke: (event, options) => api.invoke(event, options),
    /** The init error that the client posted, once the process has ended. */
    async failedInit() {
      const end = await exited;
      const posted = await Promise.race([api.initError, new Promise((r) => setTimeout(r, 50))]);
      return { ...end, posted };
    },
    log: () => output,
    errors: () => errors,
    records: () => records(output),
    async close() {
      child.kill('SIGKILL');
      const end = await exited;
      await api.close();
      return end;
    },
  };
}

/** The lines that Faultlayer wrote, parsed. */
export function records(text) {
  return text
    .split('\n')
    .filter((line) => line.startsWith('{') && line.includes('"source":"faultlayer"'))
    .map((line) => JSON.parse(line));
}

/** Runs `work` in an environment and always ends it. */
export async function within(options, work) {
  const run = await environment(options);
  try {
    return await work(run);
  } finally {
    await run.close();
  }
}
