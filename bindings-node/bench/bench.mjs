// What the Node layer costs: cold start and memory with the real clients, calls in one process. Each figure is measured
// beside its baseline, interleaved; the machine's own noise is in both. Never a test.

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { nodeBinary, PAIRS, within } from '../test/support/client.mjs';
import { IDLE } from '../test/support/plans.mjs';

const ROUNDS = Number(process.env.ROUNDS ?? 15);
const median = (numbers) => numbers.toSorted((a, b) => a - b)[numbers.length >> 1];
const line = (what, value, bound) => console.log(`${what.padEnd(58)} ${value.padStart(14)}   ${bound}`);

async function start(pair, plan) {
  return within({ ...pair, code: 'shapes', handler: 'index.asynchronous', plan }, async (run) => {
    await run.invoke({ name: 'Ada' });
    const status = readFileSync(`/proc/${run.pid}/status`, 'utf8');
    return { cold: run.cold, rss: Number(/VmRSS:\s+(\d+)/.exec(status)[1]) / 1024 };
  });
}

for (const pair of PAIRS) {
  const bare = [];
  const behind = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    bare.push(await start(pair, undefined));
    behind.push(await start(pair, IDLE));
  }
  const of = (list, what) => list.map((one) => one[what]);
  const delta = (what) => median(of(behind, what)) - median(of(bare, what));
  const least = Math.min(...of(behind, 'cold')) - Math.min(...of(bare, 'cold'));
  line(
    `${pair.name}: cold start, median of ${ROUNDS} (and least)`,
    `+${delta('cold').toFixed(2)} ms`,
    `(+${least.toFixed(2)} ms) bound 2 ms`,
  );
  line(`${pair.name}: memory`, `+${delta('rss').toFixed(2)} MB`, 'bound 3 MB');
}

const calls = fileURLToPath(new URL('calls.cjs', import.meta.url));
for (const major of [20, 22, 24]) {
  const told = JSON.parse(execFileSync(nodeBinary(major), [calls], { encoding: 'utf8' }));
  line(`node ${major}: the handler alone`, `${told.alone.toFixed(1)} ns`, '');
  line(`node ${major}: an idle wrapper`, `+${(told.idle - told.alone).toFixed(1)} ns`, 'bound 60 ns');
  line(`node ${major}: an active plan that does not fire`, `+${(told.active - told.alone).toFixed(0)} ns`, 'bound 1000 ns');
  line(
    `node ${major}: one with a pattern, sampled out`,
    `+${(told.sampledOut - told.alone).toFixed(0)} ns`,
    'bound 1000 ns',
  );
  line(`node ${major}: one with a pattern that does not match`, `+${(told.unmatched - told.alone).toFixed(0)} ns`, '');
}
