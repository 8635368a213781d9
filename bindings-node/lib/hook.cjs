'use strict';
// Owns putting ourselves where a process's calls go out, and taking that off again.

const { syncBuiltinESMExports } = require('node:module');
const { watchDispatcher } = require('./dispatch.cjs');
const { replaceClients } = require('./outgoing.cjs');
const { beforeEachFetch } = require('./watch.cjs');

/**
 * Looks at the calls of this process's HTTP clients for `owners`, which is told what to call when. Undici's dispatcher is
 * `realm`'s; `fetch` belongs to each of `realms`. Gives what ends that.
 */
function hook(owners, realm, realms) {
  const dispatcher = watchDispatcher(realm, owners);
  const offs = [
    ...replaceClients(owners),
    ...realms.map((each) => beforeEachFetch(each, dispatcher.beforeFetch)),
    dispatcher.off,
  ];
  syncBuiltinESMExports();
  owners.look = dispatcher.look;
  owners.beforeFetch = dispatcher.beforeFetch;
  return () => {
    owners.look = owners.beforeFetch = undefined;
    for (const off of offs) off();
    syncBuiltinESMExports();
  };
}

module.exports = { hook };
