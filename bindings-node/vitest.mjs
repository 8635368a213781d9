// Faults for one test of Vitest, in force until the test ends, and matchers for their records.

import { expect, onTestFinished } from 'vitest';
import library from './lib/library.cjs';
import matchers from './lib/matchers.cjs';

expect.extend(matchers);

/** Puts `plan` in force for the rest of the running test, and gives the scope with its records. */
export function faults(plan, options) {
  const scope = new library.Scope(plan, options).enter();
  onTestFinished(() => scope.close());
  return scope;
}
