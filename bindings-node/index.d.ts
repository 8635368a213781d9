// Faultlayer for tests and for code that may be changed: a plan around any function.

/** Any JSON value. */
export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

/** A delay: milliseconds, or a distribution in milliseconds. */
export type Delay =
  | number
  | { uniform: { min: number; max: number } }
  | { normal: { mean: number; std_dev: number; max: number } }
  | { pareto: { scale: number; shape: number; max: number } }
  | { percentiles: { [percentile: string]: number } };

/** Which of an invocation's calls. */
export type Calls = 'all' | { first: number } | { share: number };

/** From 0 (never) to 1 (always), or steps at seconds after `starts_at`. */
export type Rate = number | { steps: { at_s: number; rate: number }[] };

/** Event patterns as in Amazon EventBridge. */
export interface Match {
  event?: { [field: string]: unknown };
  context?: { [field: string]: unknown };
}

/** What every fault takes beside its own options. */
export interface FaultOptions {
  /** Its name in records; the kind if left out in a builder. */
  id?: string;
  /** 1 if left out in a builder. */
  rate?: Rate;
  match?: Match;
  /** At most so many injections. */
  limit?: number;
  sample_by?: 'request' | 'attempt';
}

/** What faults take that can come before, during (streams) or after the handler. */
export interface TimedOptions extends FaultOptions {
  when?: 'before' | 'during' | 'after';
  /** With `during`: the border in the stream. */
  after_bytes?: number;
  /** With `during`: the time since the stream began. */
  after_ms?: number;
}

/** The class of an error: a name, or one for each language. */
export type ErrorType = string | { python?: string; node?: string; java?: string };

// <faults> written by core/tests/builders.rs, FAULTLAYER_BLESS=1
export interface LatencyFault extends TimedOptions {
  kind: 'latency';
  delay_ms: Delay;
}
export interface ErrorFault extends TimedOptions {
  kind: 'error';
  type: ErrorType;
  message?: string;
  properties?: { [name: string]: Json };
}
export interface ResponseFault extends TimedOptions {
  kind: 'response';
  status?: number;
  headers?: { [name: string]: string };
  body?: string;
  payload?: Json;
}
export interface ExitFault extends TimedOptions {
  kind: 'exit';
  code?: number;
}
export interface TimeoutFault extends TimedOptions {
  kind: 'timeout';
}
export interface CorruptFault extends FaultOptions {
  kind: 'corrupt';
  body?: Json;
}
export interface DiskFault extends FaultOptions {
  kind: 'disk';
  size_mib: number;
}
export interface MemoryFault extends FaultOptions {
  kind: 'memory';
  size_mib: number;
}
export interface CpuFault extends FaultOptions {
  kind: 'cpu';
  duration_ms: number;
  threads?: number;
}
export interface AwsCallFault extends FaultOptions {
  kind: 'aws_call';
  target: { [name: string]: Json };
  error?: string;
  status?: number;
  message?: string;
  delay_ms?: Delay;
  calls?: Calls;
}
export interface NetworkFault extends FaultOptions {
  kind: 'network';
  target: { [name: string]: Json };
  effect: string;
  delay_ms?: Delay;
  kib_per_s?: number;
  after_bytes?: number;
  answer?: string;
  calls?: Calls;
}

/** One fault of a plan. */
export type Fault =
  | LatencyFault
  | ErrorFault
  | ResponseFault
  | ExitFault
  | TimeoutFault
  | CorruptFault
  | DiskFault
  | MemoryFault
  | CpuFault
  | AwsCallFault
  | NetworkFault;
// </faults>

/** The plan's own fields. */
export interface PlanOptions {
  experiment?: string;
  seed?: number;
  /** RFC 3339. */
  starts_at?: string;
  /** RFC 3339, or `never`. */
  expires_at?: string;
  dry_run?: boolean;
  /** Injections count as CloudWatch metrics, by their records alone. */
  metrics?: { namespace: string };
  /** Each injection is a subsegment of the invocation's trace in AWS X-Ray, where that is sampled. */
  traces?: boolean;
  limits?: { injections?: number; deadline_margin_ms?: number };
}

/** A plan, version 1. */
export interface Plan extends PlanOptions {
  version: 1;
  expires_at: string;
  faults: (Fault & { id: string; rate: Rate })[];
}

/** What is taken for a plan: an object, its JSON text, the path of a file that has it, a fault, or a list of faults. */
export type PlanLike = Plan | Fault | readonly Fault[] | string | URL;

/** Builders of faults: `fault.latency(250)`, `fault.error('ThrottlingException', 'slow down', { rate: 0.1 })`. */
export declare const fault: {
  // <builders> written by core/tests/builders.rs, FAULTLAYER_BLESS=1
  /** Holds the invocation, then goes on. */
  latency(delay_ms: Delay, options?: TimedOptions): LatencyFault;
  /** Raises an error of a named class. */
  error(type: ErrorType, message?: string, options?: TimedOptions & { properties?: { [name: string]: Json } }): ErrorFault;
  /** Answers instead of the handler: an HTTP status with headers and body, or any JSON. */
  response(
    answer?: { status?: number; headers?: { [name: string]: string }; body?: string },
    options?: TimedOptions,
  ): ResponseFault;
  /** The answer as it stands, instead of an HTTP answer. */
  payload(payload: Json, options?: TimedOptions): ResponseFault;
  /** Ends the process at once, as a crash does. */
  exit(code?: number, options?: TimedOptions): ExitFault;
  /** Holds until the function's timeout has passed. */
  timeout(options?: TimedOptions): TimeoutFault;
  /** Damages the handler's answer: replaces it, or mangles its text at drawn places. */
  corrupt(options?: FaultOptions & { body?: Json }): CorruptFault;
  /** Replaces the answer as it stands, `null` included. */
  corrupt_body(body: Json, options?: FaultOptions): CorruptFault;
  /** Fills `/tmp` by so much while the handler runs. */
  disk(size_mib: number, options?: FaultOptions): DiskFault;
  /** Occupies so much memory while the handler runs. */
  memory(size_mib: number, options?: FaultOptions): MemoryFault;
  /** Burns CPU beside the handler. */
  cpu(duration_ms: number, options?: FaultOptions & { threads?: number }): CpuFault;
  /** Answers calls to AWS with an error, or delays them. */
  aws_call(
    target: { [name: string]: Json },
    error?: string,
    options?: FaultOptions & { status?: number; message?: string; delay_ms?: Delay; calls?: Calls },
  ): AwsCallFault;
  /** Refuses, cuts off, resets or slows down connections, or keeps names from being resolved. */
  network(
    target: { [name: string]: Json },
    effect: string,
    options?: FaultOptions & { delay_ms?: Delay; kib_per_s?: number; after_bytes?: number; answer?: string; calls?: Calls },
  ): NetworkFault;
  // </builders>
};

/** Delays by distribution, in milliseconds. */
export declare const delay: {
  uniform(min: number, max: number): Delay;
  normal(mean: number, std_dev: number, max: number): Delay;
  pareto(scale: number, shape: number, max: number): Delay;
  percentiles(points: { [percentile: string]: number }): Delay;
};

/** A rate that changes at seconds after `starts_at`: `steps([0, 0.01], [300, 0.1])`. */
export declare function steps(...points: [at_s: number, rate: number][]): Rate;

/** A whole plan: faults, and the plan's own fields. It never expires unless told so. */
export declare function plan(faults: Fault | readonly Fault[], options?: PlanOptions): Plan;

/** One line of the record. */
export interface FaultRecord {
  timestamp: string;
  level: 'WARN' | 'INFO' | 'ERROR';
  source: 'faultlayer';
  experiment?: string;
  fault: string;
  kind: Fault['kind'];
  action: 'injected' | 'skipped' | 'dry_run';
  reason?: string;
  requestId: string;
  sample: number;
  rate: number;
  coldStart: boolean;
  [detail: string]: unknown;
}

/** Who the function is, for patterns on the context. */
export interface Identity {
  functionName?: string;
  functionVersion?: string;
  memoryMb?: number;
  /** As in `nodejs22.x`. */
  runtime?: string;
}

export interface Options {
  /** Takes each record as it is written. */
  records?: FaultRecord[] | ((record: FaultRecord) => void);
  identity?: Identity;
}

export interface ScopeOptions extends Options {
  /** Methods that get the plan around them while it is in force: `[[client, 'send']]`. */
  targets?: readonly (readonly [object: object, method: PropertyKey])[];
  /** Whether closing fails where the faults had no chance to fire; true if left out. */
  strict?: boolean;
}

/** Any function. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type Callable = (...args: any[]) => any;

/** A plan in force for a while, and the records of what it did. */
export declare class Scope {
  /** @throws PlanError where the plan does not hold */
  constructor(plan: PlanLike, options?: ScopeOptions);
  /** All records so far, in order. */
  readonly records: FaultRecord[];
  /** The ids of the faults that were injected, in order, with repetitions. */
  readonly injected: string[];
  /** The faults that were drawn and did not fire, each with the last reason. */
  readonly skipped: { [fault: string]: string };
  /** How often that fault was injected, or any. */
  fired(fault?: string): number;
  /** Puts another plan in force, at once. @throws PlanError; the old plan stays then */
  replace(plan: PlanLike): void;
  /** `original` with this scope around it: faults while it is open, nothing before and after. */
  wrap<F extends Callable>(original: F): F;
  /** Puts the plan in force around the targets and `wrap`'s functions. */
  open(): this;
  /** As `open`, and for the injection points of what runs from here on in this test or task. */
  enter(): this;
  /** Runs `work` with the scope open, and closes it. */
  run<T>(work: (scope: this) => T): T;
  /** @throws NoChanceError where the faults had no chance to fire, unless `strict` is false */
  close(): void;
  /** Closes without asking what the faults did: for a test that has failed already. */
  abandon(): void;
}

/**
 * `original` with `plan` around it; without a plan, an injection point for `withFaults`. A Lambda context gives the request
 * id and the deadline; other calls count as `call-1`, `call-2` and so on. What takes time makes a promise of the result.
 *
 * @throws PlanError where the plan does not hold
 */
export declare function wrap<F extends Callable>(original: F, plan?: PlanLike, options?: Options): F;

/**
 * Runs `work(scope)` with `plan` in force for the injection points it calls (`wrap(original)`), for `scope.wrap` and for the
 * targets; answers what `work` answers.
 *
 * @throws PlanError where the plan does not hold, TargetError for a target that is no method, NoChanceError where the
 * faults had no chance to fire
 */
export declare function withFaults<T>(plan: PlanLike, work: (scope: Scope) => T, options?: ScopeOptions): T;

/** One thing that is wrong with a plan. */
export interface Problem {
  /** A stable name: `out_of_range`, `unknown_field` … */
  code: string;
  /** Where: `faults[2].rate`; empty for the plan as a whole. */
  path: string;
  /** What stands there, as JSON, shortened. */
  value?: string;
  /** What is allowed. */
  expected: string;
}

/** The base of all errors of Faultlayer's own, in contrast to injected ones. */
export declare class FaultlayerError extends Error {
  /** Stable, the same in every language. */
  readonly code: string;
  /** The field it is about; empty for none. */
  readonly path: string;
}

/** A plan that cannot be used. The message lists all problems, one a line. */
export declare class PlanError extends FaultlayerError {
  readonly problems: Problem[];
}

/** What a scope was told to put faults around is not there. */
export declare class TargetError extends FaultlayerError {}

/** A fault that had no chance to fire, and why. */
export interface Missed {
  /** Its id. */
  fault: string;
  /** `patched_over`: its target was replaced by something else; `other_context`: called, but not by what the scope runs. */
  reason: 'not_called' | 'not_started' | 'expired' | 'patched_over' | 'other_context';
}

/** Faults that never had a chance to fire: a test that relies on them shows nothing. The message says why, one a line. */
export declare class NoChanceError extends FaultlayerError {
  readonly missed: Missed[];
}

/** Thrown where no other class fits: a timeout. */
export declare class FaultInjected extends Error {}
