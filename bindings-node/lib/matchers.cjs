'use strict';
// Owns what `expect` can ask of a scope, for Vitest and Jest alike.

/** `expect(scope).toHaveInjected('slow', 2)`: that fault, or any, was injected so often, or at all. */
function toHaveInjected(scope, fault, times) {
  const count = scope.fired(fault);
  const what = fault === undefined ? 'any fault' : `\`${fault}\``;
  const wanted = times === undefined ? 'at least once' : `${times} times`;
  return {
    pass: times === undefined ? count > 0 : count === times,
    message: () =>
      `expected ${what} to be injected ${wanted}, was ${count} times; records: ${JSON.stringify(scope.records)}`,
  };
}

/** `expect(scope).toHaveSkipped('late', 'handler_failed')`: that fault was drawn and skipped, for that reason or any. */
function toHaveSkipped(scope, fault, reason) {
  const seen = scope.skipped[fault];
  return {
    pass: seen !== undefined && (reason === undefined || seen === reason),
    message: () => `expected \`${fault}\` to be skipped${reason ? ` (${reason})` : ''}, got \`${seen ?? 'not drawn'}\``,
  };
}

module.exports = { toHaveInjected, toHaveSkipped };
