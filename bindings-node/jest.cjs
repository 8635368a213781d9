'use strict';
// Faults for one test of Jest, in force until the test ends, and matchers for their records. To be required by the test
// file, or named in `setupFilesAfterEnv`: it registers an `afterEach`.

const { Scope } = require('./lib/library.cjs');

const opened = new Set();
globalThis.expect.extend(require('./lib/matchers.cjs'));
globalThis.afterEach(() => {
  for (const scope of opened) scope.close();
  opened.clear();
});

/** Puts `plan` in force for the rest of the running test, and gives the scope with its records. */
function faults(plan, options) {
  const scope = new Scope(plan, options).enter();
  opened.add(scope);
  return scope;
}

module.exports = { faults };
