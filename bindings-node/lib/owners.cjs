'use strict';
// Owns whose calls to AWS are whose. In a layer all are those of the one invocation under way; where several can be, and in
// a library, the asynchronous context says it.

/** Stands for whoever has no fault that waits for calls. */
const NOBODY = {};

class Owners {
  /** Of whom a fault waits for calls. */
  #waiting = new Set();
  #contexts;
  #outside;
  /** Called when somebody waits for calls: what a function has put into force since is looked at, too. */
  look;
  /** To be called before each `fetch`. */
  beforeFetch;

  /**
   * `contexts` is an `AsyncLocalStorage`, or nothing where there is one invocation at a time. `outside` gives the owner of
   * what a library's scope itself calls, and whether there can be one.
   */
  constructor(contexts, outside) {
    this.#contexts = contexts;
    this.#outside = outside;
  }

  /** Whether any call can have an owner: where not, nobody looks at it. */
  get wanted() {
    return this.#waiting.size > 0 || this.#outside?.possible() === true;
  }

  /** The owner of the calls of `session`; nothing where none of its faults waits for calls. */
  open(session, gate) {
    const number = session.calls();
    return typeof number === 'number' ? this.add(number, gate) : undefined;
  }

  /** The owner of the calls that ask `gate` by this number. */
  add(number, gate) {
    const owner = { number, gate };
    this.#waiting.add(owner);
    this.look?.();
    return owner;
  }

  close(owner) {
    this.#waiting.delete(owner);
  }

  /** What runs from here until `leave` is `owner`'s, and all that it starts; gives what `leave` takes. */
  enter(owner = NOBODY) {
    const before = this.#contexts?.getStore();
    this.#contexts?.enterWith(owner);
    return before;
  }

  /** As `enter`, for a call that nothing was drawn for: gives what ends it, where contexts tell calls apart. */
  shield() {
    if (!this.#contexts) return undefined;
    const before = this.enter();
    return () => this.leave(before);
  }

  leave(before) {
    this.#contexts?.enterWith(before);
  }

  /**
   * Whose call is made here and now, if anybody's who waits for it. `signed` is its signature, or as much of it as says who
   * is called, `operation` what its headers say of that; or empty.
   */
  find(signed, operation) {
    const own = this.#contexts?.getStore();
    if (this.#waiting.has(own)) return isFor(own, signed, operation) ? own : undefined;
    if (own === NOBODY) return undefined;
    if (this.#outside) {
      const owner = this.#outside.owner();
      return owner && isFor(owner, signed, operation) ? owner : undefined;
    }
    for (const owner of this.#waiting) {
      if (!isFor(owner, signed, operation)) continue;
      if (this.#waiting.size === 1 && !this.#contexts) return owner;
      owner.gate.engine.unattributed(owner.number);
      return undefined;
    }
    return undefined;
  }
}

/** What a signature that says first who is called has before its first comma, at the end. */
const SCOPE = '/aws4_request';

/** Whether the engine has to be asked for a call that is so signed: by what it says, once an invocation. */
function isFor(owner, signed, operation) {
  if (owner.scopes === undefined) owner.scopes = owner.gate.engine.scopes(owner.number) ?? null;
  const { scopes } = owner;
  if (scopes === null || !signed.endsWith(SCOPE)) return true;
  // Each with the operation that it is about, or empty.
  for (let index = 0; index < scopes.length; index += 2) {
    const by = scopes[index + 1];
    if (signed.endsWith(scopes[index]) && (!by || !operation || by === operation)) return true;
  }
  return false;
}

/** What a call meets: nothing where it goes out. */
function ask(owner, told, body) {
  try {
    const met = owner.gate.engine.met(owner.number, told, body);
    if (met === null || met === undefined) return undefined;
    owner.gate.settle?.();
    return met;
  } catch (error) {
    owner.gate.trouble(error);
    return undefined;
  }
}

module.exports = { Owners, SCOPE, ask };
