// The real clients of this machine, as JSON: a name and the command that a handler's name follows. One for each Node.

import { clientCommand, PAIRS } from '../../bindings-node/test/support/client.mjs';

const newest = new Map(PAIRS.map((pair) => [pair.node, pair]));
console.log(JSON.stringify([...newest.values()].map((pair) => ({ name: `Node ${pair.node}`, command: clientCommand(pair) }))));
