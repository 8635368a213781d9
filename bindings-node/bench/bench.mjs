// What the Node layer costs: cold start and memory with the real clients, calls in one process. Each figure is measured
// beside its baseline, interleaved; the machine's own noise is in both. Never a test.

import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { nodeBinary, PAIRS, within } from '../test/support/client.mjs';
import { IDLE } from '../test/support/plans.mjs';

const ROUNDS = Number(process.env.ROUNDS ?? 15);
const median = (numbers) => numbers.toSorted((a, b) => a - b)[numbers.length >> 1];
const line = (what, value, bound) => console.log(`${what.padEnd(66)} ${value.padStart(20)}   ${bound}`);

const code = fileURLToPath(new URL('function', import.meta.url));

/** One start: until the client asks for its first event, by the clock and on the processor, and how large it is then. */
async function start(pair, plan) {
  return within({ ...pair, code, handler: 'index.handler', plan }, async (run) => {
    const tasks = readdirSync(`/proc/${run.pid}/task`);
    const onCpu = tasks.map((task) => Number(readFileSync(`/proc/${run.pid}/task/${task}/schedstat`, 'utf8').split(' ')[0]));
    const status = readFileSync(`/proc/${run.pid}/status`, 'utf8');
    const kb = (field) => Number(new RegExp(`${field}:\\s+(\\d+)`).exec(status)[1]);
    return { clock: run.cold, cpu: onCpu.reduce((sum, ns) => sum + ns, 0) / 1e6, rss: kb('VmRSS') / 1024 };
  });
}

for (const pair of PAIRS) {
  const bare = [];
  const behind = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    bare.push(await start(pair, undefined));
    behind.push(await start(pair, IDLE));
  }
  const delta = (what, of) => of(behind.map((one) => one[what])) - of(bare.map((one) => one[what]));
  const least = (numbers) => Math.min(...numbers);
  const signed = (number) => `${number < 0 ? '' : '+'}${number.toFixed(2)}`;
  const both = (what, unit) => `${signed(delta(what, median))} / ${signed(delta(what, least))} ${unit}`;
  line(`${pair.name}: cold start by the clock, median / least of ${ROUNDS}`, both('clock', 'ms'), 'bound 2 ms');
  line(`${pair.name}: cold start on the processor`, both('cpu', 'ms'), '');
  line(`${pair.name}: memory`, both('rss', 'MB'), 'bound 3 MB');
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
