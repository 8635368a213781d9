// Every handler shape × {idle, latency, error, response, exit, timeout, corrupt}, on the real clients.

import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { PAIRS, dealer, within } from './support/client.mjs';
import { always, IDLE, plan } from './support/plans.mjs';

const BOTH = ['asynchronous', 'promise', 'thenable', 'text', 'nothing', 'rejects', 'throws', 'plain'];
const STREAMS = ['stream', 'streamHttp', 'streamPipeline', 'streamPipe', 'streamRejects'];
const ONLY_3 = [
  'callback',
  'callbackAtOnce',
  'callbackError',
  'callbackThrows',
  'callbackNoWait',
  'never',
  'done',
  'doneError',
  'succeed',
  'fail',
];
const EVENT = { name: 'Ada' };

const LATENCY = always({ kind: 'latency', delay_ms: 60 });
/** One fault an invocation: what it does is the same in a process of its own, and each shape takes one process. */
const IN_TURN = plan(
  ...[
    {
      kind: 'error',
      type: 'ThrottlingException',
      message: 'rate exceeded – größe',
      properties: { code: 'Throttled', $metadata: { httpStatusCode: 429 }, retryable: true },
    },
    { kind: 'response', status: 503, headers: { 'retry-after': '1' }, body: 'busy – größe' },
    { kind: 'timeout' },
    { kind: 'corrupt' },
    { kind: 'exit', code: 3 },
  ].map((fault, before) => ({
    id: fault.kind,
    rate: 1,
    match: { context: { invocation: [{ numeric: ['=', before + 1] }] } },
    ...fault,
  })),
);

/** What the caller gets: the answer's kind, bytes, content type and trailers; of an error, type, message and own frames. */
function shown(answer) {
  if (answer.kind !== 'error') {
    const { kind, text, headers, trailers } = answer;
    return {
      kind,
      text,
      type: headers?.['content-type'],
      mode: headers?.['lambda-runtime-function-response-mode'],
      trailers: trailer(trailers),
    };
  }
  const { errorType, errorMessage, trace } = JSON.parse(answer.text);
  return { kind: 'error', errorType, errorMessage, frames: ownFrames(trace) };
}

// By place: the engine names a function by where its caller keeps it (`[as handler]`).
const ownFrames = (trace) => trace?.map((line) => /[^ (]*\/fixtures\/.*:\d+:\d+/.exec(line)?.[0]).filter(Boolean);

function trailer(trailers) {
  const body = trailers?.['lambda-runtime-function-error-body'];
  if (!body) return trailers;
  const { errorType, errorMessage, trace } = JSON.parse(Buffer.from(body, 'base64'));
  return { errorType, errorMessage, frames: ownFrames(trace) };
}

/** That corrupt changed the text alone, of an answer that has one. If not, why it was skipped. */
function assertMangled(healthy, answer, streams) {
  if (healthy.kind === 'error' || healthy.text === 'null') {
    assert.deepEqual(shown(answer), healthy);
    return healthy.kind === 'error' ? 'handler_failed' : 'nothing_to_corrupt';
  }
  assert.equal(answer.kind, 'response');
  assert.notEqual(answer.text, healthy.text);
  assert.deepEqual(shown({ ...answer, text: healthy.text }), healthy);
  if (streams) return undefined;
  const [was, is] = [JSON.parse(healthy.text), JSON.parse(answer.text)];
  if (typeof was === 'object') assert.deepEqual({ ...is, body: was.body }, was);
  assert.notEqual(is.body ?? is, was.body ?? was);
  return undefined;
}

const deal = dealer();
for (const pair of PAIRS) {
  const test = deal(pair);
  const shapes = [...BOTH, ...STREAMS, ...(pair.client === 3 ? ONLY_3 : [])];
  const options = (shape, plan) => ({ ...pair, code: 'shapes', handler: `index.${shape}`, plan });
  const bare = new Map();
  const without = (shape) => {
    if (!bare.has(shape)) {
      bare.set(
        shape,
        within(options(shape), async (run) => shown(await run.invoke(EVENT, { id: 'matrix' }))),
      );
    }
    return bare.get(shape);
  };

  describe(pair.name, { concurrency: 5 }, () => {
    for (const shape of shapes) {
      const streams = STREAMS.includes(shape);
      const behind = (plan, work) => within(options(shape, plan), work);

      test(`${shape}: idle changes nothing`, async () => {
        await behind(IDLE, async (run) => {
          for (const _ of [1, 2]) assert.deepEqual(shown(await run.invoke(EVENT, { id: 'matrix' })), await without(shape));
          await run.api.waiting();
          await run.close();
          assert.deepEqual(run.records(), []);
        });
      });

      test(`${shape}: latency holds and changes nothing else`, async () => {
        await behind(LATENCY, async (run) => {
          for (const _ of [1, 2]) {
            const answer = await run.invoke(EVENT, { id: 'matrix' });
            assert.deepEqual(shown(answer), await without(shape));
            assert.ok(answer.at - answer.handed >= 60, `held ${answer.at - answer.handed} ms`);
          }
          await run.api.waiting();
          await run.close();
          assert.deepEqual(
            run.records().map((r) => [r.fault, r.action, r.coldStart]),
            [
              ['it', 'injected', true],
              ['it', 'injected', false],
            ],
          );
        });
      });

      test(`${shape}: error, response and a timeout stand instead, corrupt mangles the text, exit ends the process`, async () => {
        await behind(IN_TURN, async (run) => {
          const failed = await run.invoke(EVENT);
          const seen = streams ? trailer(failed.trailers) : JSON.parse(failed.text);
          assert.equal(seen.errorType, 'ThrottlingException');
          assert.equal(seen.errorMessage, 'rate exceeded – größe');
          if (streams) assert.equal(failed.text, '');
          await run.api.waiting();
          assert.match(run.log(), /"code":"Throttled"/);

          const answered = await run.invoke(EVENT);
          if (streams) {
            assert.equal(answered.headers['content-type'], 'application/vnd.awslambda.http-integration-response');
            const [prelude, body] = answered.text.split('\0'.repeat(8));
            assert.deepEqual(JSON.parse(prelude), { statusCode: 503, headers: { 'retry-after': '1' } });
            assert.equal(body, 'busy – größe');
          } else {
            assert.equal(answered.text, '{"statusCode":503,"headers":{"retry-after":"1"},"body":"busy – größe"}');
          }

          const deadline = Date.now() + 200;
          const late = await run.invoke(EVENT, { deadline });
          assert.ok(Date.now() >= deadline + 1000);
          const told = streams ? trailer(late.trailers) : JSON.parse(late.text);
          assert.equal(told.errorType, 'FaultInjected');
          assert.match(told.errorMessage, /^Task timed out after [01]\.00 seconds$/);

          const [healthy, corrupted] = [await without(shape), await run.invoke(EVENT, { id: 'matrix' })];
          const reason = assertMangled(healthy, corrupted, streams);

          const ended = await run.invoke(EVENT);
          assert.equal((await run.exited).status, 3);
          assert.equal(ended.kind === 'crash' || ended.cut, true);
          const injected = [...['error', 'response', 'timeout'], ...(reason ? [] : ['corrupt']), 'exit'];
          const all = run.records();
          assert.deepEqual(
            all.filter(({ action }) => action === 'injected').map((record) => record.fault),
            injected,
          );
          const skipped = all.filter(({ action }) => action !== 'injected');
          assert.deepEqual(
            skipped.map((record) => [record.fault, record.action, record.reason]),
            reason ? [['corrupt', 'skipped', reason]] : [],
          );
        });
      });
    }

    if (pair.client === 4) {
      test('a callback handler is refused with and without the layer alike', async () => {
        const init = (plan) => within(options('callback', plan), async (run) => (await run.failedInit()).posted);
        const [with_, without_] = [await init(IDLE), await init(undefined)];
        assert.equal(without_.errorType, 'Runtime.CallbackHandlerDeprecated');
        assert.deepEqual([with_.errorType, with_.errorMessage], [without_.errorType, without_.errorMessage]);
      });
    }
  });
}
