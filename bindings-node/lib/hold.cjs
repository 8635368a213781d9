'use strict';
// Owns waiting: never early, never blocking the event loop. The timers are those of load time, so that a test's fake
// clock or the function's own patches do not change an injected delay.

const { deferred } = require('./builtins.cjs');

/** What stands behind a fake clock that was there first: Sinon's, which Jest and Vitest have too. */
const real = (owner, name) => owner[name].clock?.[`_${name}`] ?? owner[name];

const [setTimeout, setImmediate, clearTimeout, clearImmediate] = [
  'setTimeout',
  'setImmediate',
  'clearTimeout',
  'clearImmediate',
].map((name) => real(globalThis, name));
const clock = real(process, 'hrtime').bigint;

/**
 * Calls `then` once `us` microseconds have passed, and gives what keeps it from that. `setTimeout` counts whole milliseconds
 * and may fire one early.
 */
function later(us, then) {
  const until = clock() + BigInt(Math.ceil(us)) * 1000n;
  let forget = () => {};
  const check = () => {
    const left = Number(until - clock());
    if (left <= 0) return then();
    if (left < 1_000_000) {
      const next = setImmediate(check);
      forget = () => clearImmediate(next);
    } else {
      // A timer takes at most 2^31-1 ms; what is over that is waited for in the next round.
      const next = setTimeout(check, Math.min(Math.floor(left / 1_000_000), 2 ** 31 - 1));
      forget = () => clearTimeout(next);
    }
  };
  check();
  return () => forget();
}

/** Resolves once `us` microseconds have passed. */
function hold(us) {
  const held = deferred();
  later(us, held.resolve);
  return held.promise;
}

module.exports = { hold, later, setImmediate, setTimeout, clearTimeout };
