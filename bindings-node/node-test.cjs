'use strict';
// Faults for one test of node:test: in force until the test ends.

const { Scope } = require('./lib/library.cjs');

/** Puts `plan` in force for the rest of the test `t`, and gives the scope with its records. */
function faults(t, plan, options) {
  const scope = new Scope(plan, options).enter();
  t.after(() => scope.close());
  return scope;
}

module.exports = { faults };
