// Real servers on loopback for real clients: TLS, PostgreSQL and Redis, each where this machine has what it takes.

import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import https from 'node:https';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';

const DEBIANS = '/usr/lib/postgresql';
const folders = [
  ...process.env.PATH.split(path.delimiter),
  ...(existsSync(DEBIANS) ? readdirSync(DEBIANS).map((version) => path.join(DEBIANS, version, 'bin')) : []),
];

const installed = (name) => folders.map((folder) => path.join(folder, name)).find(existsSync);

const OPENSSL = installed('openssl');
const POSTGRES = installed('initdb') && installed('postgres');
const REDIS = process.env.REDIS_SERVER ?? installed('redis-server');

/** By kind of server: why there is none here; nothing where there is one. */
export const LACKS = {
  tls: OPENSSL ? undefined : 'openssl is not installed',
  postgres: POSTGRES ? undefined : 'postgres is not installed',
  redis: REDIS ? undefined : 'redis-server is not installed',
};

/** Whoever asks for `/N` gets N bytes. `authority` is the file of the certificate that its clients have to trust. */
export async function tls() {
  const folder = mkdtempSync(path.join(tmpdir(), 'faultlayer-tls-'));
  const [key, cert] = ['key.pem', 'cert.pem'].map((name) => path.join(folder, name));
  const names = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'];
  const made = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-keyout', key, '-out', cert, ...names];
  execFileSync(OPENSSL, made, { stdio: 'ignore' });
  const server = https.createServer({ key: readFileSync(key), cert: readFileSync(cert) }, (asked, answer) =>
    answer.end('x'.repeat(Number(asked.url.slice(1)))),
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: server.address().port,
    authority: cert,
    async close() {
      server.closeAllConnections();
      server.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Trusts everybody, as `tests`. */
export async function postgres() {
  const folder = mkdtempSync(path.join(tmpdir(), 'faultlayer-postgres-'));
  // It does not run as root, and must reach its folder as whoever it runs as.
  const nobody = process.getuid() === 0 ? { uid: 65534, gid: 65534 } : {};
  if (nobody.uid) chownSync(folder, nobody.uid, nobody.gid);
  const made = ['-D', folder, '-U', 'tests', '--auth=trust', '--no-sync'];
  execFileSync(installed('initdb'), made, { stdio: 'ignore', ...nobody });
  const port = await freePort();
  return served(POSTGRES, ['-D', folder, '-p', port, '-h', '127.0.0.1', '-k', '', '-F'], port, folder, nobody);
}

export async function redis() {
  const folder = mkdtempSync(path.join(tmpdir(), 'faultlayer-redis-'));
  const port = await freePort();
  return served(REDIS, ['--port', port, '--bind', '127.0.0.1', '--save', '', '--dir', folder], port, folder, {});
}

async function served(program, args, port, folder, user) {
  const child = spawn(program, args.map(String), { stdio: 'ignore', ...user });
  const ended = once(child, 'close');
  while (child.exitCode === null && !(await accepts(port))) await new Promise((resolve) => setTimeout(resolve, 50));
  if (child.exitCode !== null) throw new Error(`${program} ended`);
  return {
    port,
    async close() {
      child.kill('SIGTERM');
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function accepts(port) {
  return new Promise((resolve) => {
    const probe = net.connect(port, '127.0.0.1', () => resolve(probe.destroy() && true));
    probe.on('error', () => resolve(false));
  });
}

async function freePort() {
  const probe = net.createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address();
  probe.close();
  await once(probe, 'close');
  return port;
}
