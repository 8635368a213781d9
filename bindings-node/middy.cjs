'use strict';
// A Middy middleware: the faults of a plan around whatever stands behind it in the chain.

const { carryOut, RUN, textOf, withText } = require('./lib/act.cjs');
const { Scope } = require('./lib/library.cjs');
const { decide } = require('./lib/wrap.cjs');

const SESSION = Symbol('faultlayer.session');

/** The middleware, with the `scope` that has its records. Throws `PlanError` where the plan does not hold. */
function faultlayer(plan, options) {
  const scope = new Scope(plan, options).open();
  const gate = scope.gate();
  const end = (request) => {
    const session = request.internal[SESSION];
    delete request.internal[SESSION];
    session?.close();
    gate.settle();
  };
  /** Does a phase; whatever ends the invocation there ends its session too. */
  const phase = async (request, text, put) => {
    try {
      const instead = await carryOut(text, gate, put);
      if (instead !== RUN) end(request);
      return instead;
    } catch (error) {
      end(request);
      throw error;
    }
  };
  return {
    scope,
    async before(request) {
      const host = gate.host();
      const session = host && decide(host, gate, request.event, request.context, false);
      if (!session) return undefined;
      request.internal[SESSION] = session;
      const instead = await phase(request, session.before());
      return instead === RUN ? undefined : instead.answer;
    },
    async after(request) {
      const session = request.internal[SESSION];
      if (!session) return;
      const answer = request.response;
      const text = session.returned(session.wantsText() ? textOf(answer) : undefined);
      const instead = await phase(request, text, (mangled) => withText(answer, mangled));
      if (instead === RUN) end(request);
      else request.response = instead.answer;
    },
    async onError(request) {
      const session = request.internal[SESSION];
      if (!session) return;
      await phase(request, session.failed());
      end(request);
    },
  };
}

module.exports = faultlayer;
module.exports.faultlayer = faultlayer;
