'use strict';
// Owns how the layer starts in a function's environment: find the original handler, ask the engine whether anything can
// ever fire, wrap if so. Fails open: whatever goes wrong on our side, the original handler runs untouched.

const { writeSync } = require('node:fs');
const { LAYER, resolve, clientFile } = require('./resolve.cjs');

/** Faultlayer's own record, where the engine that writes them otherwise could not even be loaded. */
function record(reason, error) {
  const line = {
    timestamp: new Date().toISOString(),
    level: 'ERROR',
    source: 'faultlayer',
    reason,
    message: String(error?.message ?? error),
  };
  try {
    writeSync(1, `${JSON.stringify(line)}\n`);
  } catch {
    // Nobody is left to be told.
  }
}

/** The function that the client is to call. `stack` and `own` tell which file the client is. */
async function open(stack, own) {
  const name = process.env.FAULTLAYER_HANDLER;
  // A wrapper that put itself there (telemetry layers do) is left alone.
  if (name && process.env._HANDLER?.includes(LAYER)) process.env._HANDLER = name;
  const original = await resolve(name, process.env.LAMBDA_TASK_ROOT || process.cwd(), clientFile(stack, own));
  try {
    return wrapped(original);
  } catch (error) {
    record('internal_error', error);
    return original;
  }
}

function wrapped(original) {
  const { native } = require('./native.cjs');
  const engine = native();
  const number = engine.layer();
  if (typeof number !== 'number') return original;
  const { wrap, read } = require('./wrap.cjs');
  const state = read(engine, number);
  let told = false;
  return wrap(original, {
    host: () => state,
    requestId: (context) => context.awsRequestId,
    trouble(error) {
      if (!told) record('internal_error', error);
      told = true;
    },
    // In a worker thread `process.exit` ends that thread alone; a crash takes the environment down. Asked only now:
    // loading that module costs a cold start almost two milliseconds.
    exit: (code) => (require('node:worker_threads').isMainThread ? process.exit(code) : engine.crash(code)),
  });
}

module.exports = { open };
