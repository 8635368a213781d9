'use strict';
// Owns what stands in a library's process as long as any scope's plan has faults in calls to AWS: the hook, and the owner of
// what a scope itself calls, outside any function that the plan is around.

const { AsyncLocalStorage } = require('node:async_hooks');
const vm = require('node:vm');
const { hook } = require('./hook.cjs');
const { Owners } = require('./owners.cjs');
const { once } = require('./shared.cjs');

/** The innermost scope of what runs now; and the scopes that are in force for what they run. */
const current = once('current', () => new AsyncLocalStorage());
const entered = once('entered', () => new Set());

/** Scopes that look at calls, and what ends the looking. */
const looking = once('looking', () => ({ scopes: new Set(), end: undefined }));

const owners = once('owners', () => {
  const outside = {
    possible: () => entered.size > 0,
    owner() {
      const scope = current.getStore();
      if (scope) return scope.owner();
      for (const passed of entered) passed.passedBy();
      return undefined;
    },
  };
  return new Owners(new AsyncLocalStorage(), outside);
});

/** Looks at calls from now on until `unlook`, for `scope`. Jest's tests have a global object of their own, undici has Node's. */
function look(scope) {
  looking.scopes.add(scope);
  if (looking.end) return;
  const realm = vm.runInThisContext('globalThis');
  looking.end = hook(owners, realm, [...new Set([realm, globalThis])]);
}

function unlook(scope) {
  looking.scopes.delete(scope);
  if (looking.scopes.size > 0) return;
  looking.end?.();
  looking.end = undefined;
}

/** For gates: nothing while nobody looks. */
const inForce = () => (looking.end ? owners : undefined);

module.exports = { current, entered, inForce, look, owners, unlook };
