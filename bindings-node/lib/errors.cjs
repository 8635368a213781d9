'use strict';
// Owns what a fault's error looks like in Node. Does not own which error is raised: the step says so.

const { defineProperty, entries, getOwnPropertyDescriptor } = require('./builtins.cjs');
const { once } = require('./shared.cjs');

/** Raised where no class fits: a timeout, or a fault of the library that has nothing else to say. */
const FaultInjected = once('FaultInjected', () => {
  class FaultInjected extends Error {}
  FaultInjected.prototype.name = 'FaultInjected';
  return FaultInjected;
});

/**
 * The error of a step: the global class of that name if it takes a single message and keeps its name, else an `Error` with
 * that name, as the AWS SDK's own errors are made. `properties` become own, enumerable properties. It shows `place`, where
 * the function was called, as if the function had thrown it.
 */
function build({ type, message, properties }, place) {
  let error = fromGlobal(type, message);
  if (!error) {
    error = new Error(message);
    error.name = type;
  }
  show(error, place);
  for (const [key, value] of entries(properties ?? {})) {
    defineProperty(error, key, { value, writable: true, enumerable: true, configurable: true });
  }
  return error;
}

/** Gives `error` the stack that was captured at `place`: it takes its first line from the name and message there. */
function show(error, place) {
  place.name = error.name;
  place.message = error.message;
  defineProperty(error, 'stack', { value: place.stack, writable: true, enumerable: false, configurable: true });
  return error;
}

function fromGlobal(type, message) {
  const known = getOwnPropertyDescriptor(globalThis, type)?.value;
  if (typeof known !== 'function' || !(known === Error || known.prototype instanceof Error)) return undefined;
  try {
    const error = new known(message);
    return error instanceof known && error.name === type && error.message === message ? error : undefined;
  } catch {
    return undefined;
  }
}

module.exports = { FaultInjected, build, show };
