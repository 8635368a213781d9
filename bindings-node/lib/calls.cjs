'use strict';
// Owns what a layer has where calls go out, from the first invocation on whose calls are to be hit.

const { AsyncLocalStorage } = require('node:async_hooks');
const { hook } = require('./hook.cjs');
const { Owners } = require('./owners.cjs');

/** The owners of a process's calls, which are told apart where `many` invocations are under way at once. */
function look(many) {
  const owners = new Owners(many ? new AsyncLocalStorage() : undefined);
  hook(owners, globalThis, []);
  return owners;
}

module.exports = { look };
