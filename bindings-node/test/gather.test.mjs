// Leaves gathered by JavaScript and an event walked by the engine give the same decisions, whatever the event looks like.

import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';

const require = createRequire(import.meta.url);
const engine = require('../lib/native.cjs').native();
const { gatherer, runs, WALK } = require('../lib/gather.cjs');
const { fault, plan } = require('../index.cjs');

// A generator of the test's own, so that a failure can be repeated.
let state = 12345;
const random = (bound) => {
  state = (state * 1103515245 + 12345) % 2 ** 31;
  return state % bound;
};
const pick = (list) => list[random(list.length)];
const NAMES = ['a', 'b', 'c', 'a.b', 'constructor'];
const LEAVES = ['x', 'y', '', 1, 2.5, -0, Infinity, true, false, null, undefined, 'größe 🦀', () => 1, 10n];

function anyEvent(depth) {
  const kind = random(10);
  if (depth === 0 || kind < 4) return pick(LEAVES);
  if (kind < 5) return Array.from({ length: random(3) }, () => anyEvent(depth - 1));
  return Object.fromEntries(Array.from({ length: random(4) }, () => [pick(NAMES), anyEvent(depth - 1)]));
}

function anyPattern(depth) {
  const keys = new Set(Array.from({ length: 1 + random(2) }, () => pick(['a', 'b', 'c', 'd'])));
  const leaf = () =>
    pick([
      ['x'],
      ['x', 1],
      [{ exists: false }],
      [{ exists: true }],
      [{ prefix: 'g' }],
      [null],
      [{ numeric: ['>', 1] }],
      [{ 'anything-but': 'x' }],
      [true],
    ]);
  return Object.fromEntries([...keys].map((key) => [key, depth === 0 || random(2) ? leaf() : anyPattern(depth - 1)]));
}

test('5000 generated events under generated patterns', () => {
  let gathered = 0;
  let hits = 0;
  for (let round = 0; round < 250; round += 1) {
    const host = engine.library(JSON.stringify(plan(fault.payload(1, { match: { event: anyPattern(2) } }))), undefined);
    const gather = gatherer(engine.paths(host));
    for (let n = 0; n < 20; n += 1) {
      const event = random(8) === 0 ? anyEvent(3) : { a: anyEvent(2), [pick(NAMES)]: anyEvent(2) };
      const leaves = gather(event);
      const walked = engine.decideReading(host, 'id', NaN, false, event, undefined, NaN);
      hits += walked ? 1 : 0;
      if (leaves === WALK) continue;
      gathered += 1;
      const decided = engine.gatheredAsker(host, false)('id', NaN, undefined, ...leaves);
      assert.equal(Boolean(decided), Boolean(walked), `${engine.paths(host)}: ${JSON.stringify(event)}`);
      decided?.close();
      walked?.close();
    }
    engine.drain(host);
    engine.release(host);
  }
  assert.ok(gathered > 1000 && hits > 200, `${gathered} gathered, ${hits} hit`);
});

test('the numbers of long arrays are handed over by the hundreds, and give the same decisions', () => {
  const matching = (pattern) =>
    engine.library(JSON.stringify(plan(fault.payload(1, { match: { event: pattern } }))), undefined);
  const { room, take } = runs();
  let taken = 0;
  const counted = (...asked) => {
    taken += 1;
    return take(...asked);
  };
  const held = (host, event, by = counted) => {
    const session = engine.decideReading(host, 'id', NaN, false, event, undefined, NaN, by, by && room);
    session?.close();
    engine.drain(host);
    return Boolean(session);
  };

  const last = matching({ a: [7] });
  const asks = (length) => {
    taken = 0;
    assert.equal(held(last, { a: Array(length).fill(0) }), false);
    return taken;
  };
  assert.ok(asks(100_000) <= 100, `${taken} questions`);
  assert.ok(asks(200_000) <= 200, `${taken} questions`);
  // Where something else stands between the numbers, still no more than one for so many elements.
  taken = 0;
  assert.equal(held(last, { a: Array.from({ length: 100_000 }, (_, at) => (at % 2 ? 0 : 'x')) }), false);
  assert.ok(taken <= 100_000 / 64 + 1, `${taken} questions`);

  for (const length of [64, 65, 1023, 1024, 1025, 1088, 1089, 2500]) {
    for (const at of [0, 1, 63, 64, 65, length - 2, length - 1]) {
      const array = Array(length).fill(0);
      array[at] = 7;
      assert.equal(held(last, { a: array }), true, `${at} of ${length}`);
    }
  }
  const other = matching({ a: { b: ['x', 3.5, null] } });
  for (let round = 0; round < 300; round += 1) {
    const element = () => pick([1, 2.5, -0, 1, 1, 1, 1, 1, 'y', { b: 1 }, { b: 'z' }, [1, 2], true]);
    const array = Array.from({ length: random(3000) }, element);
    if (round % 3 === 0) array.splice(random(array.length + 1), 0, pick([{ b: 'x' }, { b: [1, 3.5] }, { b: null }]));
    assert.equal(held(other, { a: array }), held(other, { a: array }, undefined), JSON.stringify(array));
  }
  engine.release(last);
  engine.release(other);
});

test('an id is sampled by its characters, whichever they are and however many', () => {
  const host = engine.library(JSON.stringify(plan(fault.payload(1, { rate: 0.5 }))), undefined);
  const [ask, gathered] = [engine.asker(host, false), engine.gatheredAsker(host, false)];
  const characters = ['', 'a', '\u007f', '\u0080', 'ß', '\u0141', '\u4e61', '🦀', '\ud800', '\udc00x'];
  let hits = 0;
  for (const length of [0, 1, 35, 36, 45, 46, 47, 48, 49, 200]) {
    for (const end of characters) {
      for (const begin of ['x', 'y', 'ß']) {
        const id = begin.repeat(length) + end;
        // As well-formed text, which what is walked gets.
        const said = engine.decideReading(host, Buffer.from(id).toString(), NaN, false, {}, undefined, NaN);
        hits += said ? 1 : 0;
        for (const session of [ask(id), ask(id, NaN), gathered(id, NaN, undefined)]) {
          assert.equal(Boolean(session), Boolean(said), JSON.stringify(id));
          session?.close();
        }
        said?.close();
      }
    }
  }
  assert.ok(hits > 100 && hits < 200, `${hits} hit`);
  assert.throws(() => ask(1), /request id: expected a string/);
  engine.release(host);
  assert.throws(() => ask('a'), /no such host/);
});
