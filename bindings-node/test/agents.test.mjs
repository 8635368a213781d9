// Agents that Node preloads see the function's own handler from their first line on, and make what they make without us.
// Those are OpenTelemetry's instrumentation, as it is, and some that say what they see. NODE_OPTIONS is what attaching makes
// of it (tests/vectors/attach.json), with this layer's folder for /opt.

import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { LAYER, PAIRS, dealer, generations, within } from './support/client.mjs';
import { always, IDLE } from './support/plans.mjs';

const around = (own) => `--require=${LAYER}/first.cjs ${own} --import=${LAYER}/last.mjs`;
const LATENCY = always({ kind: 'latency', delay_ms: 1 });

/** The lines about spans, or about what was seen, of so many calls, and their answers. */
async function said(pair, options) {
  return within({ ...pair, managed: true, code: 'agents', handler: 'index.handler', ...options }, async (run) => {
    const answers = [];
    for (let calls = 0; calls < 2; calls += 1) answers.push((await run.invoke({})).text);
    await run.close();
    const lines = (mark) =>
      run
        .log()
        .split('\n')
        .filter((line) => line.startsWith(mark));
    return { answers, spans: lines('SPAN'), seen: lines('SEES'), records: run.records() };
  });
}

const UNDER = [
  ['without a plan', { layer: true }],
  ['disabled', { plan: LATENCY, env: { FAULTLAYER_DISABLED: '1' } }],
  ['where nothing is drawn', { plan: IDLE }],
  ['with a fault', { plan: LATENCY }],
];
const FORMS = ['--require ./otel.cjs', '-r ./otel.cjs', '--import ./otel.mjs'];

// Those of the managed runtimes: under others OpenTelemetry's instrumentation fails of itself.
const MANAGED = PAIRS.filter(({ node, client }) => client === (node < 24 ? 3 : 4));
const deal = dealer(generations(MANAGED));
for (const pair of MANAGED) {
  const test = deal(pair);
  describe(pair.name, { concurrency: 2 }, () => {
    for (const form of FORMS) {
      test(`${form}: OpenTelemetry's spans are those without us`, async () => {
        const healthy = await said(pair, { env: { NODE_OPTIONS: form } });
        for (const [name, { env, ...options }] of UNDER) {
          const behind = await said(pair, { ...options, env: { NODE_OPTIONS: around(form), ...env } });
          assert.deepEqual([behind.answers, behind.spans], [healthy.answers, healthy.spans], name);
        }
        // Where the client of the fourth generation imports a handler, hooks on `require` see nothing, with us or without.
        if (pair.client === 3 || form.startsWith('--import')) {
          assert.deepEqual(healthy.spans, ['SPAN test 0', 'SPAN test 0']);
        }
      });
    }

    test('every way to preload shows the own handler', async () => {
      const own = '-r ./sees.cjs --require="./sees.cjs" --import=./sees.mjs --loader ./loader.mjs';
      const healthy = await said(pair, { env: { NODE_OPTIONS: own } });
      const behind = await said(pair, { plan: IDLE, env: { NODE_OPTIONS: around(own) } });
      assert.deepEqual([behind.answers, behind.seen], [healthy.answers, healthy.seen]);
      assert.ok(healthy.seen.length >= 3);
    });

    test('so does what a script adds behind', async () => {
      const wrapper = 'wrapper';
      const healthy = await said(pair, { wrapper });
      const behind = await said(pair, { wrapper, plan: LATENCY, env: { NODE_OPTIONS: around('') } });
      assert.deepEqual(behind.seen, ['SEES index.handler']);
      assert.deepEqual([behind.answers, behind.spans], [healthy.answers, ['SPAN test 0', 'SPAN test 0']]);
      assert.equal(behind.records.length, 2);
    });

    test('an agent that takes the place of the handler keeps it, and one record says what that means', async () => {
      const { answers, records } = await said(pair, { plan: LATENCY, env: { NODE_OPTIONS: around('-r ./takes.cjs') } });
      assert.deepEqual(answers, ['"the agent"', '"the agent"']);
      assert.deepEqual(
        records.map((record) => record.message),
        ['a preloaded agent made `agent.handler` the handler, nothing is injected'],
      );
    });

    test('one that fails, fails as without us', async () => {
      const failed = (options) =>
        within({ ...pair, managed: true, code: 'agents', handler: 'index.handler', ...options }, (run) => run.exited);
      const healthy = await failed({ env: { NODE_OPTIONS: '--import ./nowhere.mjs' } });
      const behind = await failed({ plan: LATENCY, env: { NODE_OPTIONS: `${around('')} --import ./nowhere.mjs` } });
      assert.deepEqual([behind.status, behind.log], [healthy.status, healthy.log]);
      assert.match(behind.errors, /Cannot find module .*nowhere\.mjs/);
    });
  });
}
