// A test that passes because no fault was there is the harm: scopes fail without a chance, arguments that would be dropped
// are refused.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import * as library from '../index.mjs';

const { FaultlayerError, NoChanceError, PlanError, Scope, delay, fault, plan, steps, withFaults, wrap } = library;
const BOOM = fault.error('ThrottlingException', 'slow down');
const missed =
  (...reasons) =>
  (error) => {
    assert.ok(error instanceof NoChanceError && error instanceof FaultlayerError, error);
    assert.equal(error.code, 'no_chance');
    assert.deepEqual(
      error.missed.map(({ fault: id, reason }) => `${id} ${reason}`),
      reasons,
    );
    for (const [index, told] of reasons.entries()) {
      const [id, reason] = told.split(' ');
      assert.ok(
        error.message.split('\n')[index].startsWith(`faults[${index}]: \`${id}\` had no chance to fire: ${reason}, `),
      );
    }
    return true;
  };

describe('a scope whose faults had no chance to fire fails', () => {
  const fetch = wrap(async () => 'fetched');

  test('nothing was called', async () => {
    assert.throws(() => withFaults(BOOM, () => 1), missed('error not_called'));
    await assert.rejects(
      withFaults([BOOM, fault.latency(1)], async () => 1),
      missed('error not_called', 'latency not_called'),
    );
    assert.throws(() => new Scope(BOOM).open().close(), missed('error not_called'));
  });

  test('unless that is meant, or the plan is empty, or the work has failed already', async () => {
    assert.equal(
      withFaults(BOOM, () => 1, { strict: false }),
      1,
    );
    assert.equal(
      withFaults([], () => 1),
      1,
    );
    new Scope(BOOM).open().abandon();
    const own = new RangeError('own');
    const fails = () => {
      throw own;
    };
    assert.throws(() => withFaults(BOOM, fails), own);
    await assert.rejects(
      withFaults(BOOM, async () => fails()),
      own,
    );
  });

  test('a sample that did not hit and a pattern that did not match are chances', async () => {
    for (const options of [{ rate: 0 }, { match: { event: { no: ['such'] } } }, { limit: 0 }]) {
      assert.equal(await withFaults(fault.payload(1, options), () => fetch({})), 'fetched');
    }
  });

  test('the window was not open', async () => {
    const before = plan(BOOM, { starts_at: '2099-01-01T00:00:00Z', expires_at: '2099-02-01T00:00:00Z' });
    await assert.rejects(withFaults(before, fetch), missed('error not_started'));
    await assert.rejects(withFaults(plan(BOOM, { expires_at: '2020-01-01T00:00:00Z' }), fetch), missed('error expired'));
  });

  test("something else took the target's place", () => {
    const client = { send: () => 'sent' };
    const work = () => {
      client.send = () => 'mocked';
      client.send();
    };
    assert.throws(() => withFaults(BOOM, work, { targets: [[client, 'send']] }), missed('error patched_over'));
    assert.equal(client.send(), 'sent');
  });

  test('it was called, but not by what the scope runs', async () => {
    let call;
    const elsewhere = new Promise((resolve) => (call = resolve)).then(() => fetch());
    const work = async () => {
      call();
      assert.equal(await elsewhere, 'fetched');
    };
    await assert.rejects(withFaults(BOOM, work), missed('error other_context'));
  });
});

describe('what would be dropped is refused', () => {
  test('arguments that are no options, and one too many', () => {
    for (const [wrong, told] of [
      [() => fault.error('X', 'x', 0.0), /fault\.error: options: .*got `0`/],
      [() => fault.latency(5, 0.5), /fault\.latency: options/],
      [() => fault.latency(5, null), /got `null`/],
      [() => fault.exit(1, [0.5]), /fault\.exit: options/],
      [() => fault.response(503), /fault\.response: .*got `503`/],
      [() => fault.timeout({}, 0.5), /fault\.timeout: expected at most 1 arguments/],
      [() => fault.error('X', 'x', {}, 0.5), /got `0.5` too/],
      [() => delay.uniform(1, 2, 3), /delay\.uniform/],
      [() => steps([0, 0.1], 5), /steps: expected pairs/],
      [() => plan(BOOM, fault.exit()), /several go into a list/],
      [() => plan(BOOM, 0.5), /plan: options/],
    ]) {
      assert.throws(wrong, (error) => error instanceof PlanError && told.test(error.message));
    }
  });

  test('options of a scope that are none', () => {
    for (const wrong of [{ target: [] }, 0.5, null]) {
      assert.throws(() => new Scope(BOOM, wrong), { name: 'FaultlayerError' });
    }
    assert.throws(() => new Scope(BOOM, { target: [] }), /options\.target: expected one of `records`, `targets`/);
  });
});

test('a plan in a file, by its path or URL', (t) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'faultlayer-plan-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = path.join(folder, 'plan.json');
  writeFileSync(file, JSON.stringify(plan(fault.payload('from a file'))));
  for (const form of [file, `file:${file}`, pathToFileURL(file), pathToFileURL(file).href, path.relative('.', file)]) {
    assert.equal(wrap(() => 1, form)(), 'from a file');
  }
  assert.throws(
    () => wrap(() => 1, path.join(folder, 'nowhere.json')),
    (error) => error instanceof PlanError && error.code === 'plan_unreadable' && error.message.includes('nowhere.json'),
  );
});

describe('a class', () => {
  class Client {
    static region = 'eu';
    constructor(name) {
      this.name = name;
      this.target = new.target;
    }
  }

  test('is made with `new` as before, also by its subclasses', () => {
    const scope = new Scope(fault.latency(1, { rate: 0 })).open();
    const Wrapped = scope.wrap(Client);
    const client = new Wrapped('a');
    assert.ok(client instanceof Client && client instanceof Wrapped);
    assert.deepEqual([client.name, client.target, Wrapped.region, Wrapped.name], ['a', Client, 'eu', 'Client']);
    class Special extends Wrapped {}
    const special = new Special('b');
    assert.ok(special instanceof Special && special instanceof Client);
    assert.equal(special.target, Special);
    assert.throws(() => Wrapped('c'), TypeError);
  });

  test('meets faults', async () => {
    assert.throws(() => new (wrap(Client, BOOM))(), { name: 'ThrottlingException' });
    assert.deepEqual(new (wrap(Client, fault.payload({ other: true })))(), { other: true });
    assert.ok((await new (wrap(Client, fault.latency(1)))('late')) instanceof Client);
  });
});

describe('a second instance of the package', () => {
  test('sees the scope of the first, and has the same classes', async () => {
    const require = createRequire(import.meta.url);
    const own = Object.keys(require.cache).filter((file) => /bindings-node\/(lib|index|node-test)/.test(file));
    for (const file of own) if (!file.endsWith('.node')) delete require.cache[file];
    const again = require('../index.cjs');
    assert.notEqual(again.wrap, wrap);
    const point = again.wrap(async () => 'healthy');
    await withFaults(fault.payload('faulty'), async (scope) => {
      assert.equal(await point(), 'faulty');
      assert.equal(scope.fired(), 1);
    });
    for (const name of ['PlanError', 'FaultInjected', 'NoChanceError']) assert.equal(again[name], library[name]);
  });
});

test('an error shows where the function was called, and nothing of ours', async () => {
  for (const when of [BOOM, fault.error('TypeError', 'x'), [fault.latency(1), BOOM]]) {
    const faulty = wrap(async () => 1, when);
    await assert.rejects(async function caller() {
      await faulty();
    }, caller);
  }
  function caller(error) {
    const frames = error.stack.split('\n').filter((line) => line.startsWith('    at '));
    assert.match(frames[0], /caller .*strict\.test\.mjs/);
    assert.ok(!frames.some((frame) => frame.includes('bindings-node/lib/')));
    return true;
  }
});
