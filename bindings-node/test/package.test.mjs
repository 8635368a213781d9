// The npm package as others get it: packed, installed into a project of their own, used through each of its doors.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { CREDENTIALS, LACKS_SERVER, moto } from './support/aws.mjs';
import { FIXTURES, dealer, nodeBinary } from './support/client.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const bin = path.join(root, 'node_modules/.bin');
/** The oldest or the newest, and the one between. */
const MAJORS = [20, 22, 24];
const deal = dealer([[20, 24], [22]]);
let project;

// Inside of a test, node:test runs no other test files.
const { NODE_TEST_CONTEXT: _, ...env } = process.env;

const run = (program, args, options = {}) => {
  try {
    return execFileSync(program, args, { cwd: project, encoding: 'utf8', stdio: 'pipe', timeout: 120_000, env, ...options });
  } catch (error) {
    throw new Error(`${path.basename(program)} ${args.join(' ')}\n${error.stdout}${error.stderr}`);
  }
};

describe('the package', () => {
  before(() => {
    project = mkdtempSync(path.join(tmpdir(), 'faultlayer-package-'));
    const [{ filename }] = JSON.parse(run('npm', ['pack', '--json', '--pack-destination', project], { cwd: root }));
    run('tar', ['xzf', filename]);
    mkdirSync(path.join(project, 'node_modules'));
    cpSync(path.join(project, 'package'), path.join(project, 'node_modules/faultlayer'), { recursive: true });
    for (const name of readdirSync(path.join(root, 'node_modules'))) {
      if (!name.startsWith('.'))
        symlinkSync(path.join(root, 'node_modules', name), path.join(project, 'node_modules', name));
    }
    cpSync(path.join(FIXTURES, 'consumer'), project, { recursive: true });
    cpSync(path.resolve(root, '../examples/node'), path.join(project, 'example'), { recursive: true });
    cpSync(path.resolve(root, '../examples/node-dynamodb'), path.join(project, 'dynamodb'), { recursive: true });
    writeFileSync(path.join(project, 'package.json'), '{"private":true}');
  });
  after(() => rmSync(project, { recursive: true, force: true }));

  for (const major of MAJORS) {
    test(`require and import share one engine on Node ${major}`, () => {
      assert.equal(run(nodeBinary(major), ['both.cjs']), 'both work\n');
    });
    deal(major, `Node ${major}: `)("the example's tests pass", () => {
      run(nodeBinary(major), ['--test', '--test-reporter=tap', 'example/index.test.mjs']);
    });
  }

  describe('calls to AWS', { skip: LACKS_SERVER }, () => {
    let server;
    let aws;
    before(async () => {
      server = await moto();
      aws = {
        ...env,
        ...CREDENTIALS,
        AWS_ENDPOINT_URL: `http://127.0.0.1:${server.port}`,
        NODE_NO_WARNINGS: '1',
        CI: 'true',
      };
    });
    after(() => server?.close());

    for (const major of MAJORS) {
      deal(major, `Node ${major}: `)('the example that calls DynamoDB', () => {
        run(nodeBinary(major), ['--test', '--test-reporter=tap', 'dynamodb/index.test.mjs'], { env: aws });
      });
    }
    test('in Vitest', () => run(`${bin}/vitest`, ['run', '--root', project, 'aws.vite.test.mjs'], { env: aws }));
    test('in Jest', () => {
      run(`${bin}/jest`, ['--rootDir', project, '--testMatch', '**/aws.jest.test.cjs', '--no-cache'], { env: aws });
    });
  });

  test('a strict TypeScript project compiles, as module and as CommonJS', () => {
    const strict = ['--strict', '--noEmit', '--exactOptionalPropertyTypes', '--target', 'es2022', '--types', 'node'];
    cpSync(path.join(project, 'typed.ts'), path.join(project, 'module.mts'));
    // TypeScript's own declarations are its business.
    run(`${bin}/tsc`, [...strict, '--skipDefaultLibCheck', '--module', 'nodenext', 'typed.ts', 'module.mts']);
  });

  const NO_CHANCE = /`response` had no chance to fire: not_called/;

  describe('node:test', () => {
    for (const major of MAJORS) {
      deal(major, `Node ${major}: `)('delays under fake timers', () =>
        run(nodeBinary(major), ['--test', 'timers.test.mjs']),
      );
    }
    test('a test without a chance fails', () => {
      assert.throws(() => run(nodeBinary(22), ['--test', 'without.test.mjs']), NO_CHANCE);
    });
  });

  describe('Vitest', () => {
    const vitest = (...files) => run(`${bin}/vitest`, ['run', '--root', project, ...files], { env: { ...env, CI: 'true' } });
    test('installed', () => vitest('vitest.test.mjs'));
    test('linked, so that it has two instances', () => {
      const installed = path.join(project, 'node_modules/faultlayer');
      renameSync(installed, path.join(project, 'linked'));
      symlinkSync(path.join(project, 'linked'), installed);
      try {
        vitest('vitest.test.mjs');
      } finally {
        rmSync(installed);
        renameSync(path.join(project, 'linked'), installed);
      }
    });
    test('a test without a chance fails', () => assert.throws(() => vitest('without.vite.test.mjs'), NO_CHANCE));
  });

  describe('Jest', () => {
    const jest = (file, ...args) =>
      run(`${bin}/jest`, ['--rootDir', project, '--testMatch', `**/${file}`, '--no-cache', ...args]);
    test('installed', () => jest('jest.test.cjs'));
    test('with timers that are fake from the start', () => {
      jest('faked.jest.test.cjs', '--config={"fakeTimers":{"enableGlobally":true}}');
    });
    test('a test without a chance fails', () => assert.throws(() => jest('without.jest.test.cjs'), NO_CHANCE));
  });
});
