'use strict';
// Owns looking at calls to AWS in a layer: from before the function's own code on, for as long as there is a process.

const { hook } = require('./hook.cjs');
const { Owners } = require('./owners.cjs');

/** The owners of calls. Trouble on our side leaves every call alone. */
function watch(gate) {
  try {
    // So many invocations at once a client may be handed, by promises or by threads.
    const many = Number(process.env.AWS_LAMBDA_MAX_CONCURRENCY) > 1;
    const owners = new Owners(many ? new (require('node:async_hooks').AsyncLocalStorage)() : undefined);
    hook(owners, globalThis);
    return owners;
  } catch (error) {
    gate.trouble(error);
    return undefined;
  }
}

module.exports = { watch };
