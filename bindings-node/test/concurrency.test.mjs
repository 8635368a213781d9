// Concurrent invocations in one process, in the client's own multi-concurrency mode with its worker threads, do not mix up.

import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { PAIRS, dealer, within } from './support/client.mjs';
import { plan } from './support/plans.mjs';

const COUNT = 120;
const MIXED = plan(
  { id: 'slow', kind: 'latency', rate: 0.3, delay_ms: { uniform: { min: 1, max: 20 } } },
  { id: 'boom', kind: 'error', rate: 0.3, type: 'ThrottlingException', message: 'no' },
  { id: 'busy', kind: 'response', rate: 0.2, payload: { busy: true } },
  { id: 'late', kind: 'error', rate: 0.2, type: 'Late', message: 'late', when: 'after' },
);
const LIMITED = plan({ id: 'few', kind: 'error', rate: 1, type: 'Few', message: 'few', limit: 10 });

const AT_ONCE = PAIRS.filter((one) => one.client === 4);
const deal = dealer([AT_ONCE]);
for (const pair of AT_ONCE) {
  const test = deal(pair);
  const behind = (handler, use, work) =>
    within(
      {
        ...pair,
        code: 'concurrent',
        handler: `index.${handler}`,
        plan: use,
        env: { AWS_LAMBDA_MAX_CONCURRENCY: '8', AWS_LAMBDA_NODEJS_WORKER_COUNT: '3' },
      },
      work,
    );

  describe(pair.name, { concurrency: 2 }, () => {
    test('every invocation meets its own faults, over worker threads', async () => {
      await behind('handler', MIXED, async (run) => {
        await run.api.waiting(3);
        const calls = Array.from({ length: COUNT }, (_, n) => ({ n, id: `request-${n}` }));
        const answers = await Promise.all(calls.map(({ n, id }) => run.invoke({ n, wait: n % 7 }, { id })));
        await run.close();
        const drawn = new Map(calls.map(({ id }) => [id, []]));
        for (const record of run.records()) drawn.get(record.requestId).push(`${record.fault} ${record.action}`);
        const threads = new Set();
        for (const { n, id } of calls) {
          const answer = JSON.parse(answers[n].text);
          const injected = drawn.get(id);
          if (injected.includes('boom injected')) assert.equal(answer.errorType, 'ThrottlingException');
          else if (injected.includes('busy injected')) assert.deepEqual(answer, { busy: true });
          else if (injected.includes('late injected')) assert.equal(answer.errorType, 'Late');
          else {
            assert.deepEqual([answer.id, answer.event], [id, n]);
            threads.add(answer.thread);
          }
        }
        assert.ok(run.records().length > COUNT / 4);
        assert.ok(threads.size > 1, 'more than one thread served');
        assert.ok(
          new Set(
            run
              .records()
              .filter((record) => record.coldStart)
              .map((record) => record.requestId),
          ).size <= 1,
        );
      });
    });

    test("limits and counts are the environment's, not a thread's", async () => {
      await behind('handler', LIMITED, async (run) => {
        const answers = await Promise.all(Array.from({ length: 60 }, (_, n) => run.invoke({ n, wait: 2 })));
        assert.equal(answers.filter((answer) => answer.kind === 'error').length, 10);
      });
    });

    test('streams of several invocations at once stay apart', async () => {
      const stall = plan({ id: 'stall', kind: 'latency', rate: 0.5, when: 'during', after_bytes: 5, delay_ms: 15 });
      await behind('stream', stall, async (run) => {
        const calls = Array.from({ length: 40 }, (_, n) => ({ n, id: `request-${n}` }));
        const answers = await Promise.all(calls.map(({ n, id }) => run.invoke({ n, wait: 8 }, { id })));
        for (const { n, id } of calls) assert.equal(answers[n].text, `id ${id} event ${n}`);
      });
    });

    const throttle = (rate) =>
      plan({ id: 'throttle', kind: 'aws_call', rate, target: { service: ['sqs'] }, error: 'ThrottlingException' });

    test('a call to AWS is that of the invocation that makes it', async () => {
      await behind('calls', throttle(0.5), async (run) => {
        const calls = Array.from({ length: COUNT }, (_, n) => ({ n, id: `request-${n}` }));
        const answers = await Promise.all(calls.map(({ n, id }) => run.invoke({ wait: n % 7 }, { id })));
        await run.close();
        const injected = new Set(run.records().map((record) => record.requestId));
        for (const { n, id } of calls) assert.equal(answers[n].text, injected.has(id) ? '400' : '"ECONNREFUSED"');
        assert.ok(injected.size > COUNT / 4 && injected.size < (COUNT * 3) / 4);
      });
    });

    test('a call that belongs to none that is known is not hit, and one record says so', async () => {
      await behind('queued', throttle(1), async (run) => {
        const answers = await Promise.all(Array.from({ length: 30 }, (_, n) => run.invoke({ n })));
        assert.ok(answers.every((answer) => answer.text === '"ECONNREFUSED"'));
        await run.close();
        const own = run.records().filter((record) => record.reason !== 'no_call');
        assert.deepEqual(
          own.map((record) => record.reason),
          ['unattributed_call'],
        );
      });
    });

    test('an exit in a worker thread ends the environment', async () => {
      await behind('handler', plan({ id: 'it', kind: 'exit', rate: 1, code: 9 }), async (run) => {
        await run.invoke({ n: 1, wait: 0 });
        assert.equal((await run.exited).status, 9);
      });
    });
  });
}
