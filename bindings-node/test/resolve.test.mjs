// The layer finds the function's handler as the real client would have, and fails at init as the client would have.

import assert from 'node:assert/strict';
import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe } from 'node:test';
import { buildSync } from 'esbuild';
import { FIXTURES, LAYER, PAIRS, dealer, environment, within } from './support/client.mjs';

const code = path.resolve(FIXTURES, '../../build/fixtures/resolve');
rmSync(code, { recursive: true, force: true });
cpSync(path.join(FIXTURES, 'resolve'), code, { recursive: true });
mkdirSync(path.join(code, 'node_modules/pkg'), { recursive: true });
cpSync(path.join(code, 'index.js'), path.join(code, 'node_modules/pkg/index.js'));
writeFileSync(path.join(code, 'node_modules/pkg/package.json'), '{"name":"pkg","main":"index.js"}');
for (const [format, extension] of [
  ['cjs', 'js'],
  ['esm', 'mjs'],
]) {
  buildSync({
    entryPoints: [path.join(code, 'typed/source.ts')],
    outfile: path.join(code, `typed/${format}.${extension}`),
    bundle: true,
    platform: 'node',
    format,
    minify: true,
    logLevel: 'error',
  });
}

const FOUND = [
  'index.handler',
  'index.api.v1.handler',
  'dir/deep/sub.handler',
  './dir/deep/sub.api.v1.handler',
  `${code}/index.handler`,
  'common.handler',
  'top.handler',
  'top.api.v1.handler',
  'esm/index.handler',
  'esm/plain/old.handler',
  'pkg.handler',
  'typed/cjs.handler',
  'typed/esm.handler',
];
const FAILED = [
  'index',
  'index.nothing',
  'index.absent',
  'index.number',
  'index.api.v2.handler',
  'dotted.name.handler',
  'nowhere.handler',
  '../index.handler',
  'syntax.handler',
  'syntax-esm.handler',
  'missing.handler',
  'missing-esm.handler',
  'throws.handler',
  'throws-esm.handler',
  'throws-string.handler',
  'looks-esm.handler',
  'dir/deep/none.handler',
];
// What one generation of the client finds and the other does not: the same with the layer, whatever it is.
const EITHER = ['broken-json/index.handler', 'folder.handler', 'esm/index.onDefault', 'pkg.api.v1.handler'];

/** What a caller, or whoever reads the init error, sees. */
async function seen(pair, handler, layer) {
  const run = await environment({ ...pair, code, handler, layer });
  try {
    const first = await Promise.race([run.invoke({ name: 'x' }, { id: 'same-id' }), run.exited.then(() => undefined)]);
    if (first && first.kind !== 'crash') return { kind: first.kind, text: first.text };
    const { posted, status, log } = await run.failedInit();
    // Of the client's own log line, the fields that it shows.
    const shown = /\tInit Error\t(\{.*\})/.exec(log)?.[1];
    return {
      fields: shown && Object.keys(JSON.parse(shown)).sort(),
      status,
      posted: posted && { ...posted, trace: posted.trace?.filter((line) => line.includes(code)) },
    };
  } finally {
    await run.close();
  }
}

const deal = dealer();
for (const pair of PAIRS) {
  const test = deal(pair);
  describe(pair.name, { concurrency: 2 }, () => {
    for (const handler of [...FOUND, ...EITHER, ...FAILED]) {
      test(handler, async () => {
        const [without, behind] = await Promise.all([seen(pair, handler, false), seen(pair, handler, true)]);
        assert.deepEqual(behind, without);
        if (FOUND.includes(handler)) assert.equal(behind.kind, 'response');
        if (FAILED.includes(handler)) assert.ok(behind.posted?.errorType, 'an init error was posted');
      });
    }

    test('a handler that is not named says what to set', async () => {
      await within({ ...pair, code, handler: '', layer: true }, async (run) => {
        const { posted } = await run.failedInit();
        assert.match(posted.errorMessage, /`FAULTLAYER_HANDLER` is not set/);
      });
    });

    test('the layer as its own handler says what is wrong instead of waiting for ever', async () => {
      await within({ ...pair, code, handler: `${LAYER}/handler.handler`, layer: true }, async (run) => {
        const { posted } = await run.failedInit();
        assert.match(posted.errorMessage, /is the layer itself/);
      });
    });
  });
}
