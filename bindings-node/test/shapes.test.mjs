// Every handler shape × {idle, latency, error, response, exit, timeout, corrupt}, on the real clients.

import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { PAIRS, dealer, within } from './support/client.mjs';
import { IDLE, plan } from './support/plans.mjs';

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

const FAULTS = [
  { kind: 'latency', delay_ms: 60 },
  {
    kind: 'error',
    type: 'ThrottlingException',
    message: 'rate exceeded – größe',
    properties: { code: 'Throttled', $metadata: { httpStatusCode: 429 }, retryable: true },
  },
  { kind: 'response', status: 503, headers: { 'retry-after': '1' }, body: 'busy – größe' },
  { kind: 'timeout' },
  { kind: 'corrupt' },
];

/** One fault an invocation, so that each shape takes one process; another one comes first for the next shape, exit last. */
function inTurn(number) {
  const first = number % FAULTS.length;
  return [...FAULTS.slice(first), ...FAULTS.slice(0, first), { kind: 'exit', code: 3 }].map((fault, before) => ({
    id: fault.kind,
    rate: 1,
    match: { context: { invocation: [{ numeric: ['=', before + 1] }] } },
    ...fault,
  }));
}

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

/** What each kind does to an invocation of a function that answers `healthy` without it; gives why it was skipped, if it was. */
const assertMet = {
  async latency(run, streams, healthy) {
    const answer = await run.invoke(EVENT, { id: 'matrix' });
    assert.deepEqual(shown(answer), healthy);
    assert.ok(answer.at - answer.handed >= 60, `held ${answer.at - answer.handed} ms`);
  },

  async error(run, streams) {
    const answer = await run.invoke(EVENT);
    const seen = streams ? trailer(answer.trailers) : JSON.parse(answer.text);
    assert.equal(seen.errorType, 'ThrottlingException');
    assert.equal(seen.errorMessage, 'rate exceeded – größe');
    if (streams) assert.equal(answer.text, '');
    await run.api.waiting();
    assert.match(run.log(), /"code":"Throttled"/);
  },

  async response(run, streams) {
    const answer = await run.invoke(EVENT);
    if (!streams) {
      assert.equal(answer.text, '{"statusCode":503,"headers":{"retry-after":"1"},"body":"busy – größe"}');
      return;
    }
    assert.equal(answer.headers['content-type'], 'application/vnd.awslambda.http-integration-response');
    const [prelude, body] = answer.text.split('\0'.repeat(8));
    assert.deepEqual(JSON.parse(prelude), { statusCode: 503, headers: { 'retry-after': '1' } });
    assert.equal(body, 'busy – größe');
  },

  async timeout(run, streams) {
    const deadline = Date.now() + 200;
    const answer = await run.invoke(EVENT, { deadline });
    assert.ok(Date.now() >= deadline + 1000);
    const seen = streams ? trailer(answer.trailers) : JSON.parse(answer.text);
    assert.equal(seen.errorType, 'FaultInjected');
    assert.match(seen.errorMessage, /^Task timed out after [01]\.00 seconds$/);
  },

  /** It changes the text alone, of an answer that has one. */
  async corrupt(run, streams, healthy) {
    const answer = await run.invoke(EVENT, { id: 'matrix' });
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
  },

  async exit(run) {
    const answer = await run.invoke(EVENT);
    assert.equal((await run.exited).status, 3);
    assert.equal(answer.kind === 'crash' || answer.cut, true);
  },
};

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

      test(`${shape}: latency only holds, error, response and a timeout stand instead, corrupt mangles the text, exit ends the process`, async () => {
        const faults = inTurn(shapes.indexOf(shape));
        const healthy = await without(shape);
        await behind(plan(...faults), async (run) => {
          const expected = [];
          for (const { kind } of faults) {
            const reason = await assertMet[kind](run, streams, healthy);
            expected.push([kind, reason ? 'skipped' : 'injected', reason, expected.length === 0]);
          }
          const told = run.records().map(({ fault, action, reason, coldStart }) => [fault, action, reason, coldStart]);
          assert.deepEqual(told, expected);
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
