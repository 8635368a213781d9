// What the function does to its own process never makes an error of ours its own: the handler runs, once, and its answer is
// the answer.

import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { PAIRS, dealer, within } from './support/client.mjs';
import { plan } from './support/plans.mjs';

const match = { event: { fire: [true] } };
const LATENCY = { id: 'slow', kind: 'latency', rate: 1, delay_ms: 5, match };
const STALL = { ...LATENCY, id: 'stall', when: 'during', after_bytes: 3 };
const LATE = { ...LATENCY, id: 'late', when: 'after' };
const THROTTLE = {
  id: 'throttle',
  kind: 'aws_call',
  rate: 1,
  target: { service: ['dynamodb'] },
  error: 'ThrottlingException',
  match: { event: { calls: [true] } },
};
const REPLACED = [
  'JSON.parse',
  'JSON.stringify',
  'Promise',
  'Promise.prototype.then',
  'Promise.race',
  'Reflect.apply',
  'Reflect.construct',
  'Object.assign',
  'Object.entries',
  'Object.freeze',
  'Object.defineProperty',
  'Object.create',
  'Object.getPrototypeOf',
  'Array.isArray',
  'Array.prototype.filter',
  'Array.prototype.find',
  'Array.prototype.map',
  'Array.prototype.push',
  'Array.prototype.shift',
  'Array.prototype.slice',
  'Array.prototype.sort',
  'Array.prototype.splice',
  'Array.prototype.unshift',
  'Error',
  'Error.captureStackTrace',
  'String',
  'Number',
  'BigInt',
  'Math.ceil',
  'Math.floor',
  'Math.max',
  'Math.min',
  'Buffer.from',
  'Date.now',
  'setTimeout',
  'setImmediate',
  'clearTimeout',
  'process.exit',
  'process.hrtime.bigint',
  'process.getBuiltinModule',
];

const deal = dealer();
for (const pair of PAIRS) {
  const test = deal(pair);
  // The client keeps a connection for each of its threads, of which it has two so.
  const env = { UV_THREADPOOL_SIZE: '1' };
  const behind = (handler, work) =>
    within(
      {
        ...pair,
        code: 'hostile',
        handler: `index.${handler}`,
        plan: plan(LATENCY, STALL, LATE, THROTTLE),
        descriptors: 64,
        env,
      },
      work,
    );
  const own = (event) => JSON.stringify({ own: 'answer', event });

  describe(pair.name, { concurrency: 4 }, () => {
    // For a stream the clients open a connection each time, which they do not survive themselves.
    test('all file descriptors in use', async () => {
      await behind('handler', async (run) => {
        assert.equal((await run.invoke({ connects: true })).text, own({ connects: true }));
        assert.equal((await run.invoke({ descriptors: true })).text, own({ descriptors: true }));
        const answer = await run.invoke({ fire: true });
        assert.equal(answer.text, own({ fire: true }));
        assert.ok(answer.at - answer.handed >= 10, 'both delays hold');
        const { __type: error } = JSON.parse((await run.invoke({ calls: true })).text);
        assert.equal(error, 'ThrottlingException');
      });
    });

    for (const left of [2048, 512, 256, 128, 64, 0]) {
      test(`${left} KiB of the heap left`, async () => {
        const faults = [
          { id: 'slow', kind: 'latency', delay_ms: 5 },
          { id: 'late', kind: 'latency', delay_ms: 5, when: 'after' },
          { id: 'swap', kind: 'corrupt', body: 'other' },
          { id: 'boom', kind: 'error', type: 'TypeError', message: 'boom' },
          { id: 'busy', kind: 'response', payload: 'busy' },
        ].map((fault) => ({ ...fault, rate: 1, match: { event: { fire: [fault.id] } } }));
        const args = ['--max-old-space-size=32', '--max-semi-space-size=1'];
        await within({ ...pair, code: 'hostile', handler: 'index.handler', args, plan: plan(...faults) }, async (run) => {
          let { kind } = await run.invoke({ memory: left });
          for (const { id, payload, body } of faults) {
            if (kind === 'crash') break;
            const answer = await run.invoke({ fire: id });
            ({ kind } = answer);
            // What is not the function's own answer is the fault's, or the end of the process that a full heap is.
            const allowed = [own({ fire: id }), JSON.stringify(payload ?? body)];
            if (kind === 'response') assert.ok(allowed.includes(answer.text), answer.text);
            if (kind === 'error') assert.deepEqual([id, JSON.parse(answer.text).errorMessage], ['boom', 'boom']);
          }
          await run.close();
          if (kind === 'crash') assert.match(run.errors(), /heap out of memory/);
          const told = run.records().filter((record) => record.reason === 'internal_error');
          assert.ok(told.length <= 1, run.log());
        });
      });
    }

    for (const handler of ['handler', 'stream']) {
      test(`${handler}: any built-in replaced`, async () => {
        await behind(handler, async (run) => {
          const failed = [];
          for (const replace of REPLACED) {
            await run.invoke({ replace });
            const answer = await run.invoke({ fire: true });
            if (answer.text !== own({ fire: true }) || Object.keys(answer.trailers).length > 0) failed.push(replace);
          }
          await run.close();
          assert.deepEqual(failed, []);
          const told = run.records().filter((record) => record.reason === 'internal_error');
          assert.ok(told.length <= 1 && told.every((record) => record.message.endsWith('was replaced')), run.log());
          // Most are taken at load, so that the faults happen all the same.
          const slow = run.records().filter((record) => record.fault === 'slow' && record.action === 'injected');
          assert.ok(slow.length >= REPLACED.length - 2, `${slow.length} delays`);
        });
      });
    }
  });
}
