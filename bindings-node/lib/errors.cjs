'use strict';
// Owns what a fault's error looks like in Node. Does not own which error is raised: the step says so.

/** Raised where no class fits: a timeout, or a fault of the library that has nothing else to say. */
class FaultInjected extends Error {}
FaultInjected.prototype.name = 'FaultInjected';

/**
 * The error of a step: the global class of that name if it takes a single message and keeps its name, else an `Error` with
 * that name, as the AWS SDK's own errors are made. `properties` become own, enumerable properties.
 */
function build({ type, message, properties }) {
  let error = fromGlobal(type, message);
  if (!error) {
    error = new Error(message);
    error.name = type;
    const lines = error.stack;
    if (typeof lines === 'string' && lines.startsWith('Error')) error.stack = type + lines.slice('Error'.length);
  }
  for (const [key, value] of Object.entries(properties ?? {})) {
    Object.defineProperty(error, key, { value, writable: true, enumerable: true, configurable: true });
  }
  return error;
}

function fromGlobal(type, message) {
  const known = Object.getOwnPropertyDescriptor(globalThis, type)?.value;
  if (typeof known !== 'function' || !(known === Error || known.prototype instanceof Error)) return undefined;
  try {
    const error = new known(message);
    return error instanceof known && error.name === type && error.message === message ? error : undefined;
  } catch {
    return undefined;
  }
}

module.exports = { FaultInjected, build };
