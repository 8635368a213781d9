'use strict';
// Owns Node's own HTTP clients: which of their requests are calls to AWS, what each says of itself, and what stands where one
// that is hit has its connection, so that all of the request is Node's.

const http = require('node:http');
const { apply, defineProperty } = require('./builtins.cjs');
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

/**
 * Whether a request waits, to be answered or to go on by `go`: it is a call with an owner that meets something. `read` gives
 * its headers, and what is known of its body; where nothing is, the request may have to wait for that.
 */
function isHeld(owners, request, go, read) {
  let owner;
  try {
    const { method, path, protocol, host } = request;
    const origin = `${protocol}//${host}`;
    const { headers, body } = read();
    const found = readHeaders(headers ?? {});
    owner = found.areOfCall(origin, path) ? owners.find(found.signed, found.operationAt(path)) : undefined;
    if (!owner) return false;
    const told = found.tell(method, origin, path);
    if (found.areOfForm && body === undefined) {
      awaitForm(request, go, (form) => ask(owner, told, form), owner.gate);
      return true;
    }
    const met = ask(owner, told, body);
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
  const decide = (chunk) => {
    if (!waits) return;
    waits = false;
    delete request.write;
    delete request.end;
    const met = meet(asForm(chunk));
    if (met) carryOut(request, met, go);
    else go();
  };
  for (const name of ['write', 'end']) {
    const value = function (...args) {
      try {
        decide(args[0]);
      } catch (error) {
        go();
        gate.trouble(error);
      }
      return apply(request[name], request, args);
    };
    defineProperty(request, name, { value, writable: true, configurable: true });
  }
  setImmediate(decide);
}

const asForm = (chunk) =>
  chunk instanceof Uint8Array ? Buffer.from(chunk).toString('latin1') : typeof chunk === 'string' ? chunk : undefined;

/** What was written of a request's body before it had a connection; nothing where even its head was not. */
function bodyOf({ outputData }) {
  const written = outputData.map(({ data }) => asForm(data)).join('');
  return written ? written.slice(written.indexOf('\r\n\r\n') + 4) : undefined;
}

function once(go) {
  let gone = false;
  return () => {
    if (gone) return;
    gone = true;
    go();
  };
}

/**
 * Puts ourselves where the requests of Node's own clients get their connections, whichever function has made them: they ask
 * their agent, or come with one that is none of Node's agents'. Gives what takes each off again.
 */
function replaceClients(owners) {
  const { Agent, ClientRequest } = http;
  // Those that were looked at: an agent may hand a request on to another one.
  const known = new WeakSet();
  const addRequest = (theirs) =>
    function (request, options) {
      const connect = () => apply(theirs, this, arguments);
      if (!owners.wanted || known.has(request)) return connect();
      known.add(request);
      const go = once(connect);
      const read = () => ({ headers: options?.headers });
      if (!isHeld(owners, request, go, read)) go();
    };
  const onSocket = (theirs) =>
    function (socket, error) {
      const isOurs = owners.wanted && socket && !error && !(this.agent instanceof Agent) && !known.has(this);
      if (!isOurs) return apply(theirs, this, arguments);
      known.add(this);
      const fail = (reason) => this.destroy(reason);
      const drop = () => socket.destroy();
      const go = once(() => {
        socket.removeListener('error', fail);
        this.removeListener('close', drop);
        this.onSocket(socket);
      });
      socket.once('error', fail);
      this.once('close', drop);
      const read = () => ({ headers: this.getHeaders(), body: bodyOf(this) });
      if (!isHeld(owners, this, go, read)) go();
    };
  return [replace(Agent.prototype, 'addRequest', addRequest), replace(ClientRequest.prototype, 'onSocket', onSocket)];
}

module.exports = { asForm, replaceClients, readHeaders };
