'use strict';
// Owns what the layer says when something is wrong while it starts: the errors that the client itself would throw, those that
// a wrong setting gets, and Faultlayer's own record where the engine, which writes them otherwise, could not be loaded.

const { closeSync, constants, openSync, writeSync } = require('node:fs');
const path = require('node:path');
const { fileURLToPath } = require('node:url');

class HandlerNotFound extends Error {}
HandlerNotFound.prototype.name = 'Runtime.HandlerNotFound';
class MalformedHandlerName extends Error {}
MalformedHandlerName.prototype.name = 'Runtime.MalformedHandlerName';

const unset = () =>
  new Error("faultlayer: `FAULTLAYER_HANDLER` is not set: set it to the function's own handler, such as `index.handler`");

const itself = (name) =>
  new Error(`faultlayer: \`FAULTLAYER_HANDLER\` is the layer itself: expected the function's own handler, got \`${name}\``);

const malformed = (name, thirdGeneration) =>
  named(
    new MalformedHandlerName(
      name.includes('..')
        ? `'${name}' is not a valid handler name. Use absolute paths when specifying root directories in handler names.`
        : 'Bad handler',
    ),
    thirdGeneration,
  );

const notFound = (name, found, thirdGeneration) =>
  named(new HandlerNotFound(found ? `${name} is not a function` : `${name} is undefined or not exported`), thirdGeneration);

/** From the fourth generation on, the name is the error's own, which its log line shows. */
function named(error, thirdGeneration) {
  if (!thirdGeneration) error.name = `${error.name}`;
  return error;
}

/** The client's own file: the first on the stack of an error made while the client imported the layer that is not ours. */
function clientFile(folder, here) {
  for (const line of String(here.stack).split('\n').slice(1)) {
    const at = /(file:\/\/.+?):\d+:\d+\)?$/.exec(line);
    const file = at && fileURLToPath(at[1]);
    if (file && path.dirname(file) !== folder) return file;
  }
  return process.argv[1];
}

/** `error`, naming the client as the file that asked for a module where it names the layer or `asker`. */
function asWithoutLayer(error, folder, asker, here) {
  const client = clientFile(folder, here);
  for (const file of [path.join(folder, 'handler.mjs'), asker]) {
    for (const field of ['message', 'stack']) {
      if (typeof error?.[field] !== 'string') continue;
      const text = error[field].replaceAll(`imported from ${file}`, `imported from ${client}`);
      error[field] = text.replaceAll(`\n- ${file}`, `\n- ${client}`);
    }
    if (Array.isArray(error?.requireStack)) {
      error.requireStack = error.requireStack.map((each) => (each === file ? client : each));
    }
  }
  return error;
}

/** How long a log that nobody reads may hold the function up. */
const PATIENCE_MS = 50;

/**
 * One record, written as the engine would: before any code of the function's ran, so that descriptor 1 is still the log; on a
 * line of its own, whatever stood there last; without waiting for a full pipe, and in plain characters.
 */
function record(error) {
  const line = JSON.stringify({
    timestamp: new Date().toISOString(),
    level: 'ERROR',
    source: 'faultlayer',
    reason: 'internal_error',
    message: String(error?.message ?? error),
  });
  const escaped = (each) => `\\u${each.charCodeAt(0).toString(16).padStart(4, '0')}`;
  const bytes = Buffer.from(`\n${line.replace(/[\x7f-\x9f\u2028\u2029]/g, escaped)}\n`);
  // A pipe or file opened anew does not block, whatever the function's own does. A socket cannot be.
  let log = 1;
  try {
    log = openSync('/proc/self/fd/1', constants.O_WRONLY | constants.O_APPEND | constants.O_NONBLOCK | constants.O_NOCTTY);
  } catch {
    // Then as it is.
  }
  const end = Date.now() + PATIENCE_MS;
  for (let at = 0; at < bytes.length;) {
    try {
      at += writeSync(log, bytes, at);
    } catch (full) {
      if (full.code !== 'EAGAIN' || Date.now() >= end) break;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
    }
  }
  if (log !== 1) closeSync(log);
}

module.exports = { unset, itself, malformed, notFound, asWithoutLayer, record };
