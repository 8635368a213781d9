// The shared vectors through the addon: the same decisions and the same records as core, byte for byte.

import assert from 'node:assert/strict';
import { isUtf8 } from 'node:buffer';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { describe, test } from 'node:test';

const require = createRequire(import.meta.url);
const { native } = require('../lib/native.cjs');
const engine = native();

// JavaScript moves keys that look like numbers to the front of an object; a mark keeps a plan's text as it was written.
const vectors = (name) => {
  const file = readFileSync(new URL(`../../tests/vectors/${name}.json`, import.meta.url), 'utf8');
  const cases = JSON.parse(file);
  const plans = JSON.parse(file.replace(/"(\d+)":/g, '"\\u0001$1":')).map((vector) => vector.plan);
  return cases.map((vector, index) => ({ ...vector, plan: plans[index] }));
};
const text = (plan) => (typeof plan === 'string' ? plan : JSON.stringify(plan).replace(/"\\u0001(\d+)":/g, '"$1":'));

function decide(host, call) {
  engine.arn(host, call.function_arn ?? undefined);
  const session = engine.decideReading(
    host,
    call.request_id,
    call.deadline_ms ?? NaN,
    call.streaming === true,
    call.event,
    call.client_context === undefined ? undefined : JSON.stringify(call.client_context),
    call.now_us,
  );
  if (!session) return { steps: null, borders: [], records: engine.drain(host) ?? [] };
  const steps = [session.before()];
  const borders = JSON.parse(session.borders()).map((b) => ({ after_bytes: null, after_ms: null, ...b }));
  for (const then of call.then) {
    const [[how, told]] = Object.entries(then);
    if (typeof told.now_us === 'number') session.at(told.now_us);
    if (how === 'returned') steps.push(session.returned(told.text ?? undefined));
    else if (how === 'failed') steps.push(session.failed());
    else if (how === 'reached') steps.push(session.reached(told.border));
    else if (how === 'chunk') steps.push(session.chunk(told.text));
    else assert.fail(`no step ${how}`);
  }
  session.close();
  return { steps: steps.map((step) => JSON.parse(step)), borders, records: engine.drain(host) ?? [] };
}

describe('decisions', () => {
  for (const vector of vectors('decisions')) {
    test(vector.name, () => {
      const identity = vector.identity && {
        functionName: vector.identity.function_name ?? undefined,
        functionVersion: vector.identity.function_version ?? undefined,
        memoryMb: vector.identity.memory_mb ?? undefined,
        runtime: vector.identity.runtime ?? undefined,
      };
      const host = engine.library(text(vector.plan), identity);
      const seen = vector.calls.map((call) => decide(host, call));
      engine.release(host);
      assert.equal(seen.length, vector.expect.length);
      for (const [index, expected] of vector.expect.entries()) {
        assert.deepEqual(seen[index].records, expected.records);
        assert.deepEqual(seen[index].borders, expected.borders);
        // Of an error whose class the plan names by language, each language gets its own.
        const byLanguage = (step) =>
          vector.language !== 'node' && step?.outcome === 'error' ? { ...step, type: '' } : step;
        assert.deepEqual(seen[index].steps?.map(byLanguage), expected.steps?.map(byLanguage) ?? undefined);
      }
    });
  }
});

/** A request as `lib/outgoing.cjs` tells it, with the operation of an SDK that tells it. */
const told = ({ method, url, authorization, target, content_type, retry, operation }) =>
  [method, url, authorization, target, content_type, retry, operation].map((part) => part ?? '').join('\n');

/** As vectors have it: the body as text, or in hexadecimal where it is none. */
function answered({ status, headers, body }) {
  const pairs = headers.flatMap((name, index) => (index % 2 ? [] : [[name, headers[index + 1]]]));
  const text = isUtf8(body) ? { body: body.toString() } : { body_hex: body.toString('hex') };
  return { status, headers: Object.fromEntries(pairs), ...text };
}

describe('calls', () => {
  for (const vector of vectors('calls')) {
    test(vector.name, () => {
      const host = engine.library(text(vector.plan), undefined);
      const { request_id: id, deadline_ms: due, now_us: now } = vector;
      const session = engine.decideReading(host, id, due ?? NaN, false, {}, undefined, now);
      session.before();
      const number = vector.carries_calls ? session.calls() : undefined;
      const met = vector.requests.map((request) => {
        const one = engine.met(number, told(request), request.body, request.now_us);
        return { delay_us: one?.delayUs ?? 0, answer: one?.answer ? answered(one.answer) : null };
      });
      session.at(vector.end.now_us);
      if (vector.end.how === 'failed') session.failed();
      else session.returned();
      session.close();
      assert.deepEqual({ met, records: engine.drain(host) ?? [] }, vector.expect);
      engine.release(host);
    });
  }
});

describe('refusals', () => {
  for (const vector of vectors('refusals')) {
    test(vector.name, () => {
      const refused = () => {
        try {
          engine.release(engine.library(text(vector.plan), undefined));
        } catch (error) {
          return JSON.parse(error.message);
        }
        return null;
      };
      assert.deepEqual(refused(), vector.expect);
    });
  }
});
