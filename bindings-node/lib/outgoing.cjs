'use strict';
// Owns Node's own HTTP clients: which of their requests are calls to AWS, what each says of itself, and the request that stands
// instead of one that is hit. That is made by the client itself, with an agent in front of its own, so that all of it is Node's.

const http = require('node:http');
const https = require('node:https');
const { urlToHttpOptions } = require('node:url');
const { apply, assign, create, defineProperty } = require('./builtins.cjs');
const { carryOut } = require('./front.cjs');
const { setImmediate } = require('./hold.cjs');
const { SCOPE, ask } = require('./owners.cjs');
const { dress } = require('./wrap.cjs');

const FORM = 'application/x-www-form-urlencoded';

const NAMES = new Set([
  'authorization',
  'content-type',
  'x-amz-target',
  'amz-sdk-request',
  'amz-sdk-retry',
  'amz-sdk-invocation-id',
]);

/** What the headers of a request say of a call, in the order in which the engine takes it. */
class Headers {
  /** Of a signature what says who is called: the rest is longer. */
  signed = '';
  target = '';
  type = '';
  retry = '';
  /** Whether an SDK has marked it. */
  marked = false;

  take(name, value) {
    // Most have another length, and are not looked at.
    const { length } = name;
    if (length !== 12 && length !== 13 && length !== 15 && length !== 21) return;
    switch (NAMES.has(name) ? name : name.toLowerCase()) {
      case 'authorization':
        this.signed = scopeOf(value);
        break;
      case 'content-type':
        this.type = value;
        break;
      case 'x-amz-target':
        this.target = value;
        break;
      case 'amz-sdk-request':
        this.retry = value;
        break;
      case 'amz-sdk-retry':
        this.retry ||= value;
        break;
      case 'amz-sdk-invocation-id':
        this.marked = true;
    }
  }

  /** Whether a request with these is a call to AWS. */
  areOfCall(origin, path) {
    if (this.signed || this.target || this.retry || this.marked) return true;
    return path.includes('X-Amz-Credential=') || origin.includes('.amazonaws.com');
  }

  /** The operation, where nothing but `X-Amz-Target` can say it. */
  operationAt(path) {
    return path === '/' && typeof this.target === 'string' ? this.target.slice(this.target.lastIndexOf('.') + 1) : '';
  }

  /** Whether the rest of what is known of a call is in its body. */
  get areOfForm() {
    return !this.target && String(this.type).startsWith(FORM);
  }

  /** What a call says of itself, as the engine reads it. */
  tell(method, origin, path) {
    return `${method}\n${origin}${path}\n${this.signed}\n${this.target}\n${this.type}\n${this.retry}`;
  }
}

/** Nothing of what is no signature, and all of one that does not say first who is called. */
function scopeOf(authorization) {
  if (typeof authorization !== 'string' || !authorization.startsWith('AWS4-')) return '';
  const scope = authorization.slice(0, Math.max(authorization.indexOf(','), 0));
  return scope.endsWith(SCOPE) ? scope : authorization;
}

/** An object of headers, or an array of pairs, or of names and values in turn. */
function readHeaders(headers) {
  const found = new Headers();
  if (!Array.isArray(headers)) for (const name in headers) found.take(name, headers[name]);
  else if (Array.isArray(headers[0])) for (const [name, value] of headers) found.take(name, value);
  else for (let index = 0; index < headers.length; index += 2) found.take(String(headers[index]), headers[index + 1]);
  return found;
}

/** The arguments of a request as its client understands them. */
function normalize([input, options, callback]) {
  if (typeof input === 'string') input = urlToHttpOptions(new URL(input));
  else if (typeof input?.href === 'string' && input.path === undefined) input = urlToHttpOptions(input);
  else [input, options, callback] = [undefined, input, options];
  if (typeof options === 'function') [options, callback] = [undefined, options];
  return { options: input ? assign(input, options) : (options ?? {}), callback };
}

/** Where a request would get its connection; nothing where its client will refuse the request anyway. */
function agentOf(options, client) {
  const { agent } = options;
  if (agent === false) return new client.globalAgent.constructor();
  if (agent !== undefined && agent !== null) return typeof agent.addRequest === 'function' ? agent : undefined;
  return typeof options.createConnection === 'function' ? without(options, client) : client.globalAgent;
}

/** An agent for a request that has none, but makes its own connection, for itself alone. */
function without({ createConnection }, client) {
  const addRequest = (request, options) => {
    const made = createConnection(options, (error, socket) => request.onSocket(socket, error));
    if (made) request.onSocket(made);
  };
  const values = { addRequest, keepAlive: false, maxSockets: Infinity };
  return assign(create(client.globalAgent), values);
}

/** What comes of a request that is a call with an owner: one that stands instead, or nothing. */
function instead(owners, client, saved, args) {
  let owner;
  let made;
  try {
    const { options, callback } = normalize(args);
    const protocol = options.protocol ?? (client === https ? 'https:' : 'http:');
    const host = options.hostname ?? options.host ?? 'localhost';
    const origin = options.port ? `${protocol}//${host}:${options.port}` : `${protocol}//${host}`;
    const path = options.path ?? '/';
    const headers = readHeaders(options.headers);
    owner = headers.areOfCall(origin, path) ? owners.find(headers.signed, headers.operationAt(path)) : undefined;
    if (!owner) return undefined;
    const told = headers.tell(options.method ?? 'GET', origin, path);
    const isForm = headers.areOfForm;
    const met = isForm ? undefined : ask(owner, told);
    if (!met && !isForm) return undefined;
    const agent = agentOf(options, client);
    if (!agent) return undefined;
    made = { agent, options, callback, settle: met ? (request, go) => carryOut(request, met, go) : settleForm(owner, told) };
  } catch (error) {
    owner?.gate.trouble(error);
    return undefined;
  }
  return behind(saved, made, owner);
}

/** A request whose agent does not get to see it before `settle` says so. */
function behind(saved, { agent, options, callback, settle }, owner) {
  const addRequest = (request, given, ...rest) => {
    let gone = false;
    const go = () => {
      if (gone) return;
      gone = true;
      agent.addRequest(request, given, ...rest);
    };
    try {
      settle(request, go);
    } catch (error) {
      go();
      owner.gate.trouble(error);
    }
  };
  const front = create(agent, { addRequest: { value: addRequest } });
  const request = saved({ ...options, agent: front }, callback);
  request.agent = agent;
  return request;
}

/** Which operation a form is for, its body says: the request waits for that, but not for ever. */
const settleForm = (owner, told) =>
  function settle(request, go) {
    const decide = (chunk) => {
      if (!decide.waits) return;
      decide.waits = false;
      delete request.write;
      delete request.end;
      const met = ask(owner, told, asForm(chunk));
      if (met) carryOut(request, met, go);
      else go();
    };
    decide.waits = true;
    for (const name of ['write', 'end']) {
      const value = function (...args) {
        try {
          decide(args[0]);
        } catch (error) {
          go();
          owner.gate.trouble(error);
        }
        return apply(request[name], request, args);
      };
      defineProperty(request, name, { value, writable: true, configurable: true });
    }
    setImmediate(decide);
  };

const asForm = (chunk) =>
  chunk instanceof Uint8Array ? Buffer.from(chunk).toString('latin1') : typeof chunk === 'string' ? chunk : undefined;

/** What puts itself into the place of each client's functions. */
function hooks(owners) {
  const of = (client) => {
    const { request, get } = client;
    const made = (args) => (owners.wanted ? instead(owners, client, request, args) : undefined);
    return {
      request: dress(function (...args) {
        return made(args) ?? apply(request, this, args);
      }, request),
      get: dress(function (...args) {
        const found = made(args);
        if (!found) return apply(get, this, args);
        found.end();
        return found;
      }, get),
    };
  };
  return [
    [http, of(http)],
    [https, of(https)],
  ];
}

module.exports = { asForm, hooks, readHeaders };
