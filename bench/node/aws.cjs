'use strict';
// Nanoseconds that looking at calls to AWS adds to a request of Node's own client, the best of many rounds; JSON on standard
// output. The client's part is left out, so that nothing else is measured.
//
//   node aws.cjs OPT

const http = require('node:http');
const path = require('node:path');
const layer = path.resolve(process.argv[2], 'faultlayer/node');
const { hook } = require('../../bindings-node/lib/hook.cjs');
const { Owners } = require('../../bindings-node/lib/owners.cjs');
const engine = require(path.join(layer, 'faultlayer.node'));

// Short rounds, so that some fall between what else the machine does.
const ROUNDS = 2000;
const CALLS = 100;
const signed = (service, more) => ({
  headers: {
    'content-type': 'application/x-amz-json-1.0',
    'x-amz-target': 'DynamoDB_20120810.GetItem',
    host: 'dynamodb.eu-west-1.amazonaws.com',
    'content-length': '52',
    'x-amz-user-agent': 'aws-sdk-js/3.1169.0',
    'user-agent': 'aws-sdk-js/3.1169.0 ua/2.1 os/linux#6.1 lang/js md/nodejs#22.23.3 api/dynamodb#3.1169.0 m/E,N,e',
    'amz-sdk-invocation-id': '6f9a2c1e-8f1c-4a53-9d8e-0f7b6f3d2c11',
    'amz-sdk-request': 'attempt=1; max=3',
    'x-amz-date': '20261126T120000Z',
    'x-amz-content-sha256': 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
    authorization:
      `AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20261126/eu-west-1/${service}/aws4_request, ` +
      'SignedHeaders=amz-sdk-invocation-id;amz-sdk-request;content-length;content-type;host;x-amz-content-sha256;x-amz-date, ' +
      'Signature=fe5f80f77d5fa3beca038a248ff027d0445342fe2855ddc963176630326f1024',
    ...more,
  },
  host: 'dynamodb.eu-west-1.amazonaws.com',
  method: 'POST',
  path: '/',
  port: 443,
});

const requests = {
  call: signed('dynamodb'),
  other: { headers: { accept: 'application/json', authorization: 'Bearer x' }, host: 'example.com', path: '/', port: 443 },
};
const request = () => undefined;
http.request = request;
const owners = new Owners();
const unhook = hook(owners, globalThis);

function best(call, options) {
  let least = Infinity;
  for (let round = 0; round < ROUNDS; round += 1) {
    const start = process.hrtime.bigint();
    for (let n = 0; n < CALLS; n += 1) call(options);
    least = Math.min(least, Number(process.hrtime.bigint() - start) / CALLS);
  }
  return least;
}

const bare = best(request, requests.call);
const nobody = best(http.request, requests.call) - bare;
const fault = { id: 'it', kind: 'aws_call', rate: 1, target: { service: ['dynamodb'], operation: ['PutItem'] }, error: 'X' };
const number = engine.library(JSON.stringify({ version: 1, expires_at: 'never', faults: [fault] }), undefined);
const session = engine.decide(number, 'one', NaN);
session.before();
owners.open(session, { engine, trouble: console.error });
const told = {
  bare,
  nobody,
  other: best(http.request, requests.other) - bare,
  call: best(http.request, requests.call) - bare,
};
unhook();
console.log(JSON.stringify(told));
