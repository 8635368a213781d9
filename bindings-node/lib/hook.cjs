'use strict';
// Owns putting ourselves where a process's calls go out, and taking that off again. The function's modules and those that ask
// later meet it; what somebody else has put in front meanwhile stays.

const { syncBuiltinESMExports } = require('node:module');
const { defineProperty, entries } = require('./builtins.cjs');
const { watchDispatcher } = require('./dispatch.cjs');
const { hooks } = require('./outgoing.cjs');

/** Looks at the calls of `realm`'s HTTP clients for `owners`, which gets `look`: to be told of what is new. Gives what ends that. */
function hook(owners, realm) {
  const put = hooks(owners).map(([client, ours]) => ({
    client,
    ours,
    before: { request: client.request, get: client.get },
  }));
  const set = (client, name, value) =>
    defineProperty(client, name, { value, writable: true, enumerable: true, configurable: true });
  for (const { client, ours } of put) for (const [name, value] of entries(ours)) set(client, name, value);
  syncBuiltinESMExports();
  const dispatcher = watchDispatcher(realm, owners);
  owners.look = dispatcher.look;
  return () => {
    owners.look = undefined;
    for (const { client, ours, before } of put) {
      for (const [name, value] of entries(before)) if (client[name] === ours[name]) set(client, name, value);
    }
    syncBuiltinESMExports();
    dispatcher.off();
  };
}

module.exports = { hook };
