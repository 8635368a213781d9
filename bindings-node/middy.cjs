'use strict';
// A Middy middleware: the faults of a plan around whatever stands behind it in the chain.

const { RUN, Run, settled } = require('./lib/act.cjs');
const { Scope } = require('./lib/library.cjs');
const { decide } = require('./lib/wrap.cjs');

const DRAWN = Symbol('faultlayer.drawn');

/** The middleware, with the `scope` that has its records. Throws `PlanError` where the plan does not hold. */
function faultlayer(plan, options) {
  const scope = new Scope(plan, options).open();
  const gate = scope.gate();
  /** What a phase comes to stands, and ends what was drawn; where it says to go on, that is `otherwise`. */
  const last = async (request, effect, otherwise) => {
    const run = request.internal[DRAWN];
    delete request.internal[DRAWN];
    return run.finish(await settled(run, effect), otherwise);
  };
  async function before(request) {
    const host = gate.host();
    const session = host && decide(host, gate, request.event, request.context, false);
    if (!session) return undefined;
    const run = new Run(session, gate, before);
    request.internal[DRAWN] = run;
    // From here on, what the chain calls is this run's, until it ends.
    run.enter();
    const effect = await settled(run, run.effect);
    return effect === RUN ? undefined : last(request, effect);
  }
  return {
    scope,
    before,
    async after(request) {
      const run = request.internal[DRAWN];
      if (run) request.response = await last(request, run.returned(request.response), () => request.response);
    },
    async onError(request) {
      const run = request.internal[DRAWN];
      if (run) await last(request, run.failed(), () => undefined);
    },
  };
}

module.exports = faultlayer;
module.exports.faultlayer = faultlayer;
