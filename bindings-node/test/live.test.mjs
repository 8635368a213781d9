// Plans that come from a place and change there, through the real client: the function never waits for them.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { PAIRS, dealer, within } from './support/client.mjs';
import { withExtension } from './support/extension.mjs';
import { always, plan } from './support/plans.mjs';

const APPCONFIG = 'appconfig:shop/prod/faults';
const PARAMETER = 'parameter:/faults/checkout';
const folder = mkdtempSync(path.join(tmpdir(), 'faultlayer-live-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const says = (payload, more) => always({ kind: 'response', payload, ...more });
const reasons = (one) =>
  one
    .records()
    .filter((record) => !record.fault)
    .map((record) => record.reason);

/** Invokes until that is the answer. */
async function until(one, answer, event = {}, call = undefined) {
  const end = Date.now() + 30_000;
  for (;;) {
    const { text } = await one.invoke(event, call);
    if (text === JSON.stringify(answer)) return;
    assert.ok(Date.now() < end, `never ${answer}, but ${text}: ${one.log()}`);
    await pause(5);
  }
}

/** Waits until the last record is that one: a plan that can be read again is in force before that is written. */
async function untilTold(one, reason) {
  for (const end = Date.now() + 30_000; reasons(one).at(-1) !== reason && Date.now() < end;) await pause(5);
}

const run = (pair, source, extension, work) =>
  within({ ...pair, code: 'untouched', handler: 'index.event', plan: source, env: extension?.env ?? {} }, work);

const deal = dealer();
for (const pair of PAIRS) {
  const test = deal(pair);
  describe(pair.name, { concurrency: 2 }, () => {
    test('a plan in AppConfig is there from the first invocation, and others follow', async () => {
      await withExtension(async (extension) => {
        await extension.plan(says('one'));
        await run(pair, APPCONFIG, extension, async (one) => {
          assert.equal((await one.invoke({})).text, '"one"');
          await extension.plan(says('two', { match: { event: { who: ['me'] } } }));
          await until(one, { who: 'you' }, { who: 'you' });
          // What the new plan asks of the event is read though the one before asked for nothing.
          assert.equal((await one.invoke({ who: 'me' })).text, '"two"');
          // Another path, so that what was gathered for the one before says nothing.
          await extension.plan(says('three', { match: { event: { where: { city: ['here'] } } } }));
          await until(one, 'three', { where: { city: 'here' } });
          assert.equal((await one.invoke({ who: 'me' })).text, '{"who":"me"}');
          await extension.plan(says('four', { match: { context: { client_context: { custom: { a: ['b'] } } } } }));
          await until(one, 'four', {}, { clientContext: '{"custom":{"a":"b"}}' });
          await extension.plan({ ...says('never'), faults: [] });
          await until(one, {}, {});
          assert.deepEqual(
            [...new Set((await extension.asked()).map((call) => call.path))],
            ['/applications/shop/environments/prod/configurations/faults'],
          );
          await one.close();
          assert.deepEqual(reasons(one), []);
        });
      });
    });

    test('a parameter is read once its extension serves, which it does not before the first invocation', async () => {
      await withExtension(async (extension) => {
        await extension.plan(says('one'));
        await extension.become('init');
        await run(pair, PARAMETER, extension, async (one) => {
          assert.deepEqual(await extension.asked(), []);
          await extension.become('well');
          await until(one, 'one');
          assert.deepEqual((await extension.asked())[0], {
            path: '/systemsmanager/parameters/get?name=%2Ffaults%2Fcheckout&withDecryption=true',
            token: 'token+/=',
          });
          await one.close();
          assert.deepEqual(reasons(one), []);
        });
      });
    });
  });
}

const pair = PAIRS.at(-1);

describe('an extension in trouble leaves the function alone and is told once', { concurrency: 2, skip: !pair }, () => {
  const ways = ['silent', 'slow', 'failing', 'garbage', 'short', 'large', 'closing', 'gone'];
  // Both are read by the same code.
  for (const source of [APPCONFIG, PARAMETER]) {
    for (const way of source === APPCONFIG ? ways : ['silent']) {
      test(`${way}, ${source}`, async () => {
        await withExtension(async (extension) => {
          await extension.plan(says('one'));
          await extension.become(way);
          await run(pair, source, extension, async (one) => {
            // While somebody waits for it, none of these does.
            for (let n = 0; n < 50; n += 1) assert.equal((await one.invoke({ n })).text, `{"n":${n}}`);
            if (way === 'silent' || way === 'slow') {
              assert.equal((await extension.asked()).length, 1);
              assert.deepEqual(reasons(one), []);
            }
            await extension.become('well');
            await until(one, 'one');
            await untilTold(one, 'plan_readable');
            await one.close();
            assert.deepEqual(reasons(one), ['plan_unreadable', 'plan_readable']);
          });
        });
      });
    }
  }

  test('under one that vanished the last plan stands until it ends', async () => {
    await withExtension(async (extension) => {
      const end = Date.now() + 8000;
      await extension.plan({ ...says('one'), expires_at: new Date(end).toISOString() });
      await run(pair, APPCONFIG, extension, async (one) => {
        assert.equal((await one.invoke({})).text, '"one"');
        await extension.become('gone');
        for (let begun = Date.now(); begun < end + 200; begun = Date.now()) {
          const { text } = await one.invoke({});
          if (begun > end) assert.equal(text, '{}');
          else if (Date.now() < end) assert.equal(text, '"one"');
          await pause(100);
        }
        await one.close();
        assert.deepEqual(reasons(one), ['plan_unreadable']);
      });
    });
  });

  test('a file is read again, also where there was none or none that holds', async () => {
    const file = path.join(folder, 'plan.json');
    const env = { FAULTLAYER_PLAN_REFRESH_S: '0' };
    await run(pair, `file:${file}`, { env }, async (one) => {
      assert.equal((await one.invoke({})).text, '{}');
      for (const answer of ['one', 'two']) {
        writeFileSync(file, JSON.stringify(says(answer)));
        await until(one, answer);
      }
      writeFileSync(file, '{');
      for (let n = 0; n < 20; n += 1) {
        assert.equal((await one.invoke({})).text, '"two"');
        await pause(10);
      }
      writeFileSync(file, JSON.stringify(says('three')));
      await until(one, 'three');
      await untilTold(one, 'plan_readable');
      await one.close();
      const told = reasons(one);
      assert.deepEqual([told[0], ...told.slice(-2)], ['plan_unreadable', 'plan_invalid', 'plan_readable']);
    });
  });

  test('faults in calls to AWS that come later hit them', async () => {
    await withExtension(async (extension) => {
      await extension.plan({ ...says('never'), faults: [] });
      const use = { ...pair, code: 'concurrent', handler: 'index.calls', plan: APPCONFIG, env: extension.env };
      await within(use, async (one) => {
        assert.equal((await one.invoke({ wait: 0 })).text, '"ECONNREFUSED"');
        const throttles = (service) =>
          extension.plan(always({ kind: 'aws_call', target: { service: [service] }, error: 'ThrottlingException' }));
        await throttles('sqs');
        await until(one, 400, { wait: 0 });
        // What an invocation's calls are is told by its own plan.
        await throttles('s3');
        await until(one, 'ECONNREFUSED', { wait: 0 });
        await throttles('sqs');
        await until(one, 400, { wait: 0 });
        await extension.plan({ ...says('never'), faults: [] });
        await until(one, 'ECONNREFUSED', { wait: 0 });
      });
    });
  });

  const onLinux = { skip: process.platform !== 'linux' && 'connections are reached on Linux' };
  test('faults in connections that come later hit them, and never the reading itself', onLinux, async () => {
    const server = http.createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address();
    try {
      await withExtension(async (extension) => {
        await extension.plan({ ...says('never'), faults: [] });
        const use = { ...pair, code: 'network', handler: 'index.handler', plan: APPCONFIG, env: extension.env };
        await within(use, async (one) => {
          const ask = async () => JSON.parse((await one.invoke({ way: 'socket', port })).text).answer;
          const met = async (pattern) => {
            const end = Date.now() + 30_000;
            for (let answer = await ask(); !pattern.test(answer); answer = await ask()) {
              assert.ok(Date.now() < end, `never ${pattern}, but ${answer}: ${one.log()}`);
            }
          };
          await met(/^127\.0\.0\.1:/);
          // All of loopback, where the extension is too.
          await extension.plan(always({ kind: 'network', target: { host: ['127.0.0.1', 'localhost'] }, effect: 'refuse' }));
          await met(/ECONNREFUSED/);
          await extension.plan({ ...says('never'), faults: [] });
          await met(/^127\.0\.0\.1:/);
          await one.close();
          assert.deepEqual(reasons(one), []);
        });
      });
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });

  test('disabled, nobody is asked', async () => {
    await withExtension(async (extension) => {
      const disabled = { env: { ...extension.env, FAULTLAYER_DISABLED: '1' } };
      await run(pair, APPCONFIG, disabled, async (one) => {
        assert.equal((await one.invoke({})).text, '{}');
        assert.deepEqual(await extension.asked(), []);
        await one.close();
        assert.deepEqual(reasons(one), ['disabled']);
      });
    });
  });

  test('of 1000 plans under 16 callers each call meets one, and limits are exact', async () => {
    const managed = PAIRS.find((one) => one.client === 4);
    const [callers, limit] = [16, 400];
    const numbered = (number) => {
      const fault = (id, more) => ({ id, kind: 'latency', rate: 1, delay_ms: number / 1000, ...more });
      // One of them comes and goes, and comes in another place.
      const limited = number % 3 ? [fault('limited', { limit })] : [];
      return plan(fault('one'), ...limited, fault('other'));
    };
    await withExtension(async (extension) => {
      await extension.plan(numbered(1));
      const env = { ...extension.env, AWS_LAMBDA_MAX_CONCURRENCY: '16', AWS_LAMBDA_NODEJS_WORKER_COUNT: '3' };
      await run(managed, APPCONFIG, { env }, async (one) => {
        await one.api.waiting(3);
        const answered = [];
        let over = false;
        const call = async (caller) => {
          for (let n = 0; !over || n < limit / 4; n += 1) {
            const id = `${caller}-${n}`;
            await one.invoke({}, { id, timeout: 60_000 });
            answered.push(id);
          }
        };
        const running = Array.from({ length: callers }, (_, caller) => call(caller));
        for (let number = 2; number <= 1000; number += 1) {
          const seen = answered.length;
          await extension.plan(numbered(number));
          // However threads are scheduled, somebody calls before the next plan.
          while (answered.length === seen) await pause(0);
        }
        over = true;
        await Promise.all(running);
        await one.close();
        const met = new Map(answered.map((id) => [id, []]));
        for (const record of one.records()) {
          assert.equal(record.action, 'injected');
          met.get(record.requestId).push(record);
        }
        const delays = new Set();
        for (const [id, hits] of met) {
          const faults = hits.map((hit) => hit.fault).join(' ');
          assert.match(faults, /^one (limited )?other$/, id);
          assert.equal(new Set(hits.map((hit) => hit.delay_ms)).size, 1, id);
          delays.add(hits[0].delay_ms);
        }
        assert.ok(delays.size > 100, `${delays.size} plans were met`);
        assert.equal(one.records().filter((record) => record.fault === 'limited').length, limit);
      });
    });
  });

  test('over worker threads each one meets the plan that is in force, and no limit is passed', async () => {
    const managed = PAIRS.find((one) => one.client === 4);
    await withExtension(async (extension) => {
      const limited = (payload, limit) => says(payload, { limit, match: { event: { hit: [true] } } });
      await extension.plan(limited('one', 20));
      const env = { ...extension.env, AWS_LAMBDA_MAX_CONCURRENCY: '16', AWS_LAMBDA_NODEJS_WORKER_COUNT: '3' };
      await run(managed, APPCONFIG, { env }, async (one) => {
        await one.api.waiting(3);
        const burst = async () => {
          const answers = await Promise.all(Array.from({ length: 64 }, () => one.invoke({ hit: true })));
          return answers.map(({ text }) => text).filter((text) => text !== '{"hit":true}');
        };
        assert.deepEqual(await burst(), Array(20).fill('"one"'));
        await extension.plan(limited('two', 50));
        const seen = [];
        for (const end = Date.now() + 30_000; seen.length < 30 && Date.now() < end;) seen.push(...(await burst()));
        seen.push(...(await burst()));
        assert.deepEqual(seen, Array(30).fill('"two"'));
      });
    });
  });
});
