import type { PlanLike, Scope, ScopeOptions } from './index.js';

/** Puts `plan` in force for the rest of the test `t`, and gives the scope with its records. */
export declare function faults(t: { after(work: () => void): void }, plan: PlanLike, options?: ScopeOptions): Scope;
