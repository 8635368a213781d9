'use strict';
// Nanoseconds of a call through each kind of wrapper, round by round, all kinds in turns; JSON on standard output.
//
//   node calls.cjs '{"layer": FOLDER, "peers": FOLDER OR "", "rounds": N}'

const { createRequire } = require('node:module');
const path = require('node:path');

const asked = JSON.parse(process.argv[2]);
const { wrap, read } = require('../../bindings-node/lib/wrap.cjs');
const engine = require(path.join(asked.layer, 'faultlayer.node'));

const CALLS = 20_000;
const SELDOM = 1e-15;
const handler = (event) => event;
const contexts = Array.from({ length: 1000 }, () => ({
  awsRequestId: crypto.randomUUID(),
  invokedFunctionArn: 'arn:aws:lambda:us-east-1:000000000000:function:bench',
  getRemainingTimeInMillis: () => 3000,
}));
const event = { version: '0', source: 'orders', detail: { state: 'paid', amount: 12.5, items: [{ sku: 'a' }, { sku: 'b' }] } };

/** The handler behind what the layer has, under a plan of these faults. */
function behind(...faults) {
  const named = faults.map((fault, n) => ({ id: `fault-${n}`, kind: 'latency', delay_ms: 1, ...fault }));
  const plan = { version: 1, expires_at: '2099-01-01T00:00:00Z', faults: named };
  const state = read(engine, engine.library(JSON.stringify(plan), undefined));
  return wrap(handler, {
    host: () => state,
    requestId: (context) => context.awsRequestId,
    trouble(error) {
      throw error;
    },
  });
}

/** Its parameter is a constant, so that no call to Systems Manager is in the figure; `choose` says which. */
function failureLambda(...configs) {
  const peers = createRequire(path.join(asked.peers, 'index.js'));
  process.env.FAILURE_INJECTION_PARAM = 'failureLambdaConfig';
  let value = '';
  const answer = { promise: async () => ({ Parameter: { Value: value } }) };
  peers('aws-sdk').SSM = class {
    getParameter() {
      return answer;
    }
  };
  const wrapped = peers('failure-lambda')(handler);
  return configs.map((config) => ({ wrapped, choose: () => (value = JSON.stringify(config)) }));
}

const match = { event: { detail: { state: ['refunded'], amount: [{ numeric: ['>', 100] }] } } };
const kinds = {
  bare: handler,
  'nothing can fire': wrap(handler, { host: () => undefined }),
  'none drawn of 1': behind({ rate: SELDOM }),
  'none drawn of 7': behind(...Array.from({ length: 7 }, () => ({ rate: SELDOM }))),
  'match does not match': behind({ rate: 1, match }),
};
const awaited = {};
if (asked.peers) {
  const drawsNone = { isEnabled: true, rate: 0, failureMode: 'exception', exceptionMsg: 'e' };
  const [off, none] = failureLambda({ isEnabled: false }, drawsNone);
  awaited['bare, awaited'] = { wrapped: handler, choose() {} };
  awaited['failure-lambda, off'] = off;
  awaited['failure-lambda, none drawn'] = none;
}

async function main() {
  const rounds = {};
  const tell = (name, begun) => (rounds[name] ??= []).push(Number(process.hrtime.bigint() - begun) / CALLS);
  for (let round = 0; round < asked.rounds; round += 1) {
    for (const [name, call] of Object.entries(kinds)) {
      const begun = process.hrtime.bigint();
      for (let n = 0; n < CALLS; n += 1) call(event, contexts[n % 1000]);
      tell(name, begun);
    }
    for (const [name, { wrapped, choose }] of Object.entries(awaited)) {
      choose();
      const begun = process.hrtime.bigint();
      for (let n = 0; n < CALLS; n += 1) await wrapped(event, contexts[n % 1000]);
      tell(name, begun);
    }
  }
  console.log(JSON.stringify(rounds));
}
main();
