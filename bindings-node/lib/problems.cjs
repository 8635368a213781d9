'use strict';
// Owns the library's own errors: one base, a stable `code` and the `path` of the field in each. Does not own the injected
// ones (errors.cjs, and whatever a plan names).

/** The base of all errors of Faultlayer's own, in contrast to injected ones. */
class FaultlayerError extends Error {
  constructor(message, code, path = '') {
    super(message);
    this.code = code;
    this.path = path;
  }
}
FaultlayerError.prototype.name = 'FaultlayerError';

/** A plan that cannot be used. The message lists all problems, one a line. */
class PlanError extends FaultlayerError {
  constructor(message, code = 'plan_invalid', path = '', problems = []) {
    super(message, code, path);
    this.problems = problems;
  }
}
PlanError.prototype.name = 'PlanError';

/** What a scope was told to put faults around is not there. */
class TargetError extends FaultlayerError {
  constructor(message, path) {
    super(message, 'target_missing', path);
  }
}
TargetError.prototype.name = 'TargetError';

/** Runs `work`; what the engine says of a plan becomes a `PlanError`. */
function strict(work) {
  try {
    return work();
  } catch (error) {
    let told;
    try {
      told = JSON.parse(error.message);
    } catch {
      throw new FaultlayerError(error.message, 'internal_error');
    }
    throw new PlanError(told.message, told.code, told.path, told.problems);
  }
}

module.exports = { FaultlayerError, PlanError, TargetError, strict };
