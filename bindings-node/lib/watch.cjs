'use strict';
// Owns what a layer does about calls to AWS before any is to be hit: next to nothing, since every cold start pays for it.

const { apply } = require('./builtins.cjs');
const { replace } = require('./wrap.cjs');

/** Stands for the owners as long as no invocation's calls are to be hit. */
class NoOwners {
  #become;

  constructor(become) {
    this.#become = become;
  }

  open(session, gate) {
    const number = session.calls();
    return typeof number === 'number' ? this.#become().add(number, gate) : undefined;
  }

  enter() {}

  leave() {}
}

/**
 * Gives `gate` its owners: `load` gives what makes them, which takes longer than a start should. A function may keep a `fetch`
 * from its start on, so that ours has to be there by then; what Node's own clients ask for each request can be replaced at
 * any time.
 */
function watch(gate, load) {
  // So many invocations at once a client may be handed, by promises or by threads.
  const many = Number(process.env.AWS_LAMBDA_MAX_CONCURRENCY) > 1;
  const become = () => (gate.owners = load().look(many));
  gate.owners = many ? become() : new NoOwners(become);
  if (many) gate.shield = () => gate.owners.shield();
  beforeEachFetch(globalThis, () => gate.owners.beforeFetch?.());
}

/** Calls `before` ahead of each `fetch` of `realm`'s; gives what ends that. */
function beforeEachFetch(realm, before) {
  if (typeof realm.fetch !== 'function') return () => {};
  return replace(
    realm,
    'fetch',
    (fetch) =>
      function (...args) {
        before();
        return apply(fetch, this, args);
      },
  );
}

module.exports = { beforeEachFetch, watch };
