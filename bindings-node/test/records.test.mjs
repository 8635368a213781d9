// What Faultlayer says of itself while the layer starts, with the engine and without: in the log as it was, on a line of its
// own, in plain characters, and never in the function's way.

import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe } from 'node:test';
import { LAYER, PAIRS, dealer, within } from './support/client.mjs';
import { always } from './support/plans.mjs';

const folder = mkdtempSync(path.join(tmpdir(), 'faultlayer-records-'));
after(() => rmSync(folder, { recursive: true, force: true }));
// Its name is in what cannot be loaded, and so in the record.
const WITHOUT = path.join(folder, 'with\u009b\u2028out/faultlayer/node');
cpSync(LAYER, WITHOUT, { recursive: true });
rmSync(path.join(WITHOUT, 'faultlayer.node'));
const PLAN = always({ kind: 'response', payload: 'fault' });
let files = 0;
const file = () => path.join(folder, `file-${(files += 1)}`);

const deal = dealer();
for (const pair of PAIRS) {
  const test = deal(pair);
  const run = (options, work) => within({ ...pair, code: 'untouched', plan: PLAN, ...options }, work);

  describe(pair.name, { concurrency: 3 }, () => {
    for (const [name, handler, at, says] of [
      ['with the engine', 'handler', LAYER, 'nobody looks'],
      ['without the engine', 'plain', WITHOUT, 'faultlayer.node'],
    ]) {
      test(`${name}, a function that makes descriptor 1 its own keeps it, and the log gets the record`, async () => {
        const own = file();
        await run({ handler: `closes.${handler}`, at, env: { OWN_FILE: own } }, async (one) => {
          assert.equal((await one.invoke({})).text, '"answer"');
          await one.close();
          const lines = one.log().split('\n');
          const told = lines.filter((line) => line.startsWith('{"timestamp"'));
          assert.equal(told.length, 1, one.log());
          const record = JSON.parse(told[0]);
          assert.equal(record.reason, 'internal_error');
          assert.ok(record.message.includes(says), told[0]);
          assert.match(told[0], /\\u2028.*\\u009b|\\u009b.*\\u2028/);
          assert.ok(lines.includes('no newline'), one.log());
          // What the client logs after that goes where the function sent it.
          assert.ok(!readFileSync(own, 'utf8').includes('faultlayer'));
        });
      });
    }

    for (const [name, at] of [
      ['with the engine', LAYER],
      ['without the engine', WITHOUT],
    ]) {
      test(`${name}, a log that has no room holds nothing up`, async () => {
        const env = { LOG_PIPE: file() };
        await run({ handler: 'index.event', at, wrapper: 'full', env }, async (one) => {
          const { text } = await one.invoke({ n: 1 });
          assert.equal(text, at === LAYER ? '"fault"' : '{"n":1}');
        });
      });
    }
  });
}
