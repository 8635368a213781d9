// The operation of a call to a REST service, which its request does not name: every line of the table, by what it is called with.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { describe, test } from 'node:test';

const require = createRequire(import.meta.url);
const engine = require('../lib/native.cjs').native();

const services = new Map();
const table = readFileSync(new URL('../src/operations/table.txt', import.meta.url), 'utf8');
for (const line of table.trimEnd().split('\n')) {
  const [method, place, name] = line.split(' ');
  if (place === undefined) services.set(method, []);
  else [...services.values()].at(-1).push({ method, place, name });
}

const fault = { id: 'it', kind: 'aws_call', rate: 1, target: { service: [{ exists: true }] }, error: 'Throttling' };
const host = engine.library(JSON.stringify({ version: 1, expires_at: 'never', faults: [fault] }), undefined);

/** The operation that the record of a call says. */
function operation(service, method, url) {
  const session = engine.decideCalls(host, 'one');
  session.before();
  const scope = `AWS4-HMAC-SHA256 Credential=A/20261126/eu-west-1/${service}/aws4_request, SignedHeaders=host, Signature=0`;
  engine.met(session.calls(), [method, url, scope, '', '', ''].join('\n'));
  session.close();
  return JSON.parse(engine.drain(host)[0]).operation;
}

/** Path and query of a call, of a line of the table. */
function called(place) {
  const [path, ...asked] = place.split('?');
  const query = asked.map((part) => (part.includes('=') ? part : `${part}=1`));
  return [path.replaceAll('{}', 'n%2F1').replace('{+}', 'k/e/y/'), [...query, 'more=2'].join('&')];
}

describe('operations of REST services', () => {
  for (const [service, lines] of services) {
    test(service, () => {
      assert.ok(lines.length > 0);
      for (const { method, place, name } of lines) {
        const [path, query] = called(place);
        assert.equal(operation(service, method, `https://host.example:8443${path}?${query}`), name, `${method} ${place}`);
      }
    });
  }

  test('S3, with the bucket in the host', () => {
    for (const { method, place, name } of services.get('s3').filter(({ place }) => place.startsWith('/{}'))) {
      const [path, query] = called(place);
      const own = path.replace(/^\/n%2F1/, '') || '/';
      const url = `https://bucket.s3.eu-west-1.amazonaws.com${own}?${query}`;
      assert.equal(operation('s3', method, url), name, `${method} ${place}`);
    }
    assert.equal(operation('s3', 'GET', 'https://s3.eu-west-1.amazonaws.com/'), 'ListBuckets');
    assert.equal(operation('s3', 'GET', 'https://s3.eu-west-1.amazonaws.com/bucket/key'), 'GetObject');
  });

  test('what the table does not have has none, and what a request names is its own', () => {
    assert.equal(operation('lambda', 'GET', 'https://host/2015-03-31/nothing/such'), undefined);
    assert.equal(operation('lambda', 'PATCH', 'https://host/2015-03-31/functions'), undefined);
    assert.equal(operation('nobody', 'GET', 'https://host/'), undefined);
    assert.equal(operation('s3', 'PUT', 'https://host/b/k?x-id=CopyObject'), 'CopyObject');
  });
});
