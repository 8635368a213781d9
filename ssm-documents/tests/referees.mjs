// Loads the shipped documents in tools that AWS and its CDK team wrote, and says what they find.
// Their gaps, met and worked around here, are listed in ../README.md.
import { createRequire } from 'node:module';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import { fileURLToPath } from 'node:url';
import path from 'node:path';

const require = createRequire(path.resolve(process.argv[2], 'package.json'));
const folder = path.join(path.dirname(fileURLToPath(import.meta.url)), '..');
const names = ['Attach', 'Rollback', 'Experiment'].map((name) => `Faultlayer-${name}.json`);
const problems = [];

// 1. The JSON Schema of the editor's language service. It is older than `onCancel` and than Python 3.11.
const schema = JSON.parse(readFileSync(require.resolve('aws-ssm-document-language-service/dist/schema.json'), 'utf8'));
const Ajv = require('ajv').default ?? require('ajv');
let patched = 0;
(function patch(node) {
  if (node === null || typeof node !== 'object') return;
  if (Array.isArray(node.enum) && node.enum.includes('python3.7')) { node.enum.push('python3.11'); patched++; }
  if (node.properties?.onFailure && node.properties?.nextStep) { node.properties.onCancel ??= { type: 'string' }; patched++; }
  Object.values(node).forEach(patch);
})(schema);
const validate = new Ajv({ strict: false, allErrors: true, validateFormats: false, unicodeRegExp: false }).compile(schema);
for (const name of names) {
  const document = JSON.parse(readFileSync(path.join(folder, name), 'utf8'));
  if (!validate(document)) problems.push(...validate.errors.map((error) => `${name}: ${error.instancePath} ${error.message} ${JSON.stringify(error.params)}`));
  const broken = structuredClone(document);
  broken.mainSteps[0].action = 'aws:noSuchAction';
  if (validate(broken)) problems.push(`${name}: the schema accepts an action that does not exist`);
}
console.log(`language service's schema, ${patched} patches: ${problems.length} problems`);

// 2. The CDK team's loader and simulator: every step, input and output becomes an object of its own or it throws.
const { App, Stack } = require('aws-cdk-lib');
const { StringDocument } = require('@cdklabs/cdk-ssm-documents');
const scratch = mkdtempSync(path.join(os.tmpdir(), 'referees-'));
const app = new App();
for (const name of names) {
  const document = JSON.parse(readFileSync(path.join(folder, name), 'utf8'));
  // The loader knows no step without outputs, and no duration that a step before hands on.
  document.mainSteps.forEach((step) => {
    step.outputs ??= [];
    if (step.inputs.Duration?.includes('{{')) step.inputs.Duration = 'PT1M';
  });
  try {
    const file = path.join(scratch, name);
    writeFileSync(file, JSON.stringify(document));
    const loaded = StringDocument.fromFile(new Stack(app, path.parse(name).name), path.parse(name).name, file);
    const steps = loaded.collectedSteps().map((step) => step.name);
    const wanted = document.mainSteps.map((step) => step.name);
    if (steps.join() !== wanted.join()) problems.push(`${name}: loaded ${steps}, wrote ${wanted}`);
  } catch (error) {
    problems.push(`${name}: ${process.env.TRACE ? error.stack : error.message}`);
  }
}
rmSync(scratch, { recursive: true });
console.log(`cdk-ssm-documents: ${names.length} documents loaded`);
problems.forEach((problem) => console.error(problem));
process.exit(problems.length ? 1 : 0);
