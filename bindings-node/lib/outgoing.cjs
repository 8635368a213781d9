'use strict';
// Owns Node's own HTTP clients: which of their requests are calls to AWS, what each says of itself, and what stands where one
// that is hit has its connection, so that all of the request is Node's.

const http = require('node:http');
const https = require('node:https');
const { urlToHttpOptions } = require('node:url');
const { apply, assign, create, defineProperty } = require('./builtins.cjs');
const { carryOut } = require('./front.cjs');
const { setImmediate } = require('./hold.cjs');
const { SCOPE, ask } = require('./owners.cjs');
const { replace } = require('./wrap.cjs');

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

/** Requests that were looked at: an agent may hand one on to another, and a hook may stand behind one of before. */
const known = new WeakSet();

/** Whether a request waits, to be answered or to go on by `go`: it is a call with an owner that meets something. */
function isHeld(owners, request, headers, go) {
  if (!owners.wanted || known.has(request)) return false;
  let owner;
  try {
    known.add(request);
    const { method, protocol, host } = request;
    const origin = `${protocol}//${host}`;
    // An agent of Node's that goes through a proxy has put the whole URL there.
    const path = request.path.replace(/^https?:\/\/[^/]*/, '');
    const found = readHeaders(headers ?? {});
    owner = found.areOfCall(origin, path) ? owners.find(found.signed, found.operationAt(path)) : undefined;
    if (!owner) return false;
    const told = found.tell(method, origin, path);
    if (found.areOfForm) {
      awaitForm(request, go, (form) => ask(owner, told, form), owner.gate);
      return true;
    }
    const met = ask(owner, told);
    if (!met) return false;
    carryOut(request, met, go);
    return true;
  } catch (error) {
    owner?.gate.trouble(error);
    return false;
  }
}

/** Which operation a form is for, its body says: the request waits for that, but not for ever. */
function awaitForm(request, go, meet, gate) {
  let waits = true;
  const ours = {};
  /** Once, with the body's first piece where there is one. */
  const decide = (chunk) => {
    if (!waits) return;
    waits = false;
    try {
      // What somebody else has put in front meanwhile stays.
      for (const name in ours) if (request[name] === ours[name]) delete request[name];
      const met = meet(asForm(chunk));
      if (met) carryOut(request, met, go);
      else go();
    } catch (error) {
      go();
      gate.trouble(error);
    }
  };
  for (const name of ['write', 'end']) {
    const theirs = request[name];
    ours[name] = function (...args) {
      decide(args[0]);
      return apply(theirs, request, args);
    };
    defineProperty(request, name, { value: ours[name], writable: true, configurable: true });
  }
  setImmediate(decide);
}

const asForm = (chunk) =>
  chunk instanceof Uint8Array ? Buffer.from(chunk).toString('latin1') : typeof chunk === 'string' ? chunk : undefined;

function once(go) {
  let gone = false;
  return (...args) => {
    if (gone) return;
    gone = true;
    go(...args);
  };
}

/**
 * What an agent gets with a request that has waited. Some agents learn from the stack whether it is to be encrypted, if not
 * from this, and by now that shows nothing of its client.
 */
const late = (request, options) =>
  options && options.protocol === undefined ? { ...options, protocol: request.protocol } : options;

/** Asks `agent`, by `addRequest`, for the connection of a request, now or once that is not held any more. */
function connect(owners, agent, addRequest, [request, options, ...rest]) {
  const go = once((given) => apply(addRequest, agent, [request, given, ...rest]));
  if (!isHeld(owners, request, options?.headers, () => go(late(request, options)))) go(options);
}

/** The options of a request, which may follow its URL. */
const optionsOf = ([first, second]) => (typeof first === 'string' || first?.href !== undefined ? second : first);

/** Whether Node's own agents see nothing of a request: it has an agent of another kind, or makes its own connection. */
function isElsewhere(options) {
  const agent = options?.agent;
  if (agent === undefined || agent === null) return typeof options?.createConnection === 'function';
  return typeof agent.addRequest === 'function' && agent.addRequest !== http.Agent.prototype.addRequest;
}

/** The arguments of a request as its client understands them. */
function normalize([input, options, callback]) {
  if (typeof input === 'string') input = urlToHttpOptions(new URL(input));
  else if (typeof input?.href === 'string' && input.path === undefined) input = urlToHttpOptions(input);
  else [input, options, callback] = [undefined, input, options];
  if (typeof options === 'function') [options, callback] = [undefined, options];
  return { options: input ? assign(input, options) : (options ?? {}), callback };
}

/** An agent for a request that has none, but makes its own connection, for itself alone. */
function without({ createConnection }, client) {
  const addRequest = (request, { path: _, ...at }) => {
    if (at.socketPath) at.path = at.socketPath;
    const done = once((error, socket) => request.onSocket(socket, error));
    try {
      const made = createConnection(at, done);
      if (made) done(null, made);
    } catch (error) {
      done(error);
    }
  };
  const values = { addRequest, keepAlive: false, maxSockets: Infinity };
  return assign(create(client.globalAgent), values);
}

/** A request whose agent gets to see it by `connect`; nothing where its client will refuse it anyway. */
function behind(owners, client, theirs, args) {
  let options;
  let callback;
  let agent;
  try {
    ({ options, callback } = normalize(args));
    agent = options.agent ?? without(options, client);
  } catch {
    return undefined;
  }
  const addRequest = (...given) => connect(owners, agent, agent.addRequest, given);
  const request = theirs({ ...options, agent: create(agent, { addRequest: { value: addRequest } }) }, callback);
  request.agent = options.agent;
  return request;
}

/**
 * Puts ourselves where the requests of Node's own clients get their connections: they ask their agent, whoever has made them
 * by whichever function. Those that go elsewhere are met where they are made. Gives what takes each off again.
 */
function replaceClients(owners) {
  const { Agent } = http;
  const addRequest = (theirs) =>
    function (...args) {
      connect(owners, this, theirs, args);
    };
  const made = (client, theirs, args) =>
    owners.wanted && isElsewhere(optionsOf(args)) ? behind(owners, client, theirs, args) : undefined;
  const of = (client) => {
    const { request } = client;
    const by = (theirs) =>
      function (...args) {
        return made(client, request, args) ?? apply(theirs, this, args);
      };
    const get = (theirs) =>
      function (...args) {
        const found = made(client, request, args);
        found?.end();
        return found ?? apply(theirs, this, args);
      };
    return [replace(client, 'request', by), replace(client, 'get', get)];
  };
  return [replace(Agent.prototype, 'addRequest', addRequest), ...of(http), ...of(https)];
}

module.exports = { asForm, replaceClients, readHeaders };
