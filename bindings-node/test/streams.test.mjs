// Streams stay streams under an idle layer, and faults hit them where the plan says.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe } from 'node:test';
import { PAIRS, dealer, within } from './support/client.mjs';
import { always, plan, IDLE } from './support/plans.mjs';

const WHOLE = 'chunk-0|chunk-1|chunk-2|chunk-3|chunk-4|';
const during = (kind, border, fields = {}) => always({ kind, when: 'during', ...border, ...fields });
const DRY = ['quick', 'http', 'unawaited', 'ended', 'empty', 'httpEnded', 'httpEmpty', 'httpNothing', 'encodings'];
DRY.push('writethrow', 'endthrow', 'lateEnd');
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const error = { type: 'ConnectionError', message: 'reset by peer' };

function trailer(answer) {
  const body = answer.trailers['lambda-runtime-function-error-body'];
  return body && JSON.parse(Buffer.from(body, 'base64'));
}

const deal = dealer();
for (const pair of PAIRS) {
  const test = deal(pair);
  const behind = (handler, use, work) => within({ ...pair, code: 'streams', handler: `index.${handler}`, plan: use }, work);
  /** One invocation behind the layer, and the records of it. */
  const once = (handler, use, options) =>
    behind(handler, use, async (run) => {
      const answer = await run.invoke({}, options);
      const ended = answer.kind === 'crash' || answer.cut;
      const status = ended ? (await run.exited).status : void (await run.api.waiting());
      await run.close();
      return {
        answer,
        status,
        records: run.records().map(({ fault, action, reason }) => [fault, action, reason].filter(Boolean).join(' ')),
      };
    });

  describe(pair.name, { concurrency: 4 }, () => {
    test('an idle layer changes no chunk, no timing and no trailer', { timeout: 20_000 }, async () => {
      for (const use of [undefined, IDLE]) {
        await behind('gated', use, async (run) => {
          const seen = path.join(mkdtempSync(path.join(tmpdir(), 'faultlayer-')), 'seen');
          const onChunk = (count) => writeFileSync(`${seen}-${count - 1}`, '');
          const answer = await run.invoke({ seen }, { onChunk });
          rmSync(path.dirname(seen), { recursive: true });
          assert.equal(answer.headers['lambda-runtime-function-response-mode'], 'streaming');
          assert.deepEqual(
            answer.chunks.map((chunk) => String(chunk.bytes)),
            WHOLE.match(/.{8}/g),
          );
          assert.deepEqual(answer.trailers, {});
        });
        const failed = await once('fails', use);
        assert.equal(failed.answer.text, 'chunk-0|');
        assert.equal(failed.answer.trailers['lambda-runtime-function-error-type'], 'RangeError');
        assert.equal(trailer(failed.answer).errorMessage, 'half way');
      }
    });

    test('latency before holds the first byte, the rest keeps its timing', async () => {
      const { answer } = await once('five', always({ kind: 'latency', delay_ms: 150 }));
      assert.equal(answer.text, WHOLE);
      assert.ok(answer.chunks[0].at - answer.handed >= 150);
    });

    test('an error in the middle: the bytes up to the border, then the trailers', async () => {
      for (const [bytes, text] of [
        [0, ''],
        [3, 'chu'],
        [8, 'chunk-0|'],
        [21, 'chunk-0|chunk-1|chunk'],
        [40, WHOLE],
      ]) {
        const { answer, records } = await once('five', during('error', { after_bytes: bytes }, error));
        assert.equal(answer.text, text);
        assert.equal(answer.trailers['lambda-runtime-function-error-type'], 'ConnectionError');
        assert.equal(trailer(answer).errorMessage, 'reset by peer');
        assert.deepEqual(records, ['it injected']);
      }
    });

    test('an error at a time', async () => {
      const { answer } = await once('five', during('error', { after_ms: 250 }, error));
      assert.ok(answer.text.length >= 8 && answer.text.length < 40, answer.text);
      assert.equal(trailer(answer).errorType, 'ConnectionError');
    });

    test('a border inside of one write of many, and inside of the end', async () => {
      for (const [bytes, text] of [
        [6, 'one tw'],
        [23, 'one two three four five'],
        [24, 'one two three four five!'],
      ]) {
        assert.equal((await once('quick', during('error', { after_bytes: bytes }, error))).answer.text, text);
      }
    });

    test('a stall in the middle loses and reorders nothing', async () => {
      for (const handler of ['five', 'unawaited']) {
        const { answer, records } = await once(handler, during('latency', { after_bytes: 12 }, { delay_ms: 300 }));
        assert.equal(answer.text, WHOLE);
        assert.ok(answer.at - answer.handed >= 300);
        assert.deepEqual(answer.trailers, {});
        assert.deepEqual(records, ['it injected']);
      }
    });

    test('a stall under back pressure lets the handler go on', async () => {
      const { answer } = await once('pressed', during('latency', { after_bytes: 100_000 }, { delay_ms: 100 }));
      assert.equal(answer.bytes.length, 64 * 16384);
      for (let part = 0; part < 64; part += 1) assert.equal(answer.bytes[part * 16384], 65 + (part % 26));
    });

    test('a response in the middle replaces the rest and ends cleanly', async () => {
      const { answer } = await once('http', during('response', { after_bytes: 8 }, { status: 503, body: '-- cut --' }));
      assert.match(answer.text, /^\{"statusCode":200.*\0{8}hello to-- cut --$/s);
      assert.deepEqual(answer.trailers, {});
      const { answer: payload } = await once('unawaited', during('response', { after_bytes: 9 }, { payload: { n: 1 } }));
      assert.equal(payload.text, 'chunk-0|c{"n":1}');
    });

    test('an exit in the middle: the bytes up to the border, then a crash', async () => {
      const { answer, status } = await once('five', during('exit', { after_bytes: 10 }, { code: 7 }));
      assert.equal(status, 7);
      assert.equal(answer.text, 'chunk-0|ch');
      assert.equal(answer.cut, true);
    });

    test('a timeout in the middle holds past the deadline', async () => {
      const deadline = Date.now() + 500;
      const { answer } = await once('five', during('timeout', { after_bytes: 10 }), { deadline });
      assert.ok(Date.now() >= deadline + 1000);
      assert.equal(answer.text, 'chunk-0|ch');
      assert.equal(trailer(answer).errorType, 'FaultInjected');
    });

    test('several borders, in the order in which they are reached', async () => {
      const { answer, records } = await once(
        'five',
        plan(
          { id: 'late', kind: 'error', rate: 1, when: 'during', after_bytes: 30, ...error },
          { id: 'stall', kind: 'latency', rate: 1, when: 'during', after_bytes: 10, delay_ms: 60 },
          { id: 'more', kind: 'latency', rate: 1, when: 'during', after_bytes: 12, delay_ms: 60 },
          { id: 'never', kind: 'error', rate: 1, when: 'during', after_bytes: 35, ...error },
        ),
      );
      assert.equal(answer.text, WHOLE.slice(0, 30));
      assert.deepEqual(records, ['stall injected', 'more injected', 'late injected', 'never skipped superseded']);
    });

    test('a border beyond the end is skipped', async () => {
      const { answer, records } = await once('five', during('error', { after_bytes: 41 }, error));
      assert.equal(answer.text, WHOLE);
      assert.deepEqual(answer.trailers, {});
      assert.deepEqual(records, ['it skipped stream_ended']);
    });

    test('a corrupted chunk: one is damaged, the others are not, and the rest flows on', async () => {
      const { answer, records } = await once('five', always({ kind: 'corrupt' }));
      assert.ok(!answer.text.startsWith('chunk-0|'));
      assert.ok(answer.text.endsWith(WHOLE.slice(8)));
      assert.deepEqual(answer.trailers, {});
      assert.deepEqual(records, ['it injected']);
      const { answer: again } = await once('http', always({ kind: 'corrupt' }));
      assert.match(again.text, /^\{"statusCode":200,"headers":\{"x-own":"yes"\}\}\0{8}.*to the caller$/s);
    });

    test('a corruption with a body of its own replaces the stream', async () => {
      const { answer, records } = await once('five', always({ kind: 'corrupt', body: 'not what you asked for' }));
      assert.equal(answer.text, 'not what you asked for');
      assert.deepEqual(answer.trailers, {});
      assert.deepEqual(records, ['it injected']);
    });

    test('an error after the stream fails the invocation, a response comes too late', async () => {
      const late = await once('five', always({ kind: 'response', when: 'after' }));
      assert.deepEqual(late.records, ['it skipped already_streamed']);
      assert.equal(late.answer.text, WHOLE);
      const failed = await once('fails', always({ kind: 'error', when: 'after', ...error }));
      assert.deepEqual(failed.records, ['it skipped handler_failed']);
      assert.equal(trailer(failed.answer).errorType, 'RangeError');
    });

    test('a dry run changes not one byte, border, header or prelude', async () => {
      const dry = { ...plan(), dry_run: true };
      const border = (id, kind, after_bytes, fields) => ({ id, kind, rate: 1, when: 'during', after_bytes, ...fields });
      dry.faults = [
        border('at-once', 'latency', 0, { delay_ms: 40 }),
        border('inside', 'latency', 2, { delay_ms: 40 }),
        border('further', 'error', 7, error),
        border('end', 'exit', 12),
        { id: 'soon', kind: 'latency', rate: 1, when: 'during', after_ms: 1, delay_ms: 40 },
        { id: 'damage', kind: 'corrupt', rate: 1 },
        { id: 'late', kind: 'latency', rate: 1, when: 'after', delay_ms: 40 },
        { id: 'fails', kind: 'error', rate: 1, when: 'after', ...error },
      ];
      const seen = async (handler, use) => {
        const { answer } = await once(handler, use);
        const { host: _, ...headers } = answer.headers;
        const chunks = answer.chunks.map((chunk) => String(chunk.bytes));
        const failed = trailer(answer);
        return { headers, chunks, cut: answer.cut, failed: failed && [failed.errorType, failed.errorMessage] };
      };
      for (const handler of DRY) assert.deepEqual(await seen(handler, dry), await seen(handler), handler);
    });

    test('what the handler wrote goes out though it fails while that waits', async () => {
      for (const [handler, text] of [
        ['writethrow', 'partial text'],
        ['endthrow', 'whole answer'],
      ]) {
        const bare = await once(handler);
        assert.equal(bare.answer.text, text);
        const stall = during('latency', { after_bytes: 2 }, { delay_ms: 60 });
        const { answer, records } = await once(handler, stall);
        assert.equal(answer.text, text);
        assert.deepEqual(records, ['it injected']);
        assert.deepEqual(trailer(answer)?.errorType, trailer(bare.answer)?.errorType);
        assert.ok(answer.at - answer.handed >= 60);
      }
    });

    test('an error that waits behind a stall stands, though the handler has failed', async () => {
      const stall = { id: 'stall', kind: 'latency', rate: 1, when: 'during', after_bytes: 2, delay_ms: 60 };
      const cut = { id: 'cut', kind: 'error', rate: 1, when: 'during', after_bytes: 9, ...error };
      const { answer, records } = await once('writethrow', plan(stall, cut));
      assert.equal(answer.text, 'partial t');
      assert.equal(trailer(answer).errorType, 'ConnectionError');
      assert.deepEqual(records, ['stall injected', 'cut injected']);
    });

    test('after: all was written, and the end is held back until the phase is over', async () => {
      const beside = { id: 'far', kind: 'latency', rate: 1, when: 'during', after_bytes: 1000, delay_ms: 1 };
      const after = (kind, fields) => ({ id: 'it', kind, rate: 1, when: 'after', ...fields });
      for (const more of [[], [beside]]) {
        for (const [handler, text] of [
          ['lateEnd', 'late end'],
          ['five', WHOLE],
          ['ended', 'whole answer'],
          ['empty', ''],
        ]) {
          const late = await once(handler, plan(after('latency', { delay_ms: 150 }), ...more));
          assert.equal(late.answer.text, text);
          assert.deepEqual(late.answer.trailers, {});
          const last = late.answer.chunks.at(-1);
          if (last) assert.ok(late.answer.at - last.at >= 50, `the end came ${late.answer.at - last.at} ms later`);
          const failed = await once(handler, plan(after('error', error), ...more));
          assert.equal(failed.answer.text, text);
          assert.equal(trailer(failed.answer).errorType, 'ConnectionError');
          assert.equal(failed.records[0], 'it injected');
        }
        const ended = await once('lateEnd', plan(after('exit', { code: 5 }), ...more));
        assert.equal(ended.status, 5);
        assert.equal(ended.answer.text, 'late end');
        assert.equal(ended.answer.cut, true);
      }
    });

    test("a border inside of an `end` brings no prelude that the handler's own end has not", async () => {
      const bare = await once('httpEnded');
      const { answer } = await once('httpEnded', during('latency', { after_bytes: 5 }, { delay_ms: 20 }));
      assert.equal(answer.text, bare.answer.text);
      assert.equal(answer.headers['content-type'], bare.answer.headers['content-type']);
    });

    test('a stream that its handler destroys ends as without a plan', { timeout: 20_000 }, async () => {
      const seen = (use) =>
        behind('destroyed', use, async (run) => {
          const told = [];
          // The client fails or ends; it does not wait for an end that never comes.
          for (const _ of [1, 2]) {
            const answer = await Promise.race([run.invoke({}), run.exited, pause(1500)]);
            told.push(answer !== undefined);
          }
          return told;
        });
      const far = during('latency', { after_bytes: 100 }, { delay_ms: 1 });
      const [bare, behindPlan] = await Promise.all([seen(), seen(far)]);
      assert.deepEqual(behindPlan, bare);
    });

    test('the environment serves on after a stream that was cut', async () => {
      await behind('five', during('error', { after_bytes: 3 }, error), async (run) => {
        for (const _ of [1, 2, 3]) {
          const answer = await run.invoke({});
          assert.equal(answer.text, 'chu');
          assert.equal(trailer(answer).errorType, 'ConnectionError');
        }
      });
    });
  });
}
