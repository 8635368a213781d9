// What the Node layer costs: cold start and memory with the real clients, calls in one process. Each figure is measured
// beside its baseline, interleaved. Of starts it compares the first quartiles, then the medians: what else the machine does
// only ever adds. Never a test.

import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { nodeBinary, PAIRS, within } from '../test/support/client.mjs';
import { IDLE } from '../test/support/plans.mjs';

const ROUNDS = Number(process.env.ROUNDS ?? 150);
const quantile = (numbers, part) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length * part)];
const line = (what, value, bound) => console.log(`${what.padEnd(60)} ${value.padStart(28)}   ${bound}`);

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
    // In turn first: what a start leaves behind on the machine falls on both.
    for (const plan of round % 2 ? [undefined, IDLE] : [IDLE, undefined]) {
      (plan ? behind : bare).push(await start(pair, plan));
    }
  }
  const report = (title, what, unit, bound) => {
    const added = (part) => {
      const [layered, plain] = [behind, bare].map((starts) =>
        quantile(
          starts.map((one) => one[what]),
          part,
        ),
      );
      return `${layered < plain ? '' : '+'}${(layered - plain).toFixed(2)}`;
    };
    line(`${pair.name}: ${title}`, `${added(0.25)} / ${added(0.5)} ${unit}`, bound);
  };
  report(`cold start by the clock, ${ROUNDS} starts each`, 'clock', 'ms', 'bound 2 ms');
  report('cold start on the processor', 'cpu', 'ms', '');
  report('memory', 'rss', 'MB', 'bound 3 MB');
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

const aws = fileURLToPath(new URL('aws.cjs', import.meta.url));
for (const major of [20, 22, 24]) {
  const told = JSON.parse(execFileSync(nodeBinary(major), [aws], { encoding: 'utf8' }));
  line(`node ${major}: a request, with such a fault but nothing drawn`, `+${told.nobody.toFixed(0)} ns`, '');
  line(`node ${major}: a request that is no call to AWS`, `+${told.other.toFixed(0)} ns`, '');
  line(`node ${major}: an attempt that is not hit`, `+${told.call.toFixed(0)} ns`, 'bound 1500 ns');
}
