'use strict';
// Owns what there is once in a process, however often this package is loaded: by a test runner that resets its modules,
// through a link, as a module beside CommonJS. The number is the version of what its copies ask of each other.

const KEY = Symbol.for('faultlayer/1');
if (!globalThis[KEY]) Object.defineProperty(globalThis, KEY, { value: {} });

/** What was made under this name first. */
function once(name, make) {
  return (globalThis[KEY][name] ??= make());
}

module.exports = { once };
