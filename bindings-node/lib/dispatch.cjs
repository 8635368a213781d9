'use strict';
// Owns `fetch` and undici: what they hand to the global dispatcher. An answer goes through a dispatcher of the same kind whose
// connection answers, so that parsing and all that a caller sees are undici's.

const { Front, bytesOf } = require('./front.cjs');
const { hold, setImmediate } = require('./hold.cjs');
const { asForm, readHeaders } = require('./outgoing.cjs');
const { ask } = require('./owners.cjs');

const GLOBAL = Symbol.for('undici.globalDispatcher.1');

/**
 * Looks at what undici does, whose dispatcher is `realm`'s: `look` from now on, `beforeFetch` also where undici is loaded only by
 * the first `fetch`; `off` ends it.
 */
function watchDispatcher(realm, owners) {
  const fronts = new WeakMap();
  /** What undici had first, which is an agent of its own. */
  let Agent;

  /** Puts ourselves in front of what is in force now. */
  const look = () => {
    const real = realm[GLOBAL];
    if (!real || fronts.has(real)) return;
    if (real.constructor?.name === 'Agent') Agent = real.constructor;
    const get = (target, key) => (key === 'dispatch' ? dispatch : target[key]);
    const dispatch = (options, handler) => outgoing(owners, real, Agent, options, handler);
    const front = new Proxy(real, { get });
    fronts.set(front, real);
    realm[GLOBAL] = front;
  };

  const beforeFetch = () => {
    if (!owners.wanted) return;
    // Loads undici, as the call would.
    if (!realm[GLOBAL]) void realm.Headers;
    look();
  };

  const off = () => {
    if (fronts.has(realm[GLOBAL])) realm[GLOBAL] = fronts.get(realm[GLOBAL]);
  };
  return { look, beforeFetch, off };
}

/** What comes of one request. */
function outgoing(owners, real, Agent, options, handler) {
  let owner;
  try {
    const headers = owners.wanted ? readHeaders(options.headers ?? {}) : undefined;
    const origin = String(options.origin);
    owner = headers?.areOfCall(origin, options.path)
      ? owners.find(headers.signed, headers.operationAt(options.path))
      : undefined;
    if (owner) {
      const given = { owner, real, Agent, options, handler };
      const told = headers.tell(options.method, origin, options.path);
      if (headers.areOfForm) {
        void dispatchForm(told, given);
        return true;
      }
      const met = ask(owner, told);
      if (met) {
        void dispatchMet(met, given);
        return true;
      }
    }
  } catch (error) {
    owner?.gate.trouble(error);
  }
  return real.dispatch(options, handler);
}

/** Which operation a form is for, its body says, which a stream of `fetch`'s gives once. */
async function dispatchForm(told, given) {
  let { options } = given;
  let text = asForm(options.body);
  try {
    if (typeof options.body?.[Symbol.asyncIterator] === 'function') {
      const chunks = [];
      for await (const chunk of options.body) chunks.push(Buffer.from(chunk));
      options = { ...options, body: Buffer.concat(chunks) };
      text = asForm(options.body);
    }
  } catch {
    // Undici will say what is wrong with it.
  }
  return dispatchMet(ask(given.owner, told, text), { ...given, options });
}

/** Carries out what a request met. */
async function dispatchMet(met, { owner, real, Agent, options, handler }) {
  try {
    if (met?.delayUs > 0) await hold(met.delayUs);
    if (met?.answer && Agent) return answerDispatch(met.answer, Agent, options, handler);
    if (met?.answer)
      owner.gate.trouble(new Error("a call to AWS through a dispatcher of the function's own is not answered"));
  } catch (error) {
    owner.gate.trouble(error);
  }
  return real.dispatch(options, handler);
}

/** Hands the answer to `handler` by a dispatcher that never connects; of the request itself, it need not know more. */
function answerDispatch(answer, Agent, { method }, handler) {
  const bytes = bytesOf(answer, 'connection: close\r\n');
  const agent = new Agent({ connect: (_, done) => done(null, new Answering(bytes)) });
  agent.dispatch({ origin: 'http://localhost', path: '/', method: method === 'HEAD' ? method : 'GET' }, handler);
}

/** Answers once it was asked. */
class Answering extends Front {
  #bytes;

  constructor(bytes) {
    super();
    this.#bytes = bytes;
  }

  _write(chunk, encoding, done) {
    super._write(chunk, encoding, done);
    const bytes = this.#bytes;
    this.#bytes = undefined;
    if (bytes) setImmediate(() => this.answer(bytes));
  }
}

module.exports = { watchDispatcher };
