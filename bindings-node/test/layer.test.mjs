// The layer fails open: whatever is wrong with the plan or with itself, the function runs untouched and one record says why.

import assert from 'node:assert/strict';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import { LACKING, LAYER, PAIRS, dealer, within } from './support/client.mjs';
import { always, plan, IDLE } from './support/plans.mjs';

const folder = mkdtempSync(path.join(tmpdir(), 'faultlayer-layer-'));
after(() => rmSync(folder, { recursive: true, force: true }));
writeFileSync(path.join(folder, 'plan.json'), JSON.stringify(always({ kind: 'response', payload: 'from a file' })));
// A layer whose addon is not there, and one whose addon is no library.
const broken = (name, content) => {
  const at = path.join(folder, name, 'faultlayer/node');
  mkdirSync(at, { recursive: true });
  cpSync(LAYER, at, { recursive: true });
  rmSync(path.join(at, 'faultlayer.node'));
  if (content !== undefined) writeFileSync(path.join(at, 'faultlayer.node'), content);
  return at;
};
const withoutAddon = broken('without');
const wrongAddon = broken('wrong', 'not a library');

const BOOM = { kind: 'error', type: 'Error', message: 'boom' };
const boom = always(BOOM);
const CASES = [
  ['no plan', { layer: true }, 'INFO', 'plan_missing'],
  ['garbage', { plan: '{"version": 1, "faults": oops' }, 'ERROR', 'plan_invalid'],
  [
    'a plan of another shape',
    { plan: { ...boom, faults: [{ id: 'x', kind: 'lateness', rate: 7 }] } },
    'ERROR',
    'plan_invalid',
  ],
  ['a plan without an end', { plan: { ...boom, expires_at: undefined } }, 'ERROR', 'plan_without_expiry'],
  ['a plan that is over', { plan: { ...boom, expires_at: '2020-01-01T00:00:00Z' } }, 'INFO', 'plan_expired'],
  ['a source that is not known', { plan: 'ssm:/my/plan' }, 'ERROR', 'plan_source_unknown'],
  ['the kill switch', { plan: boom, env: { FAULTLAYER_DISABLED: '1' } }, 'INFO', 'disabled'],
  ['an addon that is not there', { plan: boom, at: withoutAddon }, 'ERROR', 'internal_error'],
  ['an addon that is no library', { plan: boom, at: wrongAddon }, 'ERROR', 'internal_error'],
];

for (const pair of LACKING) {
  test(pair.name, { skip: 'aws-lambda-ric cannot be built here: `make tools-node` says what is missing' }, () => {});
}

const deal = dealer();
for (const pair of PAIRS) {
  const test = deal(pair);
  const run = (handler, options, work) =>
    within({ ...pair, code: 'untouched', handler: `index.${handler}`, ...options }, work);

  describe(pair.name, { concurrency: 4 }, () => {
    for (const [name, options, level, reason] of CASES) {
      test(`${name}: untouched, and one record`, async () => {
        const healthy = await run('handler', {}, async (one) => (await one.invoke({ n: 1 })).text);
        await run('handler', options, async (one) => {
          for (const _ of [1, 2]) assert.equal((await one.invoke({ n: 1 })).text, healthy);
          await one.close();
          const records = one.records();
          assert.deepEqual(
            records.map((record) => [record.level, record.reason, record.fault]),
            [[level, reason, undefined]],
          );
          assert.ok(!Number.isNaN(Date.parse(records[0].timestamp)) && records[0].message.length > 0);
        });
      });
    }

    // A fault about a host can fire.
    const skip = process.env.FAULTLAYER_TESTS_NOBODY !== undefined;
    test(
      'where nothing can fire the client gets the function itself, else one frame of ours at most',
      { skip },
      async () => {
        const rates = plan({ id: 'it', rate: 0, ...BOOM });
        const healthy = await run('handler', {}, async (one) => JSON.parse((await one.invoke({})).text));
        const none = await run('handler', { plan: rates }, async (one) => JSON.parse((await one.invoke({})).text));
        assert.deepEqual(none, healthy);
        const { frames, ...rest } = await run('handler', { plan: IDLE }, async (one) =>
          JSON.parse((await one.invoke({})).text),
        );
        assert.ok(frames <= 1);
        assert.deepEqual({ ...rest, frames: 0 }, healthy);
        assert.equal(healthy.handler, 'index.handler');
        assert.equal(healthy.loaded, 1);
      },
    );

    test('answers are the same byte for byte behind an idle layer', async () => {
      for (const [handler, event] of [
        ['large', { n: 1 }],
        ['event', '{"b":1,"a":[1e21,-0,"\\u00e9\\ud83e\\udd80",null,{}]}'],
        ['event', 'null'],
        ['event', '"text"'],
      ]) {
        const [healthy, behind] = await Promise.all(
          [undefined, IDLE].map((use) => run(handler, { plan: use }, async (one) => (await one.invoke(event)).bytes)),
        );
        assert.ok(behind.equals(healthy));
      }
    });

    test('a plan in a file, the kill switch off, patterns on event and context', async () => {
      const answer = (options, event, call) => run('event', options, async (one) => (await one.invoke(event, call)).text);
      assert.equal(
        await answer({ plan: `file:${folder}/plan.json`, env: { FAULTLAYER_DISABLED: '0' } }, {}),
        '"from a file"',
      );
      const hit = (match) => always({ kind: 'response', payload: 'hit', match });
      const events = { plan: hit({ event: { detail: { state: ['paid'] }, items: { sku: [{ prefix: 'b' }] } } }) };
      assert.equal(await answer(events, { detail: { state: 'paid' }, items: [{ sku: 'a1' }, { sku: 'b2' }] }), '"hit"');
      assert.equal(
        await answer(events, { detail: { state: 'paid' }, items: [{ sku: 'a1' }] }),
        '{"detail":{"state":"paid"},"items":[{"sku":"a1"}]}',
      );
      const context = {
        plan: hit({
          context: {
            alias: ['live'],
            runtime: [`nodejs${pair.node}.x`],
            memory_mb: [256],
            client_context: { custom: { who: ['me'] } },
          },
        }),
      };
      const arn = 'arn:aws:lambda:us-east-1:000000000000:function:test';
      const clientContext = '{"custom":{"who":"me"}}';
      assert.equal(await answer(context, {}, { arn: `${arn}:live`, clientContext }), '"hit"');
      assert.equal(await answer(context, {}, { arn: `${arn}:other`, clientContext }), '{}');
      assert.equal(await answer(context, {}, { arn: `${arn}:live`, clientContext: '{"custom":{"who":"you"}}' }), '{}');
    });

    test('by attempt, the exact deadline tells retries apart; by request, they meet the same fate', async () => {
      const half = (sample_by) => plan({ id: 'it', rate: 0.5, kind: 'response', payload: 'hit', sample_by });
      const fates = (use) =>
        run('event', { plan: use }, async (one) => {
          const fates = [];
          for (let n = 0; n < 30; n += 1) {
            fates.push((await one.invoke({}, { id: 'the-same', deadline: 4_102_444_800_000 + n * 997 })).text);
          }
          await one.close();
          return { fates, samples: one.records().map((record) => record.sample) };
        });
      const request = await fates(half('request'));
      assert.equal(new Set(request.fates).size, 1);
      const attempt = await fates(half('attempt'));
      assert.equal(new Set(attempt.fates).size, 2);
      assert.deepEqual(await fates(half('attempt')), attempt);
    });
  });
}
