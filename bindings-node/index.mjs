// The npm package: what `import 'faultlayer'` gives. One engine and one set of classes, however it is loaded.

import faultlayer from './index.cjs';

export const {
  FaultInjected,
  FaultlayerError,
  NoChanceError,
  PlanError,
  Scope,
  TargetError,
  delay,
  fault,
  plan,
  steps,
  withFaults,
  wrap,
} = faultlayer;
export default faultlayer;
