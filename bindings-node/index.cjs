'use strict';
// The npm package: what `require('faultlayer')` gives.

const { FaultInjected } = require('./lib/errors.cjs');
const { Scope, wrap, withFaults } = require('./lib/library.cjs');
const { delay, fault, plan, steps } = require('./lib/plan.cjs');
const { FaultlayerError, NoChanceError, PlanError, TargetError } = require('./lib/problems.cjs');

module.exports = {
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
};
