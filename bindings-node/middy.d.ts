import type { PlanLike, Scope, ScopeOptions } from './index.js';

/** The faults of a plan around whatever stands behind it in the chain. @throws PlanError where the plan does not hold */
export declare function faultlayer(
  plan: PlanLike,
  options?: ScopeOptions,
): {
  scope: Scope;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  before(request: any): Promise<any>;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  after(request: any): Promise<void>;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  onError(request: any): Promise<void>;
};
export default faultlayer;
