'use strict';
// Microseconds on the processor of a request of Node's own client, by rounds, all kinds in turns; JSON on standard output. The
// client's part is left out, so that nothing else is measured.
//
//   node aws.cjs '{"layer": FOLDER, "rounds": N}'

const http = require('node:http');
const path = require('node:path');
const asked = JSON.parse(process.argv[2]);
const { hook } = require('../../bindings-node/lib/hook.cjs');
const { Owners } = require('../../bindings-node/lib/owners.cjs');
const engine = require(path.join(asked.layer, 'faultlayer.node'));

const CALLS = 2000;
const other = {
  headers: { accept: 'application/json', authorization: 'Bearer x' },
  host: 'example.com',
  path: '/',
  port: 443,
};
const signed = (service) => ({
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
  },
  host: 'dynamodb.eu-west-1.amazonaws.com',
  method: 'POST',
  path: '/',
  port: 443,
});

const get = signed('dynamodb');
const addRequest = () => undefined;
http.Agent.prototype.addRequest = addRequest;
const owners = new Owners();
const unhook = hook(owners, globalThis, [globalThis]);
const fault = {
  id: 'it',
  kind: 'aws_call',
  rate: 1,
  target: { service: ['dynamodb'], operation: ['PutItem'] },
  error: 'X',
};
const number = engine.library(JSON.stringify({ version: 1, expires_at: 'never', faults: [fault] }), undefined);
const decide = engine.asker(number, false);

/** In an invocation that the plan hits. */
function hit(work) {
  const session = decide('one');
  session.before();
  const owner = owners.open(session, { engine, trouble: console.error });
  work();
  owners.close(owner);
  session.close();
}

/** What a request of Node's own client asks of its agent, to which it shows itself once. */
const by = (agent) => (options) => {
  const { method, path, host } = options;
  agent.addRequest({ method, path, host, protocol: 'https:' }, options);
};
const bare = by({ addRequest });
const hooked = by(new http.Agent());

const rounds = {};
function round(name, call, options) {
  const begun = process.cpuUsage();
  for (let n = 0; n < CALLS; n += 1) call(options);
  const { user, system } = process.cpuUsage(begun);
  (rounds[name] ??= []).push((user + system) / CALLS);
}

const WARM = 5;
for (let n = 0; n < asked.rounds + WARM; n += 1) {
  round('bare', bare, get);
  round('in an invocation that is not hit', hooked, get);
  hit(() => {
    round('in one that is, to another service', hooked, signed('sqs'));
    round('to the service, another operation', hooked, get);
    round('to no service', hooked, other);
  });
}
unhook();
for (const name in rounds) rounds[name].splice(0, WARM);
console.log(JSON.stringify(rounds));
