// A real server for AWS's services (moto), what its tests call there, and a proxy in front of it that can say on the wire what
// the engine would: what an SDK makes of a real server's bytes is what it must make of ours.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import http from 'node:http';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const require = createRequire(import.meta.url);
const { native } = require('../../lib/native.cjs');
const { readHeaders } = require('../../lib/outgoing.cjs');

// As it was before anything looks at it.
const { request } = http;

const SERVER = fileURLToPath(new URL('../../../.cache/aws/venv/bin/moto_server', import.meta.url));
/** Why the tests cannot run here; nothing where they can. */
export const LACKS_SERVER = existsSync(SERVER) ? false : 'moto is not installed: `make test-node` does that';

export const CREDENTIALS = { AWS_ACCESS_KEY_ID: 'AKIA', AWS_SECRET_ACCESS_KEY: 'secret', AWS_REGION: 'eu-west-1' };

/** One call to each service: what it takes, an error that clients retry, one that they do not, and what to call it. */
export const SERVICES = {
  dynamodb: {
    operation: 'PutItem',
    input: { TableName: 'orders', Item: { id: { S: '1' } } },
    retried: 'ProvisionedThroughputExceededException',
    final: 'ConditionalCheckFailedException',
  },
  s3: { operation: 'GetObject', input: { Bucket: 'orders', Key: 'a/b' }, retried: 'SlowDown', final: 'NoSuchKey' },
  sqs: {
    operation: 'SendMessage',
    input: { QueueUrl: 'orders', MessageBody: 'x' },
    retried: 'ThrottlingException',
    final: 'QueueDoesNotExist',
  },
  sns: {
    operation: 'Publish',
    input: { TopicArn: 'arn:aws:sns:eu-west-1:123456789012:orders', Message: 'x' },
    retried: 'Throttling',
    final: 'AuthorizationError',
  },
  sts: { operation: 'GetCallerIdentity', input: {}, retried: 'Throttling', final: 'AccessDenied' },
  lambda: {
    operation: 'ListFunctions',
    input: {},
    retried: 'TooManyRequestsException',
    final: 'InvalidParameterValueException',
  },
};

/** Starts moto on a free port, with what the calls need. */
export async function moto() {
  const { port, close } = await start();
  try {
    await prepare(port);
  } catch (error) {
    await close();
    throw error;
  }
  return { port, close };
}

async function start() {
  const child = spawn(SERVER, ['-H', '127.0.0.1', '-p', '0'], { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  const port = await new Promise((resolve, reject) => {
    child.stderr.on('data', (chunk) => {
      said += chunk;
      const found = /Running on http:\/\/127\.0\.0\.1:(\d+)/.exec(said);
      if (found) resolve(Number(found[1]));
    });
    child.on('close', () => reject(new Error(`moto ended: ${said}`)));
  });
  return {
    port,
    async close() {
      child.kill('SIGKILL');
      await once(child, 'close');
    },
  };
}

async function prepare(port) {
  const scope = (service) =>
    `AWS4-HMAC-SHA256 Credential=AKIA/20261126/eu-west-1/${service}/aws4_request, SignedHeaders=host, Signature=0`;
  const ask = async (service, method, path, headers, body) => {
    const answer = await send(port, method, path, { authorization: scope(service), ...headers }, Buffer.from(body));
    if (answer.status >= 300) throw new Error(`moto: ${service} ${answer.status} ${answer.body}`);
  };
  const json = (target, version) => ({ 'content-type': `application/x-amz-json-${version}`, 'x-amz-target': target });
  const form = { 'content-type': 'application/x-www-form-urlencoded' };
  const table = {
    TableName: 'orders',
    AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
    KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
    BillingMode: 'PAY_PER_REQUEST',
  };
  await ask('dynamodb', 'POST', '/', json('DynamoDB_20120810.CreateTable', '1.0'), JSON.stringify(table));
  await ask('sqs', 'POST', '/', json('AmazonSQS.CreateQueue', '1.0'), '{"QueueName":"orders"}');
  await ask('sns', 'POST', '/', form, 'Action=CreateTopic&Version=2010-03-31&Name=orders');
  const place = '<CreateBucketConfiguration><LocationConstraint>eu-west-1</LocationConstraint></CreateBucketConfiguration>';
  await ask('s3', 'PUT', '/orders', {}, place);
  await ask('s3', 'PUT', '/orders/a/b', {}, 'the object');
}

async function send(port, method, path, headers, body) {
  const sent = request({ port, method, path, headers: { ...headers, 'content-length': body.length }, agent: false });
  sent.end(body);
  const [answer] = await once(sent, 'response');
  return { status: answer.statusCode, rawHeaders: answer.rawHeaders, body: Buffer.concat(await answer.toArray()) };
}

/** In front of moto: counts the attempts that reach it; `answerBy(plan)` has it answer as the engine says. */
export async function proxy(port) {
  const engine = native();
  let host;
  let session;
  let number;
  const server = http.createServer(async (asked, answer) => {
    const { method, url, headers, rawHeaders } = asked;
    const body = Buffer.concat(await asked.toArray());
    one.attempts += 1;
    const told = number && readHeaders(headers).tell(method, one.url, url);
    const met = number && engine.met(number, told, body.toString('latin1'));
    if (met) await new Promise((resolve) => setTimeout(resolve, met.delayUs / 1000));
    // Who gave up waiting has nothing left to ask.
    if (asked.socket.destroyed) return;
    const ours = met?.answer;
    const passed = ours ? { ...ours, rawHeaders: ours.headers } : await send(port, method, url, own(rawHeaders), body);
    answer.sendDate = false;
    answer.writeHead(passed.status, passed.rawHeaders);
    answer.end(passed.body);
  });
  server.keepAliveTimeout = 60_000;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const one = {
    url: `http://127.0.0.1:${server.address().port}`,
    attempts: 0,
    answerBy(plan) {
      session?.close();
      if (host !== undefined) engine.release(host);
      [host, session, number] = [];
      one.attempts = 0;
      if (!plan) return;
      host = engine.library(JSON.stringify(plan), undefined);
      session = engine.decideCalls(host, 'proxy');
      session.before();
      number = session.calls();
    },
    async close() {
      one.answerBy();
      server.closeAllConnections();
      server.close();
    },
  };
  return one;
}

/** Headers of a request that are not its connection's. */
function own(rawHeaders) {
  const kept = {};
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index].toLowerCase();
    if (!['connection', 'content-length', 'transfer-encoding', 'expect'].includes(name)) kept[name] = rawHeaders[index + 1];
  }
  return kept;
}
