// What stacks show: of ours at most one frame in the function's own errors, whatever is drawn; none in injected ones, which
// show where the function was called.

import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { PAIRS, dealer, within } from './support/client.mjs';
import { always } from './support/plans.mjs';

const isOurs = (line) => line.includes('faultlayer/node/');
const isClients = (line) => line.includes('aws-lambda-ric');
const error = { kind: 'error', type: 'ConnectionError', message: 'reset by peer' };
const DRAWN = {
  'a dry run': { ...always(error), dry_run: true },
  'a delay before': always({ kind: 'latency', delay_ms: 5 }),
  'a delay after': always({ kind: 'latency', delay_ms: 5, when: 'after' }),
  'a delay during': always({ kind: 'latency', delay_ms: 5, when: 'during', after_bytes: 4 }),
};

const deal = dealer();
for (const pair of PAIRS) {
  const test = deal(pair);
  const shapes = ['rejects', 'throws', 'streamRejects', ...(pair.client === 3 ? ['callbackThrows', 'fail'] : [])];
  const trace = (shape, plan) =>
    within({ ...pair, code: 'shapes', handler: `index.${shape}`, plan }, async (run) => {
      const answer = await run.invoke({ name: 'Ada' });
      const body = answer.trailers?.['lambda-runtime-function-error-body'];
      return JSON.parse(body ? Buffer.from(body, 'base64') : answer.text).trace;
    });
  // By place: the engine names a function by where its caller keeps it (`[as handler]`).
  const own = (lines) =>
    lines.filter((line) => line.includes('/fixtures/')).map((line) => /\/fixtures\/[^)]*/.exec(line)[0]);

  describe(pair.name, { concurrency: 4 }, () => {
    for (const shape of shapes) {
      test(`${shape}: the function's own errors`, async () => {
        const bare = await trace(shape);
        for (const [what, plan] of Object.entries(DRAWN)) {
          const seen = await trace(shape, plan);
          assert.ok(seen.filter(isOurs).length <= 1, `${what}: ${seen.join('\n')}`);
          assert.deepEqual([seen[0], own(seen)], [bare[0], own(bare)], what);
        }
      });

      test(`${shape}: injected errors`, async () => {
        for (const when of ['before', ...(shape === 'streamRejects' ? ['during'] : [])]) {
          for (const more of [{}, { type: 'TypeError' }]) {
            const border = when === 'during' ? { after_bytes: 4 } : {};
            const seen = await trace(shape, always({ ...error, ...more, when, ...border }));
            assert.equal(seen[0], `${more.type ?? 'ConnectionError'}: reset by peer`);
            assert.deepEqual(seen.filter(isOurs), []);
            assert.ok(seen.some(isClients), seen.join('\n'));
          }
        }
      });
    }
  });
}
