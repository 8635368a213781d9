'use strict';
// Owns waiting: never early, never blocking the event loop. The timers are those of load time, so that a test's fake
// clock or the function's own patches do not change an injected delay.

const { deferred } = require('./builtins.cjs');

/** What stands behind a fake clock that was there first: Sinon's, which Jest and Vitest have too. */
const real = (owner, name) => owner[name].clock?.[`_${name}`] ?? owner[name];

const [setTimeout, setImmediate, clearTimeout] = ['setTimeout', 'setImmediate', 'clearTimeout'].map((name) =>
  real(globalThis, name),
);
const clock = real(process, 'hrtime').bigint;

/** Resolves once `us` microseconds have passed. `setTimeout` counts whole milliseconds and may fire one early. */
function hold(us) {
  const until = clock() + BigInt(Math.ceil(us)) * 1000n;
  const held = deferred();
  const check = () => {
    const left = Number(until - clock());
    if (left <= 0) held.resolve();
    else if (left < 1_000_000) setImmediate(check);
    // A timer takes at most 2^31-1 ms; what is over that is waited for in the next round.
    else setTimeout(check, Math.min(Math.floor(left / 1_000_000), 2 ** 31 - 1));
  };
  check();
  return held.promise;
}

module.exports = { hold, setImmediate, setTimeout, clearTimeout };
