'use strict';
// Nanoseconds for one call through each kind of wrapper, the best of many rounds; JSON on standard output.

const path = require('node:path');
const layer = path.resolve(__dirname, '../build/opt/faultlayer/node');
const { wrap, read } = require('../lib/wrap.cjs');
const engine = require(path.join(layer, 'faultlayer.node'));

const ROUNDS = 15;
const CALLS = 100_000;
const handler = (event) => event;
const due = Date.now() + 3000;
const contexts = Array.from({ length: 1000 }, () => ({
  awsRequestId: crypto.randomUUID(),
  invokedFunctionArn: 'arn:aws:lambda:us-east-1:000000000000:function:bench',
  getRemainingTimeInMillis: () => due - Date.now(),
}));
const event = {
  version: '0',
  source: 'orders',
  detail: { state: 'paid', amount: 12.5, items: [{ sku: 'a' }, { sku: 'b' }] },
};

function behind(fault) {
  const plan = {
    version: 1,
    expires_at: '2099-01-01T00:00:00Z',
    faults: [{ id: 'it', kind: 'latency', delay_ms: 1, ...fault }],
  };
  const state = read(engine, engine.library(JSON.stringify(plan), undefined));
  return wrap(handler, {
    host: () => state,
    requestId: (context) => context.awsRequestId,
    trouble(error) {
      throw error;
    },
  });
}

function best(call) {
  let least = Infinity;
  for (let round = 0; round < ROUNDS; round += 1) {
    const start = process.hrtime.bigint();
    for (let n = 0; n < CALLS; n += 1) call(event, contexts[n % 1000]);
    least = Math.min(least, Number(process.hrtime.bigint() - start) / CALLS);
  }
  return least;
}

const match = { event: { detail: { state: ['refunded'], amount: [{ numeric: ['>', 100] }] } } };
console.log(
  JSON.stringify({
    alone: best(handler),
    idle: best(wrap(handler, { host: () => undefined })),
    active: best(behind({ rate: 1e-15 })),
    sampledOut: best(behind({ rate: 1e-15, match })),
    unmatched: best(behind({ rate: 1, match })),
  }),
);
