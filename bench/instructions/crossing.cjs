'use strict';
// One crossing in Node: a handler alone, and behind the layer under a plan that draws nothing, N calls each.
//
//   node crossing.cjs OPT N
//
// The marks are the protocol of `count.py`.

const path = require('node:path');

const [opt, calls] = [process.argv[2], Number(process.argv[3])];
const faults = Array.from({ length: 7 }, (_, n) => ({ id: `fault-${n}`, kind: 'latency', rate: 1e-15, delay_ms: 1 }));
const context = {
  awsRequestId: '8f5c7d1e-7b61-11e6-9a41-93e8deadbeef',
  invokedFunctionArn: 'arn:aws:lambda:eu-central-1:123456789012:function:hello',
  getRemainingTimeInMillis: () => 3000,
};

async function main() {
  process.env.FAULTLAYER_HANDLER = 'index.handler';
  process.env.LAMBDA_TASK_ROOT = path.join(__dirname, 'function');
  process.env.FAULTLAYER_PLAN = JSON.stringify({ version: 1, expires_at: '2099-01-01T00:00:00Z', faults });
  const { handler: behind } = await import(path.join(opt, 'faultlayer/node/handler.mjs'));
  const { handler } = require(path.join(__dirname, 'function/index.js'));
  const run = (call) => {
    for (let n = 0; n < calls; n += 1) call(null, context);
  };
  console.log(JSON.stringify(['bare', 'a crossing, none drawn, faults: 7']));
  for (const call of [handler, behind]) run(call);
  for (const call of [handler, behind]) {
    process.ppid;
    run(call);
  }
  process.ppid;
}
main();
