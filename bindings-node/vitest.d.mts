import 'vitest';
import type { PlanLike, Scope, ScopeOptions } from './index.js';

/** Puts `plan` in force for the rest of the running test, and gives the scope with its records. */
export declare function faults(plan: PlanLike, options?: ScopeOptions): Scope;

interface Matchers<R> {
  /** That fault, or any, was injected so often, or at all. */
  toHaveInjected(fault?: string, times?: number): R;
  /** That fault was drawn and skipped, for that reason or any. */
  toHaveSkipped(fault: string, reason?: string): R;
}

declare module 'vitest' {
  // eslint-disable-next-line @typescript-eslint/no-empty-object-type, @typescript-eslint/no-explicit-any
  interface Assertion<T = any> extends Matchers<void> {}
}
