// Faults for one test of node:test, for `import`.

import helpers from './node-test.cjs';

export const { faults } = helpers;
