// What stands in the place of AWS's extensions (tests/live/extension.py), as a test holds it.

import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const SCRIPT = fileURLToPath(new URL('../../../tests/live/extension.py', import.meta.url));

/** Starts one, hands it to `work` and ends it. */
export async function withExtension(work) {
  const child = spawn('python3', [SCRIPT], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const line = async () => (await lines.next()).value;
  const port = await line();
  const say = (words) => {
    child.stdin.write(`${words}\n`);
    return line();
  };
  try {
    return await work({
      /** What it answers from now on. */
      plan: (plan) => say(`plan ${JSON.stringify(plan)}`),
      /** How it answers from now on. */
      become: say,
      /** What it was asked so far. */
      asked: async () => JSON.parse(await say('asked')),
      /** A function's variables, with a plan that every invocation has read anew. */
      env: {
        FAULTLAYER_PLAN_REFRESH_S: '0',
        AWS_APPCONFIG_EXTENSION_HTTP_PORT: port,
        PARAMETERS_SECRETS_EXTENSION_HTTP_PORT: port,
        AWS_SESSION_TOKEN: 'token+/=',
      },
    });
  } finally {
    child.stdin.end();
    await new Promise((resolve) => child.once('close', resolve));
  }
}
