'use strict';
// Owns the library: a plan around one function (`wrap`), a plan for a while (`withFaults`, `Scope`), and what they did.
// Strict where the layer fails open. Decides nothing: the engine does.

const { isMainThread } = require('node:worker_threads');
const { native } = require('./native.cjs');
const { toJson } = require('./plan.cjs');
const { FaultlayerError, NoChanceError, TargetError, strict } = require('./problems.cjs');
const { current, entered, inForce, look, owners, unlook } = require('./scopes.cjs');
const { wrap: around, read } = require('./wrap.cjs');

const released = new FinalizationRegistry((number) => native().release(number));

const OPTIONS = ['records', 'targets', 'identity', 'strict'];

/** A plan in force from `open` to `close`, and the records of what it did. */
class Scope {
  #state;
  #deliver;
  #strict;
  #open = false;
  #calls = 0;
  #patched = [];
  /** Whether code runs in the scope, beside the functions that it wraps. */
  #isAround = false;
  /** What the scope itself calls: once it calls AWS, or from the first on where connections can be hit. */
  #own;
  /** Why the engine was not asked, as far as is known here. */
  #missed = 'not_called';

  /** Throws `PlanError` where the plan does not hold. `records` is called with each record, or an array takes them. */
  constructor(plan, options = {}) {
    const { records, targets = [], identity, strict: isStrict = true } = known(options);
    const text = toJson(plan);
    const engine = native();
    const number = strict(() => engine.library(text, identity));
    released.register(this, number);
    this.#state = read(engine, number);
    this.#strict = isStrict;
    /** All records so far, in order. */
    this.records = [];
    this.#deliver = Array.isArray(records) ? (record) => records.push(record) : records;
    this.targets = targets;
  }

  /** The ids of the faults that were injected, in order, with repetitions. */
  get injected() {
    return this.records.filter((record) => record.action === 'injected').map((record) => record.fault);
  }

  /** The faults that were drawn and did not fire, each with the last reason. */
  get skipped() {
    const skipped = this.records.filter((record) => record.action === 'skipped');
    return Object.fromEntries(skipped.map((record) => [record.fault, record.reason]));
  }

  /** How often that fault was injected, or any. */
  fired(fault) {
    return this.injected.filter((id) => fault === undefined || id === fault).length;
  }

  /** Puts another plan in force, at once, also for calls that are under way. */
  replace(plan) {
    const { engine, number } = this.#state;
    const text = toJson(plan);
    strict(() => engine.replace(number, text));
    this.#endOwn();
    this.#state = read(engine, number);
    this.#look();
    this.#reach();
  }

  /** `original` with this scope around it: faults while it is open, nothing before and after. */
  wrap(original) {
    return around(callable(original), this.gate());
  }

  /** For wrappers: what to ask before each call. */
  gate() {
    const { engine } = this.#state;
    return {
      engine,
      get owners() {
        return inForce();
      },
      shield: () => inForce()?.shield(),
      host: () => (this.#open ? this.#state : undefined),
      requestId: (context) => {
        const id = context?.awsRequestId;
        return typeof id === 'string' ? id : this.#numbered();
      },
      trouble(error) {
        throw error;
      },
      settle: () => this.#settle(),
      exit: (code) => (isMainThread ? process.exit(code) : engine.crash(code)),
    };
  }

  #numbered() {
    this.#calls += 1;
    return `call-${this.#calls}`;
  }

  #settle() {
    const { engine, number } = this.#state;
    for (const line of engine.drain(number) ?? []) {
      const record = JSON.parse(line);
      this.records.push(record);
      this.#deliver?.(record);
    }
  }

  /** Puts the plan in force around the targets, and for the injection points of what runs from here on. */
  open() {
    this.#open = true;
    this.#look();
    try {
      for (const [owner, name] of this.targets) this.#patch(owner, name);
    } catch (error) {
      this.#end();
      throw error;
    }
    return this;
  }

  /** As `open`, and for all injection points of what runs from here on in this test or task. */
  enter() {
    this.open();
    this.#surround();
    current.enterWith(this);
    return this;
  }

  /** Runs `work` with the scope open, and closes it. */
  run(work) {
    this.open();
    this.#surround();
    let value;
    try {
      value = current.run(this, () => work(this));
    } catch (error) {
      this.#end();
      throw error;
    }
    if (typeof value?.then === 'function') return this.#closeAfter(value);
    this.close();
    return value;
  }

  async #closeAfter(running) {
    let value;
    try {
      value = await running;
    } catch (error) {
      this.#end();
      throw error;
    }
    this.close();
    return value;
  }

  /** Throws `NoChanceError` where a strict scope's faults had no chance to fire. */
  close() {
    const wasOpen = this.#open;
    this.#end();
    if (wasOpen && this.#strict) this.#check();
  }

  /** Ends the scope, whatever it did: for a test that has failed already. */
  abandon() {
    this.#end();
  }

  /** Of calls to AWS that the scope itself makes: all of it is one call then. Not of a scope that was told its targets. */
  owner() {
    if (!this.#open || !this.#state.hitsCalls || this.targets.length > 0) return undefined;
    return this.#beginOwn().owner;
  }

  #surround() {
    entered.add(this);
    this.#isAround = true;
    this.#reach();
  }

  /** Nobody tells when the scope's own code opens a connection. */
  #reach() {
    if (this.#isAround && this.#state.hitsConnections && this.targets.length === 0) this.#beginOwn();
  }

  #beginOwn() {
    if (!this.#own) {
      const { engine, number } = this.#state;
      const session = engine.decideCalls(number, this.#numbered());
      session?.before();
      this.#own = { session, owner: session ? owners.open(session, this.gate()) : undefined };
    }
    return this.#own;
  }

  #look() {
    if (this.#open && this.#state.hitsCalls) look(this);
  }

  #endOwn() {
    const { session, owner } = this.#own ?? {};
    this.#own = undefined;
    if (owner) owners.close(owner);
    session?.returned();
    session?.close();
    if (session) this.#settle();
  }

  #end() {
    this.#open = false;
    this.#isAround = false;
    entered.delete(this);
    unlook(this);
    this.#endOwn();
    for (const { owner, name, before, ours } of this.#patched.splice(0).reverse()) {
      if (Object.getOwnPropertyDescriptor(owner, name)?.value !== ours) this.#missed = 'patched_over';
      if (before) Object.defineProperty(owner, name, before);
      else delete owner[name];
    }
  }

  /** An injection point was called by what no scope runs, while this one was in force. */
  passedBy() {
    this.#missed = 'other_context';
  }

  #check() {
    const { engine, number } = this.#state;
    const missed = JSON.parse(engine.noChance(number));
    if (missed.length === 0) return;
    throw new NoChanceError(
      missed.map(({ fault, reason }) => ({ fault, reason: reason === 'not_called' ? this.#missed : reason })),
    );
  }

  [Symbol.dispose ?? Symbol.for('Symbol.dispose')]() {
    this.close();
  }

  #patch(owner, name) {
    const shown = `${owner?.constructor?.name ?? typeof owner}.${String(name)}`;
    if (typeof owner?.[name] !== 'function') throw new TargetError(`targets: expected a method, got \`${shown}\``, shown);
    const before = Object.getOwnPropertyDescriptor(owner, name);
    const ours = this.wrap(owner[name]);
    try {
      Object.defineProperty(owner, name, {
        value: ours,
        writable: true,
        configurable: true,
        enumerable: before?.enumerable ?? true,
      });
    } catch (error) {
      throw new TargetError(`targets: expected a method that can be replaced, got \`${shown}\` (${error.message})`, shown);
    }
    this.#patched.push({ owner, name, before, ours });
  }
}

/** A misspelt option would be a fault that is not there. */
function known(options) {
  if (typeof options !== 'object' || options === null) {
    throw new FaultlayerError(`options: expected an object, got \`${String(options)}\``, 'wrong_type', 'options');
  }
  const other = Object.keys(options).find((name) => !OPTIONS.includes(name));
  if (other === undefined) return options;
  const allowed = OPTIONS.map((name) => `\`${name}\``).join(', ');
  throw new FaultlayerError(`options.${other}: expected one of ${allowed}`, 'unknown_field', `options.${other}`);
}

function callable(original) {
  if (typeof original !== 'function') throw new TypeError(`function: expected a function, got \`${String(original)}\``);
  return original;
}

/**
 * `original` with `plan` around it; without a plan, an injection point for `withFaults`. A Lambda context gives the request
 * id and the deadline; other calls count as `call-1`, `call-2` and so on.
 */
function wrap(original, plan, options) {
  callable(original);
  if (plan !== undefined) return new Scope(plan, options).open().wrap(original);
  // Gates of the scopes that this injection point has met: what its wrapper asks is the scope's of each call.
  const gates = new WeakMap();
  const gate = () => {
    const scope = current.getStore();
    if (scope && !gates.has(scope)) gates.set(scope, scope.gate());
    return scope && gates.get(scope);
  };
  const host = () => {
    const found = gate();
    if (!found && entered.size > 0) for (const scope of entered) scope.passedBy();
    return found?.host();
  };
  return around(original, {
    get owners() {
      return inForce();
    },
    shield: () => inForce()?.shield(),
    get engine() {
      return gate().engine;
    },
    host,
    requestId: (context) => gate().requestId(context),
    trouble: (error) => gate().trouble(error),
    settle: () => gate()?.settle(),
    exit: (code) => gate().exit(code),
  });
}

/** Runs `work(scope)` with `plan` in force for the injection points it calls, the scope's own wrappers and the targets. */
function withFaults(plan, work, options) {
  return new Scope(plan, options).run(callable(work));
}

module.exports = { Scope, wrap, withFaults };
