// The bench reaches into this package: what it asks for is there.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { LAYER } from './support/client.mjs';

const KINDS = { 'calls.cjs': 'none drawn of 7', 'aws.cjs': 'in one that is, to another service' };

for (const [program, kind] of Object.entries(KINDS)) {
  test(program, () => {
    const file = fileURLToPath(new URL(`../../bench/node/${program}`, import.meta.url));
    const asked = JSON.stringify({ layer: LAYER, peers: '', rounds: 1 });
    const rounds = JSON.parse(execFileSync(process.execPath, [file, asked], { encoding: 'utf8' }));
    for (const each of ['bare', kind]) assert.ok(rounds[each].length === 1 && Number.isFinite(rounds[each][0]), each);
  });
}
