'use strict';
// The first that NODE_OPTIONS preloads, where it preloads anything else: from here to last.mjs, `_HANDLER` is the function's
// own handler. By it agents find what they instrument; the client, which reads it behind them, needs ours.

const own = process.env.FAULTLAYER_HANDLER;
const ours = process.env._HANDLER;

/** What puts ours back; nothing where it does not stand there, as in a child process or behind a wrapper of an agent's. */
module.exports = own && ours?.includes('/faultlayer/node/handler') ? back : undefined;
if (module.exports) process.env._HANDLER = own;

function back() {
  const now = process.env._HANDLER;
  if (now === own) process.env._HANDLER = ours;
  // Who put itself there has seen the function's handler, so that nothing leads to us.
  else require('./failures.cjs').record(`a preloaded agent made \`${now}\` the handler, nothing is injected`);
}
