'use strict';
// Faults for one test of Jest, in force until the test ends, and matchers for their records. To be required by the test
// file, or named in `setupFilesAfterEnv`: it registers an `afterEach`.

const { Scope } = require('./lib/library.cjs');
const { once } = require('./lib/shared.cjs');

globalThis.expect.extend(require('./lib/matchers.cjs'));

/** The running test's scopes; a test that resets its modules and asks again gets the same. */
const opened = once('jest', () => {
  const scopes = new Set();
  globalThis.afterEach(() => {
    let failure;
    for (const scope of scopes) {
      try {
        scope.close();
      } catch (error) {
        failure ??= error;
      }
    }
    scopes.clear();
    if (failure) throw failure;
  });
  return scopes;
});

/** Puts `plan` in force for the rest of the running test, and gives the scope with its records. */
function faults(plan, options) {
  const scope = new Scope(plan, options).enter();
  opened.add(scope);
  return scope;
}

module.exports = { faults };
