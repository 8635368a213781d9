'use strict';
// Owns the library's own errors: one base, a stable `code` and the `path` of the field in each. Does not own the injected
// ones (errors.cjs, and whatever a plan names).

const { once } = require('./shared.cjs');

/** The library's error classes: what `instanceof` asks for is the same, however often the package is loaded. */
const { FaultlayerError, PlanError, TargetError, NoChanceError } = once('problems', () => {
  /** The base of all errors of Faultlayer's own, in contrast to injected ones. */
  class FaultlayerError extends Error {
    constructor(message, code, path = '') {
      super(message);
      this.code = code;
      this.path = path;
    }
  }

  /** A plan that cannot be used. The message lists all problems, one a line. */
  class PlanError extends FaultlayerError {
    constructor(message, code = 'plan_invalid', path = '', problems = []) {
      super(message, code, path);
      this.problems = problems;
    }
  }

  /** What a scope was told to put faults around is not there. */
  class TargetError extends FaultlayerError {
    constructor(message, path) {
      super(message, 'target_missing', path);
    }
  }

  /** Faults that never had a chance to fire: whoever relied on them has seen nothing. */
  class NoChanceError extends FaultlayerError {
    constructor(missed) {
      const line = ({ fault, reason }, index) =>
        `faults[${index}]: \`${fault}\` had no chance to fire: ${reason}, ${MEANS[reason]}`;
      super([...missed.map(line), '`strict: false` allows it'].join('\n'), 'no_chance', 'faults[0]');
      this.missed = missed;
    }
  }

  const classes = { FaultlayerError, PlanError, TargetError, NoChanceError };
  for (const [name, each] of Object.entries(classes)) each.prototype.name = name;
  return classes;
});

const MEANS = {
  not_called: 'nothing that the plan is around was called',
  patched_over: 'something else stands in the place of its target',
  other_context: 'what it is around was called, but not by what the scope runs',
  not_started: 'all calls came before `starts_at`',
  expired: 'all calls came after `expires_at`',
};

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

module.exports = { FaultlayerError, NoChanceError, PlanError, TargetError, strict };
